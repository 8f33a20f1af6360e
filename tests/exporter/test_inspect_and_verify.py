"""`inspect` and `verify` as a person meets them."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporter.__main__ import main
from exporter.report import analyse

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def folder(tiny_granite: Make, artifact: Make) -> Path:
    return artifact(tiny_granite(), quantize="f32", context=512)


def test_inspect_shows_memory_phases_and_dispatches(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(folder)]) == 0
    text = capsys.readouterr().out
    plan = json.loads((folder / "plan.base.json").read_text())
    memory = analyse(folder).memory["base"]
    assert memory["total"] > plan["memory"]["total"]
    assert {"readback", "total"} <= memory.keys()
    for use, size in memory.items():
        assert re.search(rf"^  {use} +{size:,}  ", text, re.MULTILINE)
    for phase, dispatches in plan["phases"].items():
        assert f"{phase:<9} {len(dispatches)} dispatches" in text
    assert len(text.splitlines()) < 30
    assert main(["inspect", str(folder), "--phase", "decode"]) == 0
    text = capsys.readouterr().out
    assert "mamba_step" in text
    assert "past_ssm.0" in text


def test_inspect_can_show_one_phase_of_one_tier(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(folder), "--tier", "f16", "--phase", "head"]) == 0
    text = capsys.readouterr().out
    assert "take_last" in text
    assert "ceil(tokens" not in text.partition("head:")[2]


def test_inspect_names_what_there_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(folder), "--phase", "decoded"]) == 2
    assert "decode" in capsys.readouterr().err


@pytest.mark.gpu
def test_verify_compares_with_the_checkpoint(
    folder: Path, tiny_granite: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(folder), "--checkpoint", str(tiny_granite())]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("ok") for line in lines)


@pytest.mark.gpu
def test_verify_notices_another_checkpoint(
    folder: Path, tiny_granite: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tiny_granite(groups=2)
    assert main(["verify", str(folder), "--checkpoint", str(other)]) == 1
    captured = capsys.readouterr()
    assert "FAIL" in captured.out
    assert "transformers" in captured.err


@pytest.mark.gpu
def test_verify_notices_a_damaged_shard(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    shard = next(copy.glob("*.bin"))
    data = np.fromfile(shard, np.uint8)
    data[1000] ^= 1
    data.tofile(shard)
    assert main(["verify", str(copy)]) == 2
    assert "damaged" in capsys.readouterr().err
