"""What a pruned checkpoint was cut from: told by prune, kept by an export, and where the report's waterfall begins."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from exporter.__main__ import main
from exporter.checkpoints import Checkpoint, open_checkpoint
from exporter.errors import ArtifactError
from exporter.export_options import ExportOptions
from exporter.pipeline import predict
from exporter.progress import Progress
from exporter.report import PrunedFrom, analyse, render
from tests.architecture.tree import ROOT
from tests.exporter.json_schema import problems
from tests.tiny_granite import CORPUS

Granite = Callable[..., Path]
SCHEMA: dict[str, Any] = json.loads((ROOT / "exporter/report/report.schema.json").read_text())


@pytest.fixture(scope="module")
def pruned(tiny_granite: Granite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny hybrid with half of its MLP."""
    folder = tmp_path_factory.mktemp("pruned")
    (folder / "texts.txt").write_text("\n".join(CORPUS), encoding="utf-8")
    return _pruned(tiny_granite(), folder / "half", "mlp=50%", folder / "texts.txt")


def _pruned(source: Path, made: Path, sizes: str, texts: Path) -> Path:
    words = ["prune", str(source), "-o", str(made), "--to", sizes, "--calibration", str(texts)]
    assert main(words) == 0
    return made


@pytest.fixture(scope="module")
def folder(pruned: Path, artifact: Callable[..., Path]) -> Path:
    return artifact(pruned, quantize="q4", context=512, code_weights=True)


def _bytes(checkpoint: Path) -> int:
    return sum(info.bytes for info in open_checkpoint(str(checkpoint)).tensors.values())


def test_the_waterfall_begins_before_pruning(folder: Path, pruned: Path, tiny_granite: Granite) -> None:
    analysis = analyse(folder)
    steps = {step.name: step.change for step in analysis.waterfall}
    whole, left = _bytes(tiny_granite()), _bytes(pruned)
    assert list(steps)[:2] == ["checkpoint before pruning", "pruned"]
    assert (steps["checkpoint before pruning"], steps["pruned"]) == (whole, left - whole)
    assert whole > left > 0
    assert {"quantized and packed", "entropy-coded"} <= set(steps)
    assert sum(steps.values()) == analysis.report.first_visit
    assert f"cut from {tiny_granite().name}" in render(analysis, "html")


def test_both_documents_tell_of_it(folder: Path, tiny_granite: Granite, tmp_path: Path) -> None:
    """The whole one in the place of report.json is read as well."""
    short, whole = json.loads((folder / "report.json").read_text()), render(analyse(folder), "json")
    for document in (short, json.loads(whole)):
        assert list(problems(document, SCHEMA, SCHEMA)) == []
        assert document["pruned_from"]["name"] == tiny_granite().name
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "report.json").write_text(whole)
    assert analyse(copy).waterfall[0] == analyse(folder).waterfall[0]


def test_a_dry_run_foretells_how_long_the_report_is(pruned: Path, artifact: Callable[..., Path]) -> None:
    made = artifact(pruned, quantize="q4", context=512)
    given = ExportOptions(str(pruned), made, quantize="q4", context=512)
    foretold = predict(given, Progress(quiet=True)).sizes["report.json"]
    assert "pruned_from" in json.loads((made / "report.json").read_text())
    assert foretold == (made / "report.json").stat().st_size


def test_what_is_pruned_twice_was_cut_from_the_first(
    pruned: Path, tiny_granite: Granite, tmp_path: Path
) -> None:
    twice = _pruned(pruned, tmp_path / "twice", "mlp=50%", pruned.parent / "texts.txt")
    first = open_checkpoint(str(tiny_granite())).as_origin()
    assert Checkpoint(twice, "twice").origin == first
    assert _bytes(twice) < _bytes(pruned)


def test_another_type_is_a_step_of_its_own(folder: Path, tmp_path: Path) -> None:
    """As where a student of bfloat16 is saved in float32; a few values of another type are no such step."""
    assert PrunedFrom("whole", 2000, 1000, 2002, 500).left == 1000
    assert PrunedFrom("whole", 2010, 1000, 1008, 500).left == 1008
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    report = json.loads((copy / "report.json").read_text())
    made = report["pruned_from"]
    made["bytes"] //= 2
    (copy / "report.json").write_text(json.dumps(report))
    analysis = analyse(copy)
    steps = {step.name: step.change for step in analysis.waterfall}
    assert steps["saved in another type"] == pytest.approx(made["checkpoint_bytes"] / 2, abs=1)
    assert sum(steps.values()) == analysis.report.first_visit


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": "a\u001b[31m"}, r"pruned_from\.name"),
        ({"bytes": 0}, r"pruned_from\.bytes"),
        ({"values": "many"}, r"pruned_from\.values"),
        ({"checkpoint_values": -1}, r"pruned_from\.checkpoint_values"),
        ({"more": 1}, r"pruned_from\.more"),
    ],
)
def test_a_hostile_report_is_refused_by_the_field(
    folder: Path, tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    document = json.loads((copy / "report.json").read_text())
    document["pruned_from"] |= change
    (copy / "report.json").write_text(json.dumps(document))
    with pytest.raises(ArtifactError, match=named):
        analyse(copy)


def test_without_tensors_of_its_own_the_waterfall_begins_elsewhere(folder: Path, tmp_path: Path) -> None:
    """As of a graph that somebody else made of a pruned checkpoint, which is not there."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    document = json.loads((copy / "report.json").read_text())
    document["pruned_from"] |= {"checkpoint_bytes": 0, "checkpoint_values": 0}
    (copy / "report.json").write_text(json.dumps(document))
    assert analyse(copy).waterfall[0].name.startswith("as float32")


def test_an_export_of_what_nobody_pruned_says_nothing(
    tiny_granite: Granite, artifact: Callable[..., Path]
) -> None:
    made = artifact(tiny_granite(), quantize="q8", context=512)
    assert "pruned_from" not in json.loads((made / "report.json").read_text())
    assert analyse(made).pruned_from is None
    assert asdict(open_checkpoint(str(tiny_granite())).as_origin())["name"] == tiny_granite().name
