"""The size report: totals that add up, all formats, budgets, and damaged artifacts."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path, PurePath

import pytest

from exporter.__main__ import main
from exporter.report import analyse, measure_artifact, render

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def folder(tiny_granite: Make, artifact: Make) -> Path:
    return artifact(tiny_granite(), quantize="q4", context=512)


def test_groups_add_up_to_the_first_visit(folder: Path) -> None:
    report = measure_artifact(folder)
    assert sum(group["travels"] for group in report.totals.values()) == report.first_visit
    assert report.first_visit == sum(file.travels for file in report.files if file.visit)
    weights = [file for file in report.files if file.role == "weights"]
    assert sum(file.raw for file in weights) == sum(path.stat().st_size for path in folder.glob("*.bin"))
    assert all(file.travels == file.raw for file in weights)


def test_every_file_of_the_artifact_is_in_the_report(folder: Path) -> None:
    named = {file.file for file in measure_artifact(folder).files if not file.file.startswith("site/")}
    assert named == {path.name for path in folder.iterdir()} - {"report.json"}


def test_bits_per_weight_are_those_of_the_scheme(tiny_granite: Make, artifact: Make) -> None:
    """Four bits and half a bit of scales, plus norms, convolutions and SSM parameters in float32."""
    bits = {}
    for scheme in ("f32", "f16", "q8", "q4"):
        report = measure_artifact(artifact(tiny_granite(), quantize=scheme, context=512))
        bits[scheme] = report.bits_per_weight
    assert 32 <= bits["f32"] < 32.5
    assert 16 <= bits["f16"] < 17.5
    assert 8.5 <= bits["q8"] < 10.5
    assert 4.5 <= bits["q4"] < 7


def test_json_says_what_the_table_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(folder), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert main(["report", str(folder)]) == 0
    table = capsys.readouterr().out
    assert f"{document['first_visit']:,} bytes" in table
    for file in document["files"]:
        if not file["file"].startswith("site/"):
            assert f"{file['raw']:,}" in table
    scripts = [file for file in document["files"] if PurePath(file["file"]).parent == PurePath("site/app")]
    assert f"site/app/ ({len(scripts)} files)" in table
    assert f"{sum(file['raw'] for file in scripts):,}" in table


def test_markdown_rows_have_their_headings_columns(folder: Path) -> None:
    parts = render(analyse(folder), "markdown").split("\n\n")
    tables = [part.splitlines() for part in parts if part.startswith("|")]
    assert len(tables) == 5
    for rows in tables:
        assert len({row.count("|") for row in rows}) == 1


def test_a_budget_is_a_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(folder), "--budget", "1GB"]) == 0
    assert main(["report", str(folder), "--budget", "50kB"]) == 1
    captured = capsys.readouterr()
    assert "first visit" in captured.out
    assert "50,000" in captured.err


@pytest.mark.parametrize("size", ["abc", "-5MB", "0", "5 furlongs", ""])
def test_a_size_that_is_none_is_refused(folder: Path, size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["report", str(folder), f"--budget={size}"])
    assert stop.value.code == 2
    assert "size" in capsys.readouterr().err


def test_a_damaged_artifact_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "manifest.json" in capsys.readouterr().err
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    next(copy.glob("*.bin")).unlink()
    assert main(["report", str(copy)]) == 2
    assert "is missing" in capsys.readouterr().err
