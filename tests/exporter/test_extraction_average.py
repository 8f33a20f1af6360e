"""Averages of extraction models, and checkpoints of theirs in float16."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from exporter.reduction.extraction import average
from exporter.reduction.extraction.examine import loaded
from exporter.reduction.extraction.model import write_fresh
from scripts.reduction_chain import ROOT

MODEL = ROOT / "exporter" / "reduction" / "extraction" / "thistledown-extract"


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def _fresh(folder: Path, seed: int) -> Path:
    write_fresh(MODEL, folder, seed)
    return folder


def test_the_mean_has_the_asked_shares_and_can_be_examined(tmp_path: Path) -> None:
    first, other = _fresh(tmp_path / "first", 1), _fresh(tmp_path / "other", 2)
    assert average.main([str(tmp_path / "mean"), str(first), str(other), "--shares", "0.25", "0.75"]) == 0
    made, halves = _weights(tmp_path / "mean"), (_weights(first), _weights(other))
    assert made.keys() == halves[0].keys()
    for name, values in made.items():
        torch.testing.assert_close(values, 0.25 * halves[0][name].float() + 0.75 * halves[1][name].float())
    assert loaded(tmp_path / "mean")[1].get_vocab_size() == loaded(MODEL)[1].get_vocab_size()


def test_one_model_in_half_stays_as_it_is(tmp_path: Path) -> None:
    assert average.main([str(tmp_path / "half"), str(MODEL), "--half"]) == 0
    made, told = _weights(tmp_path / "half"), _weights(MODEL)
    assert made.keys() == told.keys()
    assert all(values.dtype == torch.float16 and values.equal(told[name]) for name, values in made.items())
    assert json.loads((tmp_path / "half" / "config.json").read_bytes())["dtype"] == "float16"


@pytest.mark.parametrize("shares", [["0.5", "0.6"], ["1"]])
def test_shares_that_are_none_are_refused(
    shares: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(tmp_path / "mean"), str(MODEL), str(MODEL), "--shares", *shares]
    assert average.main(given) != 0
    assert "one in sum" in capsys.readouterr().err
    assert not (tmp_path / "mean").exists()


def test_models_of_two_families_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = _fresh(tmp_path / "other", 1)
    config = json.loads((other / "config.json").read_bytes())
    (other / "config.json").write_text(json.dumps({**config, "logits_scaling": 2.0}), encoding="utf-8")
    assert average.main([str(tmp_path / "mean"), str(MODEL), str(other)]) != 0
    assert "not that of" in capsys.readouterr().err
    assert not (tmp_path / "mean").exists()


def test_what_float16_cannot_hold_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = _fresh(tmp_path / "other", 1)
    weights = _weights(other)
    next(iter(weights.values())).view(-1)[0] = 1e6
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    assert average.main([str(tmp_path / "half"), str(other), "--half"]) != 0
    assert "too large for float16" in capsys.readouterr().err
    assert not (tmp_path / "half").exists()
