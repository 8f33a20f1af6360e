"""Other schemes beside the one that was exported: their bytes come true, their quality is that of their weights."""

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exporter.__main__ import main
from exporter.alternatives import alternatives_to, options_for, parse_schemes
from exporter.artifact import check_files, gpu_memory, read_manifest
from exporter.calibration import Distances, FloatGraph, StoredGraph, read_texts, round_trip, tokens_of
from exporter.calibration.damage import Yardstick
from exporter.checkpoints import open_checkpoint
from exporter.errors import ArtifactError, SchemeError
from exporter.export_options import ExportOptions
from exporter.models import architecture
from exporter.pipeline import export, predict
from exporter.progress import Progress
from exporter.quantization import mixture
from exporter.report import Alternative, WhatIf, analyse, measure_artifact, render
from exporter.sizes import human, parse_size
from tests.architecture.tree import ROOT
from tests.exporter.json_schema import problems

Make = Callable[..., Path]
SCHEMA: dict[str, Any] = json.loads((ROOT / "exporter/report/report.schema.json").read_text())
QUIET = Progress(quiet=True)
ROW = re.compile(r"^\| ([\w.-]+(?: coded)?) \| ([\d.]+ MB) \| ([\d.]+ MB) \| ([\d.]+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def checkpoint(tiny_granite: Make) -> Path:
    return tiny_granite()


@pytest.fixture(scope="module")
def folder(checkpoint: Path, artifact: Make) -> Path:
    return artifact(checkpoint, quantize="q4", context=512)


@pytest.fixture(scope="module")
def found(folder: Path, checkpoint: Path) -> WhatIf:
    names = parse_schemes("q8, q4, q4 coded, e4")
    return alternatives_to(folder, str(checkpoint), names, export, QUIET)


@pytest.fixture(scope="module")
def told(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that tells of other schemes."""
    made = tmp_path_factory.mktemp("told") / "granite"
    words = ["export", str(checkpoint), "-o", str(made), "--quantize", "q8", "--context", "512"]
    assert main([*words, "--what-if", "--schemes", "q8"]) == 0
    return made


def _named(found: WhatIf) -> dict[str, Alternative]:
    return {each.name: each for each in found.alternatives}


def test_bytes_are_those_of_a_real_export(
    found: WhatIf, folder: Path, checkpoint: Path, tmp_path: Path
) -> None:
    """To the byte: the artifact's own scheme, and another one, exported under the same name."""
    assert _named(found)["q4"].first_visit == measure_artifact(folder).first_visit
    other = ExportOptions(str(checkpoint), tmp_path / folder.name, quantize="e4", context=512)
    export(other, QUIET)
    report = measure_artifact(tmp_path / folder.name)
    e4 = _named(found)["e4"]
    assert (e4.first_visit, e4.weights) == (report.first_visit, report.totals["weights"]["travels"])
    manifest = read_manifest(tmp_path / folder.name)
    assert e4.memory == {tier: gpu_memory(manifest, tier)["total"] for tier in manifest.plans}


def test_the_quality_is_what_rounding_the_weights_does(found: WhatIf, checkpoint: Path) -> None:
    """The exported graphs against the float graph with weights rounded in memory."""
    opened = open_checkpoint(str(checkpoint))
    built = architecture(opened.config).build(opened.config, opened, 512)
    graph = FloatGraph(built.model)
    yardstick = Yardstick(graph, tokens_of(read_texts(), opened.tokenizer()["tokenizer.json"], 512))
    for scheme in ("q8", "q4"):
        recipes = mixture(scheme, graph.facts)
        rounded = {
            fact.name: round_trip(fact, graph.weights[fact.name], recipes[fact.name]) for fact in graph.facts
        }
        assert _named(found)[scheme].distance == pytest.approx(yardstick.damage(rounded), rel=0.01), scheme
    assert _named(found)["q8"].distance < _named(found)["q4"].distance
    assert (found.distance, found.texts) == ("KL", yardstick.texts)


def test_coding_changes_bytes_and_no_answer(found: WhatIf) -> None:
    plain, coded = _named(found)["q4"], _named(found)["q4 coded"]
    assert coded.first_visit < plain.first_visit
    assert (coded.distance, coded.memory) == (plain.distance, plain.memory)
    assert coded.coded
    assert not plain.coded


def test_every_form_tells_of_them(folder: Path, found: WhatIf) -> None:
    analysis = analyse(folder, what_if=found)
    document = json.loads(render(analysis, "json"))
    assert list(problems(document, SCHEMA, SCHEMA)) == []
    assert {each["name"] for each in document["what_if"]["alternatives"]} == set(_named(found))
    for form in ("table", "markdown", "html"):
        words = render(analysis, form)
        for each in found.alternatives:
            assert f"{each.first_visit:,}" in words, form
    row = next(line for line in render(analysis, "markdown").splitlines() if line.startswith("| q4 |"))
    assert "this one" in row
    assert len(render(analysis, "html").encode()) < 200_000


def test_the_schema_refuses_other_what_ifs(folder: Path, found: WhatIf) -> None:
    document = json.loads(render(analyse(folder, what_if=found), "json"))
    for change in ({"distance": "taste"}, {"texts": -1}, {"alternatives": [{}]}, {"more": 1}):
        assert list(problems(document | {"what_if": document["what_if"] | change}, SCHEMA, SCHEMA)), change


def test_the_command_measures_and_leaves_the_artifact_alone(
    folder: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(["report", str(folder), "--what-if", str(checkpoint), "--schemes", "q2"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^q2 +[\d,]+ +[\d,]+ +\S+ +best for its bytes$", out, re.MULTILINE)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_export_keeps_what_it_measured(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In report.json, from which every report has it, and in the model card; the bytes of its own row are its own."""
    check_files(told)
    document = json.loads((told / "report.json").read_text())
    assert list(problems(document, SCHEMA, SCHEMA)) == []
    own = next(each for each in document["what_if"]["alternatives"] if each["name"] == "q8")
    assert own["first_visit"] == document["first_visit"] == measure_artifact(told).first_visit
    assert main(["report", str(told)]) == 0
    assert re.search(r"^q8 .* this one", capsys.readouterr().out, re.MULTILINE)
    card = (told / "README.md").read_text()
    assert f"| q8 | {human(own['first_visit'])} | {human(own['memory']['base'])} | " in card


def test_a_plain_export_tells_of_no_others(folder: Path) -> None:
    assert "what_if" not in json.loads((folder / "report.json").read_text())
    assert "other schemes" not in (folder / "README.md").read_text()
    assert analyse(folder).what_if is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"what_if": []}, "what_if is no object"),
        ({"what_if": {}}, "what_if.alternatives is missing"),
        ({"first": {"name": " "}}, r"alternatives\.0\.name"),
        ({"first": {"first_visit": 0}}, r"alternatives\.0\.first_visit"),
        ({"all": []}, "what_if.alternatives has none"),
        ({"first": {"name": "a\u001b[31m"}}, r"alternatives\.0\.name"),
        ({"first": {"distance": 1e999}}, "report.json"),
        ({"first": {"first_visit": -1}}, r"alternatives\.0\.first_visit"),
        ({"first": {"memory": {"base": "much"}}}, r"alternatives\.0\.memory\.base"),
    ],
)
def test_a_hostile_report_is_refused_by_the_field(
    told: Path, tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    copy = Path(shutil.copytree(told, tmp_path / "copy"))
    document = json.loads((copy / "report.json").read_text())
    document["what_if"]["alternatives"][0] |= change.pop("first", {})
    document["what_if"]["alternatives"] = change.pop("all", document["what_if"]["alternatives"])
    (copy / "report.json").write_text(json.dumps(document | change))
    with pytest.raises(ArtifactError, match=named):
        analyse(copy)


@pytest.mark.parametrize("text", ["q5", "q4 fast", "auto", "auto much", "auto -1", "q4,,q8", "", "q4-coded"])
def test_a_scheme_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SchemeError):
        parse_schemes(text)


def test_schemes_are_those_that_export_takes() -> None:
    given = ExportOptions("minilm", Path("x"), quantize="q8", budget=10**6, code_weights=True)
    auto = options_for(given, "auto 0.01")
    assert (auto.quantize, auto.target_kl, auto.budget, auto.code_weights) == ("auto", 0.01, None, False)
    assert options_for(given, "q4 coded").code_weights
    assert parse_schemes(" q4 ,q4  coded,q4") == ["q4", "q4 coded"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["report", "DIR", "--schemes", "q4"], "--schemes"),
        (["report", "DIR", "--what-if", "OTHER", "--schemes", "q4"], "exported from"),
        (["report", "DIR", "--what-if", "SOURCE", "--schemes", "q5"], "q5"),
        (["export", "SOURCE", "--dry-run", "--what-if"], "--what-if"),
        (["export", "SOURCE", "-o", "DIR", "--what-if"], "not empty"),
        (["export", "SOURCE", "-o", f"{__file__}/x", "--what-if"], "is no folder"),
    ],
)
def test_what_cannot_be_tried_is_said_at_once(
    folder: Path, tiny_granite: Make, words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"DIR": folder, "SOURCE": tiny_granite(), "OTHER": tiny_granite(tied=False)}
    assert main([str(places.get(word, word)) for word in words]) == 2
    assert named in capsys.readouterr().err


