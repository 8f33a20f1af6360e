"""When a first token, embedding or label is there: the report's prediction, from the download and the plan's work."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exporter.report import Analysis, analyse, render
from exporter.report.devices import DEVICES
from exporter.report.forms.words import duration
from exporter.report.networks import NETWORKS

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def writer(tiny_granite: Make, artifact: Make) -> Analysis:
    return analyse(artifact(tiny_granite(), quantize="q8", context=512))


@pytest.fixture(scope="module")
def embedder(tiny_encoder: Callable[[str], Path], artifact: Make) -> Analysis:
    return analyse(artifact(tiny_encoder("bert-embeddings"), quantize="q8"))


def _products(analysis: Analysis) -> int:
    """Parameters of the matrices that each token is multiplied with."""
    weights = (each for each in analysis.weights if each.scheme == "q8")
    return sum(each.parameters for each in weights if each.role not in ("embedding", "head"))


def test_operations_are_two_for_each_parameter_and_token(embedder: Analysis, writer: Analysis) -> None:
    found = embedder.first_result
    assert (found.what, found.tokens) == ("embedding", 128)
    assert {work.flop for work in found.work.values()} == {2 * 128 * _products(embedder)}
    # The head is for the last token only, and reads the table of embeddings.
    table = next(each for each in writer.weights if each.role in ("embedding", "head"))
    assert writer.first_result.what == "token"
    assert writer.first_result.work["base"].flop == 2 * (128 * _products(writer) + table.parameters)


def test_every_time_can_be_worked_out_from_the_document(writer: Analysis) -> None:
    document: dict[str, Any] = json.loads(render(writer, "json"))
    visit = next(each for each in document["situations"] if each["name"] == "first visit")
    devices = {device["name"]: device for device in document["devices"]}
    assert document["first_result"]["tiers"].keys() == visit["tiers"].keys()
    for tier, work in document["first_result"]["tiers"].items():
        downloads = visit["tiers"][tier]["predicted_seconds"]
        assert len(downloads) >= 6
        for name, times in work["predicted_seconds"].items():
            device = devices[name]
            compiling = work["pipelines"] * device["compile_seconds"]
            answer = work["dispatches"] * device["dispatch_seconds"]
            answer += work["bytes"] / device["bytes_per_second"] + work["flop"] / device["flop_per_second"]
            for network, seconds in times.items():
                assert seconds == pytest.approx(max(downloads[network], compiling) + answer, abs=0.011)


def test_a_better_device_answers_sooner_and_none_before_the_download(writer: Analysis) -> None:
    times = writer.first_result.seconds["base"]
    downloads = writer.situations[0].seconds("base")
    for network in NETWORKS:
        of_devices = [times[device.name][network.name] for device in DEVICES]
        assert of_devices == sorted(of_devices, reverse=True)
        assert min(of_devices) > downloads[network.name]
    # A canary is played before: what it reads is read twice.
    assert writer.first_result.work["base"].bytes > writer.report.totals["weights"]["raw"]


@pytest.mark.parametrize("form", ["table", "markdown", "html"])
def test_each_form_tells_the_times_and_that_devices_are_assumed(writer: Analysis, form: str) -> None:
    told = render(writer, form)
    assert "first token" in told
    assert "No device was timed" in told
    times = writer.first_result.seconds["base"]
    for device in DEVICES:
        assert device.source in told
        assert duration(times[device.name]["fibre"]) in told
