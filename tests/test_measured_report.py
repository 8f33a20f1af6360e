"""What `thistledown report --measure` says of what was measured, and what it refuses before it measures."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import measured_report
from bench.download import Measured, MeasuredPeer, Passed, Visit
from exporter.report import cpu_files, measure_export, read_runtime
from scripts.provide_runtime import BINARY, MODULES, write

PEER = MeasuredPeer(
    "transformers.js 1.2.3",
    "somebody's",
    Visit(
        {"/models/peer/onnx/m.onnx": 40_000, "/models/peer/tokenizer.json": 5_000, "/a.wasm": 2_000_000}, 1.0
    ),
    Visit({}, 1.0),
)


@pytest.fixture
def folder(tiny_encoder: Callable[[str], Path], artifact: Callable[..., Path]) -> Path:
    return artifact(tiny_encoder("bert-embeddings"), quantize="q8")


def _visit(folder: Path) -> Visit:
    sizes = {}
    for file in measure_export(folder).files:
        if file.visit:
            site, name = file.file.startswith("site/"), file.file.removeprefix("site/")
            sizes[f"/{name}" if site else f"/models/{folder.name}/{name}"] = file.travels
    return Visit(sizes, 1.0)


@pytest.fixture
def as_measured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Measured("base", _visit(folder), Visit({}, 1.0), Passed(9.5, 11.0), 0.4, "google swiftshader")
    monkeypatch.setattr(measured_report, "measure_visits", lambda *_: found)
    monkeypatch.setattr(measured_report, "measure_peer", lambda *_: PEER)


@pytest.mark.usefixtures("as_measured")
def test_both_stand_in_one_table_and_in_one_document(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "made" / "measured.json"
    words = [
        "--beside",
        "transformers.js",
        "--float",
        str(folder),
        "--network",
        "Fast 4G",
        "--measured",
        str(file),
    ]
    assert measured_report.main(["report", str(folder), *words]) == 0
    told = json.loads(file.read_text())
    sides = {row["name"]: (row["ours"], row["theirs"]) for row in told["peer"]["beside"]}
    assert sides["first visit"] == (sum(row["received"] for row in told["groups"]), 2_045_000)
    assert sides["engine and page"][1] == 2_000_000
    said = capsys.readouterr().out
    table = said.partition("Beside transformers.js 1.2.3")[2]
    ratio = sides["first visit"][0] / 2_045_000
    assert f"{ratio:.1%}" in next(line for line in table.splitlines() if line.startswith("first visit  "))
    first = {"device": "google swiftshader", "ready_seconds": 1.0, "answer_seconds": 0.4}
    assert told["first_result"] == first
    assert "0.4 s after the model was ready, 1.4 s into a first visit, on the GPU google swiftshader" in said
    network = told["network"]
    assert (network["name"], network["measured_seconds"]) == ("Fast 4G", {"line": 9.5, "machine": 11.0})
    assert f"{network['predicted_seconds']:.1f} s predicted, 9.5 s measured" in said


@pytest.mark.usefixtures("as_measured")
def test_a_byte_more_than_foretold_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    visit = _visit(folder)
    more = Visit({**visit.bodies, "/style.css": visit.bodies["/style.css"] + 1}, 1.0)
    found = Measured("base", more, Visit({}, 1.0), None)
    monkeypatch.setattr(measured_report, "measure_visits", lambda *_: found)
    assert measured_report.main(["report", str(folder), "--measure"]) == 1
    assert "differs  /style.css" in capsys.readouterr().out


@pytest.mark.parametrize("more", [0, 1])
def test_a_visit_on_the_cpu_is_held_to_the_report_with_its_runtime(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: int,
) -> None:
    write(
        {**dict.fromkeys(MODULES, b"export const one = 1;" * 40), BINARY: bytes(9000)}, tmp_path / "runtime"
    )
    runtime = read_runtime(tmp_path / "runtime")
    assert runtime is not None
    bodies = {
        f"/{name.removeprefix('site/')}" if "/" in name else f"/models/{folder.name}/{name}": size
        for name, size in cpu_files(folder, measure_export(folder), runtime).items()
    }
    bodies["/runtime/runtime.json"] += more
    found = Measured(None, Visit(bodies, 1.0), Visit({}, 1.0), None)
    monkeypatch.setattr(measured_report, "RUNTIME", tmp_path / "runtime")
    monkeypatch.setattr(measured_report, "measure_visits", lambda *_: found)
    assert measured_report.main(["report", str(folder), "--without-webgpu"]) == more
    said = capsys.readouterr().out.partition("Measured in Chromium, on the CPU")[2]
    assert re.search(rf"^runtime +{runtime.travels:,} +{runtime.travels + more:,} +0$", said, re.MULTILINE)
    assert ("differs  /runtime/runtime.json" in said) == bool(more)
    assert "No result was shown within two minutes, on the CPU." in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--without-webgpu"], "scripts.provide_runtime"),
        (["--without-webgpu", "--beside", "transformers.js", "--float", "."], "--beside"),
        (["--network", "5G"], "There are Slow 3G, Fast 3G, Slow 4G, Fast 4G"),
        (["--beside", "transformers.js"], "--quantize f32"),
        (["--measure", "--measured", "."], "cannot be written"),
    ],
)
def test_what_cannot_be_measured_is_told_at_once(
    folder: Path,
    words: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def never(*_: object) -> object:
        raise AssertionError("measured, though nothing can come of it")

    monkeypatch.setattr(measured_report, "measure_visits", never)
    monkeypatch.setattr(measured_report, "RUNTIME", folder / "none")
    assert measured_report.main(["report", str(folder), *words]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert not said.out