def test_the_best_are_those_that_none_beats() -> None:
    chance = random.Random(7)
    for _ in range(50):
        made = [
            Alternative(str(i), False, chance.randrange(9), 0, {}, float(chance.randrange(9)))
            for i in range(12)
        ]
        best = WhatIf("KL", 1, 1, None, None, made).best
        for each in made:
            beaten = any(
                (a.first_visit, a.distance) != (each.first_visit, each.distance)
                and a.first_visit <= each.first_visit
                and a.distance <= each.distance
                for a in made
            )
            alike = any((a.first_visit, a.distance) == (each.first_visit, each.distance) for a in best)
            assert alike != beaten


def test_the_waterfall_ends_at_the_first_visit(folder: Path, found: WhatIf, checkpoint: Path) -> None:
    """The tied table of the tiny model is read twice and stored once, in the checkpoint as well."""
    config = json.loads((checkpoint / "config.json").read_text())
    table = 4 * config["vocab_size"] * config["hidden_size"]
    plain, traced = analyse(folder), analyse(folder, what_if=found)
    for analysis in (plain, traced):
        assert sum(step.change for step in analysis.waterfall) == analysis.report.first_visit
        assert json.loads(render(analysis, "json"))["waterfall"][0]["change"] > 0
    steps = {step.name: step.change for step in plain.waterfall}
    assert steps["shared tensors stored once"] == -table
    parameters = plain.report.parameters
    assert steps["as float32, wherever it is read"] == 4 * parameters + table
    held = sum(info.bytes for info in open_checkpoint(str(checkpoint)).tensors.values())
    assert {step.name: step.change for step in traced.waterfall}["checkpoint"] == held


