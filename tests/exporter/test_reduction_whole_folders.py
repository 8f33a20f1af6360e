"""Checkpoints and adapters that training writes are whole or absent."""

import json
from pathlib import Path
from typing import Any

import pytest

from exporter.reduction.extraction.model import write_fresh
from exporter.reduction.extraction.train_adapter import write_adapter
from tests.tiny_granite import Variant, write_tiny_granite


class Adapted:
    """A model of peft's that may be killed halfway."""

    def __init__(self, text: str, killed: bool = False) -> None:
        self._text, self._killed = text, killed

    def save_pretrained(self, folder: Path) -> None:
        (folder / "adapter_config.json").write_text(self._text)
        if self._killed:
            raise KeyboardInterrupt
        (folder / "adapter_model.safetensors").write_text(self._text)


def test_a_kill_leaves_no_half_of_an_adapter(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_adapter(Adapted("first", killed=True), tmp_path / "adapter")
    assert list(tmp_path.iterdir()) == []


def test_an_adapter_that_was_trained_further_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    for text in ("first", "second"):
        write_adapter(Adapted(text), tmp_path / "adapter")
    found = {path.name: path.read_text() for path in (tmp_path / "adapter").iterdir()}
    assert found == dict.fromkeys(("adapter_config.json", "adapter_model.safetensors"), "second")
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


def test_a_kill_leaves_no_half_of_a_fresh_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    write_tiny_granite(tmp_path / "like", Variant())

    def killed(model: Any, folder: Path) -> None:
        model.config.save_pretrained(folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(transformers.PreTrainedModel, "save_pretrained", killed)
        with pytest.raises(KeyboardInterrupt):
            write_fresh(tmp_path / "like", tmp_path / "fresh")
    assert [path.name for path in tmp_path.iterdir()] == ["like"]
    write_fresh(tmp_path / "like", tmp_path / "fresh")
    made = {path.name for path in (tmp_path / "fresh").iterdir()}
    assert made >= {"config.json", "model.safetensors", "tokenizer.json"}
    configs = [json.loads((tmp_path / name / "config.json").read_text()) for name in ("like", "fresh")]
    assert configs[0]["hidden_size"] == configs[1]["hidden_size"]
