"""What the command `bench` says before, or instead of, a measurement."""

import errno
import json
from pathlib import Path

import pytest

from bench.__main__ import main


def never(*_: object) -> object:
    raise AssertionError("measured, though nothing can come of it")


@pytest.mark.parametrize("place", ["folder", "file/result.json", "file/deeper/result.json"])
def test_a_result_that_cannot_be_written_is_told_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    monkeypatch.setattr("bench.measure.bench", never)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    assert main(["bench", str(tmp_path), "-o", str(tmp_path / place)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_disk_that_is_full_in_the_end_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.measure.bench", lambda *_: {"checks": []})

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert main(["bench", str(tmp_path), "--json", "-o", str(tmp_path / "result.json")]) == 2
    assert "No space left" in capsys.readouterr().err


def test_an_interrupted_measurement_says_so_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.measure.bench", stopped)
    file = tmp_path / "made" / "result.json"
    assert main(["bench", str(tmp_path), "-o", str(file)]) == 130
    assert "stopped" in capsys.readouterr().err
    assert not file.parent.exists()


def test_a_prompt_of_no_token_is_bad_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bench", str(tmp_path), "--prefill", "0,32"])
    assert caught.value.code == 2
    assert "1 token or more" in capsys.readouterr().err


def test_a_manifest_that_the_site_refuses_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"task": "text-generation"}))
    assert main(["bench", str(tmp_path), "--peers", ""]) == 2
    assert "format is missing" in capsys.readouterr().err
