"""sentence-transformers modules: the mean and the first token in all their spellings, anything else is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from exporter.checkpoints import open_checkpoint
from exporter.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    save_file({"w": np.ones((2, 2), np.float32)}, tmp_path / "model.safetensors")
    return tmp_path


POOLING = {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}


@pytest.mark.parametrize(
    ("modules", "folder_name", "pooling"),
    [
        (None, "1_Pooling", {"pooling_mode_max_tokens": True}),
        (None, "1_Pooling", {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}),
        (None, "1_Pooling", {"pooling_mode": "lasttoken"}),
        (None, "1_Pooling", {"pooling_mode": ["mean", "max"]}),
        ([POOLING | {"path": "1_Max"}], "1_Max", {"pooling_mode": "max"}),
        ([POOLING, POOLING], "1_Pooling", {"pooling_mode": "mean"}),
        ([POOLING, {"path": "2_Dense", "type": "a.b.Dense"}], "1_Pooling", {"pooling_mode": "mean"}),
        ({}, "1_Pooling", {"pooling_mode": "mean"}),
    ],
)
def test_modules_that_would_give_other_vectors_are_refused(
    folder: Path, modules: object, folder_name: str, pooling: dict[str, object]
) -> None:
    if modules is not None:
        (folder / "modules.json").write_text(json.dumps(modules))
    (folder / folder_name).mkdir()
    (folder / folder_name / "config.json").write_text(json.dumps(pooling))
    checkpoint = open_checkpoint(str(folder))
    with pytest.raises(ConfigError):
        checkpoint.pooling()


@pytest.mark.parametrize(
    ("pooling", "mode"),
    [
        ({}, "mean"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False}, "mean"),
        ({"pooling_mode": "mean"}, "mean"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode": ["cls"]}, "cls"),
    ],
)
@pytest.mark.parametrize("normalize", [True, False])
def test_mean_and_first_token_are_read_in_all_their_spellings(
    folder: Path, pooling: dict[str, object], mode: str, normalize: bool
) -> None:
    kinds = ["Transformer", "Pooling", *(["Normalize"] if normalize else [])]
    modules = [{"path": f"{i}_{kind}" if i else "", "type": f"x.{kind}"} for i, kind in enumerate(kinds)]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    found = open_checkpoint(str(folder)).pooling()
    assert (found.mode, found.normalize) == (mode, normalize)


def test_without_modules_it_is_the_normalized_mean(folder: Path) -> None:
    found = open_checkpoint(str(folder)).pooling()
    assert (found.mode, found.normalize) == ("mean", True)
