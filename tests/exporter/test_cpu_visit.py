"""What a visit without WebGPU is said to fetch: with a runtime to serve, without one, and with a damaged one."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.artifact import read_manifest
from exporter.errors import ArtifactError
from exporter.report import measure_artifact, measure_export, situations_of
from exporter.report.networks import Trip
from exporter.sizes import parse_size
from scripts.provide_runtime import BINARY, MODULES, write
from tests.architecture.tree import ROOT

FILES = {**{name: name.encode() * 300 for name in MODULES}, BINARY: bytes(range(256)) * 9}


@pytest.fixture(scope="module")
def folder(tiny_granite: Callable[..., Path], artifact: Callable[..., Path]) -> Path:
    return artifact(tiny_granite(), quantize="q8", context=512)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A runtime of a few bytes."""
    write(FILES, tmp_path / "runtime")
    return tmp_path / "runtime"


def _without_webgpu(folder: Path, runtime: Path) -> tuple[str, Trip]:
    found = situations_of(folder, measure_artifact(folder), None, None, runtime=runtime)
    (said,) = (situation for situation in found if situation.name == "without WebGPU")
    return said.note, said.trips["base"]


def test_the_model_travels_with_its_graph_in_the_place_of_a_plan(folder: Path, tmp_path: Path) -> None:
    report, manifest = measure_artifact(folder), read_manifest(folder)
    travels = {file.file: file.travels for file in report.files}
    note, trip = _without_webgpu(folder, tmp_path / "none")
    least = travels["model.onnx"] + sum(shard.bytes for shard in manifest.shards) + travels["manifest.json"]
    assert least < trip.travels < least + 150_000
    assert "not counted" in note
    assert "scripts.provide_runtime" in note


def test_the_runtime_is_counted_as_it_travels(folder: Path, small: Path, tmp_path: Path) -> None:
    (small / "notes.mjs").write_text("nobody asks for this")
    note, whole = _without_webgpu(folder, small)
    _, rest = _without_webgpu(folder, tmp_path / "none")
    raw = {path.name: path.stat().st_size for path in small.iterdir()}
    binary = next(size for name, size in raw.items() if name.endswith(".bin"))
    assert binary < whole.travels - rest.travels < sum(raw.values())
    assert whole.requests - rest.requests == 4
    assert f"{whole.travels - rest.travels:,} bytes of it onnxruntime-web" in note


def test_readme_says_what_it_costs(artifact: Callable[..., Path], runtime: Path) -> None:
    """MiniLM in q8, with the runtime that is shipped."""
    words = (ROOT / "README.md").read_text(encoding="utf-8")
    said = re.search(r"MiniLM in q8 takes (\d+\.\d) MB in the place of\s+(\d+\.\d)", words)
    assert said
    made = artifact("minilm", quantize="q8", context=512)
    _, trip = _without_webgpu(made, runtime)
    assert parse_size(f"{said[1]}MB") == pytest.approx(trip.travels, rel=0.003)
    assert parse_size(f"{said[2]}MB") == pytest.approx(measure_export(made).first_visit, rel=0.003)


def _without_a_name(runtime: Path) -> None:
    described = json.loads((runtime / "runtime.json").read_text())
    del described["name"]
    (runtime / "runtime.json").write_text(json.dumps(described))


def _from_elsewhere(runtime: Path) -> None:
    described = json.loads((runtime / "runtime.json").read_text())
    described["modules"][0]["file"] = "../secret.mjs"
    (runtime / "runtime.json").write_text(json.dumps(described))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no description": lambda runtime: (runtime / "runtime.json").unlink(),
    "no JSON": lambda runtime: (runtime / "runtime.json").write_text("{"),
    "another format": lambda runtime: (runtime / "runtime.json").write_text('{"format":"x"}'),
    "a field is missing": _without_a_name,
    "a file from elsewhere": _from_elsewhere,
    "a file is missing": lambda runtime: next(runtime.glob("*.bin")).unlink(),
    "a file of another size": lambda runtime: next(iter(runtime.glob("ort*.mjs"))).write_text("short"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_runtime_is_refused_with_the_remedy(folder: Path, small: Path, damage: str) -> None:
    DAMAGES[damage](small)
    with pytest.raises(ArtifactError, match="runtime") as refused:
        _without_webgpu(folder, small)
    assert "scripts.provide_runtime" in refused.value.remedy
