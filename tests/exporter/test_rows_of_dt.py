"""Why in_proj is not cut in two to keep its dt rows in 8 bits: on tiny models that changes next to nothing."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from exporter.calibration import FloatGraph, round_trip
from exporter.calibration.damage import Yardstick
from exporter.checkpoints import open_checkpoint
from exporter.models import architecture
from exporter.quantization import Recipe, TensorFacts

CONTEXT, TEXTS, LENGTH = 64, 8, 40
HEADS = {
    "granite": "mamba_n_heads",
    "bamba-hybrid": "mamba_n_heads",
    "mamba2-four-groups-biased": "num_heads",
}


@pytest.mark.parametrize("name", HEADS)
def test_most_of_the_damage_of_4_bits_remains_when_the_dt_rows_have_8(
    name: str, tiny_granite: Callable[..., Path], tiny_model: Callable[[str], Path]
) -> None:
    opened = open_checkpoint(str(tiny_granite() if name == "granite" else tiny_model(name)))
    built = architecture(opened.config).build(opened.config, opened, CONTEXT)
    graph = FloatGraph(built.model)
    texts = np.random.default_rng(0).integers(0, built.vocabulary, (TEXTS, LENGTH)).tolist()
    yardstick = Yardstick(graph, texts)
    heads = int(opened.config[HEADS[name]])
    projections = [fact for fact in graph.facts if fact.role == "ssm_in"]

    def damage(make: Callable[[TensorFacts], np.ndarray]) -> float:
        rounded: Mapping[str, np.ndarray] = {fact.name: make(fact) for fact in projections}
        return yardstick.damage(rounded)

    def whole(scheme: str) -> Callable[[TensorFacts], np.ndarray]:
        return lambda fact: round_trip(fact, graph.weights[fact.name], Recipe(scheme))

    def cut(fact: TensorFacts) -> np.ndarray:
        return np.concatenate([whole("q4")(fact)[:-heads], whole("q8")(fact)[-heads:]])

    kl = {"4 bits": damage(whole("q4")), "dt rows 8": damage(cut), "8 bits": damage(whole("q8"))}
    print(name, {way: f"{value:.5f}" for way, value in kl.items()})
    assert projections
    assert kl["8 bits"] < 0.02 * kl["4 bits"]
    assert kl["dt rows 8"] > 0.9 * kl["4 bits"]