def test_readme_says_what_is_measured(artifact: Make, minilm_checkpoint: Path) -> None:
    """Bytes and GPU memory of three schemes, by a dry run, and the quality of two, for MiniLM."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("<!-- what if -->")[2].partition("<!-- end of what if -->")[0]
    rows = {name: (visit, memory, float(cosine)) for name, visit, memory, cosine in ROW.findall(table)}
    for name in ("q8", "q4-mixed", "q2"):
        foretold = predict(ExportOptions("minilm", Path("minilm"), quantize=name), QUIET)
        visit, memory, _ = rows[name]
        assert parse_size(visit) == pytest.approx(foretold.report.first_visit, rel=0.01), name
        assert parse_size(memory) == pytest.approx(gpu_memory(foretold.manifest, "base")["total"], rel=0.01)
    exact, q8, q4 = (
        StoredGraph(artifact("minilm", quantize=name, context=512)) for name in ("f32", "q8", "q4")
    )
    texts = tokens_of(read_texts(), minilm_checkpoint / "tokenizer.json", 256)
    distances = Distances(exact, texts)
    assert rows["q8"][2] == pytest.approx(1 - distances.of(q8), abs=1e-4)
    assert rows["q4"][2] == pytest.approx(1 - distances.of(q4), abs=1e-3)
