"""A checkpoint opened without values: config.json is enough, and what is known of the weights is believed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from exporter.checkpoints import open_checkpoint
from exporter.errors import WeightsError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    return tmp_path


def test_without_weights_every_tensor_is_granted_and_none_has_values(folder: Path) -> None:
    checkpoint = open_checkpoint(str(folder), values=False)
    assert checkpoint.tensors == {}
    assert checkpoint.require("a.weight", (2, 3)).shape == (2, 3)
    with pytest.raises(WeightsError, match=r'values of tensor "a\.weight".*--dry-run'):
        checkpoint.read_rows("a.weight", 0, 1)
    with pytest.raises(WeightsError):
        checkpoint.read("a.weight")


def test_the_headers_of_weights_that_are_there_are_believed(folder: Path) -> None:
    save_file({"a.weight": np.ones((2, 3), np.float32)}, folder / "model.safetensors")
    checkpoint = open_checkpoint(str(folder), values=False)
    assert set(checkpoint.tensors) == {"a.weight"}
    with pytest.raises(WeightsError, match="asks for"):
        checkpoint.require("a.weight", (3, 2))
    with pytest.raises(WeightsError, match="missing"):
        checkpoint.require("b.weight", (1,))


def test_of_an_index_without_its_shards_the_names_are_believed(folder: Path) -> None:
    index = {"weight_map": {"a.weight": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    checkpoint = open_checkpoint(str(folder), values=False)
    assert set(checkpoint.tensors) == {"a.weight"}
    checkpoint.require("a.weight", (3, 2))
    with pytest.raises(WeightsError, match="missing"):
        checkpoint.require("b.weight", (1,))


def test_no_weights_are_fetched_from_the_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def download(_repo: str, **options: Any) -> str:
        asked.update(options)
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    open_checkpoint("owner/model", values=False)
    assert "config.json" in asked["allow_patterns"]
    assert not [pattern for pattern in asked["allow_patterns"] if pattern.endswith(".safetensors")]
