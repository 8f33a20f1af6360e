"""What `thistledown report` answers to somebody who mistypes: what is meant stands in the answer."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import measured_report
from exporter.__main__ import main

Make = Callable[..., Path]


@pytest.fixture
def shelf(tiny_granite: Make, artifact: Make, tmp_path: Path) -> Path:
    """A folder with one artifact, a checkpoint and an empty folder."""
    shutil.copytree(artifact(tiny_granite(), quantize="q4", context=512), tmp_path / "minilm")
    shutil.copytree(tiny_granite(), tmp_path / "checkpoint")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("minlm", "Did you mean {shelf}/minilm?"),
        ("", "Give one of the artifacts in it: minilm."),
        ("checkpoint", "`thistledown export {shelf}/checkpoint -o DIR`"),
        ("empty", "There is no manifest.json"),
        ("quite/another", "There is no such folder"),
    ],
)
def test_a_folder_that_is_none_is_answered_with_what_is_meant(
    shelf: Path, place: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(shelf / place)]) == 2
    said = capsys.readouterr()
    assert says.format(shelf=shelf) in said.err
    assert not said.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--formt", "json"], "did you mean --format?"),
        (["--format", "jsn"], "invalid choice: 'jsn'"),
        (["--budget", "30M"], "'30M' is no size: write 30MB"),
    ],
)
def test_a_mistyped_option_is_answered_in_two_lines(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["report", "somewhere", *words])
    assert stop.value.code == 2
    first, second = capsys.readouterr().err.splitlines()
    assert says in first
    assert second == "all options: thistledown report --help"


@pytest.mark.parametrize("words", [["--software"], ["--measured", "a.json"], ["--float", "b"]])
def test_an_option_of_a_measurement_needs_one(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "somewhere", *words]) == 2
    assert f"({words[0]}). Say --measure, too" in capsys.readouterr().err


def test_the_name_of_a_network_may_be_in_small_letters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measured_report, "report_main", lambda _: 2)
    assert measured_report.main(["report", "somewhere", "--network", "fast 4g"]) == 2
    assert "There is no network" not in capsys.readouterr().err


def test_builds_of_different_models_are_compared_by_what_is_gone(
    shelf: Path, tiny_encoder: Callable[[str], Path], artifact: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    other = artifact(tiny_encoder("bert-embeddings"), quantize="q8")
    assert main(["report", str(shelf / "minilm"), "--compare", str(other)]) == 0
    assert "of the other build are gone" in capsys.readouterr().out
