"""The forms of the report: JSON by its schema, Markdown, the badge, and two builds compared to the byte."""

import json
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file, save_file

from exporter.__main__ import main
from exporter.artifact import read_manifest
from exporter.report import Analysis, analyse, measure_artifact, render
from exporter.report.attribution import ROLES
from exporter.report.forms.words import ROLE_WORDS, duration, short_name, signed
from exporter.report.networks import NETWORKS, Trip, seconds
from tests.architecture.tree import ROOT
from tests.exporter.json_schema import problems

Make = Callable[..., Path]
SCHEMA: dict[str, Any] = json.loads((ROOT / "exporter/report/report.schema.json").read_text())
CHANGED = "model.layers.1.shared_mlp.output_linear.weight"


@pytest.fixture(scope="module")
def checkpoint(tiny_granite: Make) -> Path:
    return tiny_granite()


@pytest.fixture(scope="module")
def before(checkpoint: Path, artifact: Make) -> Path:
    return artifact(checkpoint, quantize="f32", context=512, shard_size=40_000)


@pytest.fixture(scope="module")
def after(checkpoint: Path, artifact: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model with one matrix changed, which has a shard of its own with a few others."""
    folder = Path(shutil.copytree(checkpoint, tmp_path_factory.mktemp("changed") / "checkpoint"))
    weights = load_file(folder / "model.safetensors")
    weights[CHANGED] = weights[CHANGED] + np.float32(0.5)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return artifact(folder, quantize="f32", context=512, shard_size=40_000)


@pytest.fixture(scope="module")
def changed(before: Path, after: Path) -> Analysis:
    return analyse(after, previous=before)


def test_json_is_as_its_schema_says(changed: Analysis, after: Path) -> None:
    for document in (json.loads(render(changed, "json")), json.loads((after / "report.json").read_text())):
        assert list(problems(document, SCHEMA, SCHEMA)) == []


def test_the_schema_refuses_what_is_no_report(changed: Analysis) -> None:
    document = json.loads(render(changed, "json"))
    for key, value in (("first_visit", -1), ("name", None), ("files", [{}]), ("extra", 1), ("version", 2)):
        assert list(problems(document | {key: value}, SCHEMA, SCHEMA)), key
    assert tuple(SCHEMA["$defs"]["role"]["enum"]) == ROLES
    assert tuple(ROLE_WORDS) == ROLES


def test_json_sums_to_the_byte(changed: Analysis, after: Path) -> None:
    document = json.loads(render(changed, "json"))
    found = document["attribution"]
    held = sum(path.stat().st_size for path in after.iterdir())
    of_site = sum(piece["bytes"] for piece in found["pieces"] if piece["role"] in ("engine", "page"))
    assert found["folder_bytes"] == held
    for name, shares in found.items():
        if name.startswith("by_"):
            assert sum(share["bytes"] for share in shares) == held + of_site, name
            assert sum(share["travels"] for share in shares) == document["first_visit"], name


def test_a_changed_layer_is_all_that_an_update_fetches(changed: Analysis, before: Path, after: Path) -> None:
    difference = changed.difference
    assert difference is not None
    assert difference.changed_weights == [CHANGED]
    graph = onnx.load(after / "model.onnx", load_external_data=False).graph
    places = {t.name: {e.key: e.value for e in t.external_data} for t in graph.initializer}
    shards = {name for name in difference.fetched if name.endswith(".bin")}
    assert shards == {places[CHANGED]["location"]}
    # A plan names shards by their place in the manifest, so only the manifest changes beside the shard.
    assert set(difference.fetched) == {*shards, "manifest.json"}
    size = next(shard.bytes for shard in read_manifest(after).shards if shard.file in shards)
    assert size < difference.update < size + 5000
    update = next(situation for situation in changed.situations if situation.name == "update")
    assert update.trips["base"].travels == difference.update


def test_a_build_compared_with_itself_has_not_changed(
    before: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(before), "--diff", str(before), "--format", "markdown"]) == 0
    assert "fetches nothing" in capsys.readouterr().out
    difference = analyse(before, previous=before).difference
    assert difference is not None
    assert (difference.movers, difference.changed_weights, difference.update) == ([], [], 0)


def test_two_schemes_differ_by_the_sum_of_all_movers(tiny_granite: Make, artifact: Make) -> None:
    q8, q4 = (artifact(tiny_granite(), quantize=scheme, context=512) for scheme in ("q8", "q4"))
    difference = analyse(q4, previous=q8).difference
    assert difference is not None
    sizes = [sum(path.stat().st_size for path in folder.iterdir()) for folder in (q8, q4)]
    assert sum(mover.bytes for mover in difference.movers) == sizes[1] - sizes[0]
    assert sum(mover.travels for mover in difference.movers) == difference.new_visit - difference.old_visit
    assert difference.movers[0].name == "model.embed_tokens.weight"
    assert difference.movers[0].travels < 0


def test_the_difference_is_told_in_every_form(changed: Analysis) -> None:
    assert changed.difference is not None
    update = f"{changed.difference.update:,} bytes"
    for form in ("table", "markdown", "html"):
        told = render(changed, form)
        assert update in told, form
        assert f"{changed.difference.new_visit:,} bytes" in told or form == "html"


def test_the_badge_is_a_picture_with_words(changed: Analysis) -> None:
    root = ElementTree.fromstring(render(changed, "badge"))
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "first visit"
    assert str(texts[1]).endswith("kB")
    assert str(texts[1]) in root.attrib["aria-label"]


def test_an_adapter_costs_its_shard_plan_and_code(
    checkpoint: Path, before: Path, adapters: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peft = adapters(checkpoint, ["in_proj", "out_proj"])
    assert main(["adapter", str(before), str(peft), "-o", str(tmp_path / "poet")]) == 0
    found = {s.name: s for s in analyse(before, adapter=tmp_path / "poet").situations}
    shard = sum(path.stat().st_size for path in (tmp_path / "poet").glob("*.bin"))
    assert shard < found["adapter only"].trips["base"].travels < shard + 40_000
    assert main(["report", str(before), "--adapter", str(tmp_path)]) == 2
    assert "thistledown adapter" in capsys.readouterr().err
    manifest = json.loads((tmp_path / "poet" / "manifest.json").read_bytes())
    del manifest["plans"]["f16"]
    (tmp_path / "poet" / "manifest.json").write_text(json.dumps(manifest))
    assert main(["report", str(before), "--adapter", str(tmp_path / "poet")]) == 2
    assert 'no plan for tier "f16"' in capsys.readouterr().err


def test_each_situation_has_each_tier(changed: Analysis, after: Path) -> None:
    for situation in changed.situations:
        assert set(situation.trips) == {"base", "subgroups", "f16"}
    trips = {situation.name: situation.trips for situation in changed.situations}
    assert trips["first visit"]["base"].travels == changed.report.first_visit
    assert trips["first visit"]["f16"].travels == measure_artifact(after, "f16").first_visit
    assert trips["repeat visit"]["base"].travels == 0
    assert len(set(trips["without WebGPU"].values())) == 1


def test_six_networks_have_names_rates_and_sources() -> None:
    assert len({network.name for network in NETWORKS}) == len(NETWORKS) >= 6
    assert all(network.source for network in NETWORKS)
    rates = [network.bits_per_second for network in NETWORKS]
    assert rates == sorted(rates)
    assert seconds(Trip(50_000, 2), NETWORKS[0]) == pytest.approx(1 + 4)


def test_words_for_people() -> None:
    assert [duration(s) for s in (0.04, 9.9, 59.4, 61, 3599, 3660)] == [
        *("0.0 s", "9.9 s", "59 s", "1 min 1 s", "59 min 59 s", "1 h 1 min"),
    ]
    assert [signed(n) for n in (1024, -1024, 0)] == ["+1,024", "−1,024", "0"]
    assert short_name("a" * 64 + ".bin") == "aaaaaaaaaaaa….bin"
    assert short_name("a.q+a.k+a.v") == "a.q (and 2 more)"
