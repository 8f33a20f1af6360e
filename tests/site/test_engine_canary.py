"""A known answer after each load: a GPU that computes wrong is refused, and one that is right is not."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import (
    HEAD,
    PIECES,
    A,
    Artifact,
    B,
    C,
    embedding_artifact,
    expected_embedding,
    generation_artifact,
    mix_of,
)
from tests.site.engine_server import EngineServer
from tests.site.engine_session import folder_files

pytestmark = pytest.mark.browser

Make = Callable[..., Path]
Json = dict[str, Any]
IDS = [A, B, C, A, B]
SCRIPT = [0, 0, 0, C, A, B]
LOAD = """
  const model = await engine.load(args.url);
  const { canaryMs } = model.stats();
  await model.unload();
  return canaryMs;
"""


def canary(ids: Sequence[int], *rows: Sequence[float]) -> Json:
    """As FORMAT.md has it, written apart from the exporter's."""
    exponent = math.frexp(max(abs(value) for row in rows for value in row))[1]
    found = []
    for row in rows:
        best = sorted(np.argsort(np.negative(row), kind="stable")[:8].tolist())
        found.append([[index, round(row[index] * 2 ** (10 - exponent))] for index in best])
    return {"ids": list(ids), "exponent": exponent, "rows": found}


def logits(ids: Sequence[int]) -> list[float]:
    said = SCRIPT[min(len(ids), len(SCRIPT)) - 1]
    return [mix_of(ids) + (1000.0 if token == said else 0.0) for token in range(len(PIECES))]


def generator() -> Artifact:
    artifact = generation_artifact(SCRIPT)
    artifact.manifest["canary"] = canary(IDS, logits(IDS[:-1]), logits(IDS))
    return artifact


def embedder() -> Artifact:
    artifact = embedding_artifact()
    artifact.manifest["canary"] = canary([4, 5, 6], expected_embedding([4, 5, 6]).tolist())
    return artifact


def off_by(row: int, value: int, more: int) -> Callable[[Artifact], None]:
    def change(artifact: Artifact) -> None:
        artifact.manifest["canary"]["rows"][row][value][1] += more

    return change


def shader(name: str, old: str, new: str) -> Callable[[Artifact], None]:
    def change(artifact: Artifact) -> None:
        assert old in artifact.plan["shaders"][name]
        artifact.plan["shaders"][name] = artifact.plan["shaders"][name].replace(old, new)

    return change


def wrong_decode(artifact: Artifact) -> None:
    """Only what `decode` plays computes wrong, as one kernel of many may."""
    plan = artifact.plan
    plan["shaders"]["bad"] = HEAD.replace("f32(mix[0])", "f32(mix[0] / 2u)")
    plan["kernels"].append({"shader": "bad", "constants": {"vocabulary": len(PIECES)}})
    plan["phases"]["decode"][-1] = {**plan["phases"]["decode"][-1], "kernel": len(plan["kernels"]) - 1}


def sampler_of_the_last(artifact: Artifact) -> None:
    shader("sample", "logits[v] > logits[best]", "logits[v] < logits[best]")(artifact)


WRONG: dict[str, tuple[Callable[[], Artifact], Callable[[Artifact], None]]] = {
    "generator, other answer": (generator, off_by(0, 3, 17)),
    "generator, other answer after a token": (generator, off_by(1, 0, -17)),
    "generator, wrong states": (generator, shader("consume", "% 997u", "% 499u")),
    "generator, wrong decode": (generator, wrong_decode),
    "generator, wrong sampler": (generator, sampler_of_the_last),
    "generator, not a number": (generator, shader("head", "f32(mix[0])", "sqrt(-f32(mix[0]))")),
    "embedder, other answer": (embedder, off_by(0, 2, 17)),
    "embedder, wrong sum": (embedder, shader("pool", "t = first", "t = first + 1u")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_gpu_that_computes_wrong_is_refused(
    engine_page: EnginePage, engine_server: EngineServer, name: str
) -> None:
    make, spoil = WRONG[name]
    artifact = make()
    spoil(artifact)
    error = engine_page.fails(LOAD, url=engine_server.add("tiny", artifact.files()))
    assert error["code"] == "WRONG_RESULTS"
    assert "driver" in error["message"]


@pytest.mark.parametrize("make", [generator, embedder])
def test_a_gpu_that_is_well_is_asked_and_taken(
    engine_page: EnginePage, engine_server: EngineServer, make: Callable[[], Artifact]
) -> None:
    """Differences below the tolerance, a 64th of the largest power of two, are as good as none."""
    artifact = make()
    assert engine_page.run(LOAD, url=engine_server.add("one", artifact.files())) > 0
    off_by(0, 1, 14)(artifact)
    assert engine_page.run(LOAD, url=engine_server.add("near", artifact.files())) > 0
    del artifact.manifest["canary"]
    assert engine_page.run(LOAD, url=engine_server.add("none", artifact.files())) == 0


def test_the_known_answer_leaves_nothing_behind(engine_page: EnginePage, engine_server: EngineServer) -> None:
    body = """
      const model = await engine.load(args.url);
      const ids = [];
      for await (const { id } of model.generate('abca', { maxTokens: 3 })) ids.push(id);
      const { reusedTokens } = model.stats().generation;
      const row = [...await model.logits([2, 3])];
      await model.unload();
      return [ids, reusedTokens, row];
    """
    url = engine_server.add("tiny", generator().files())
    assert engine_page.run(body, url=url) == [[C, A, B], 0, logits([A, B])]


@pytest.mark.parametrize("encoder", ["bert-classes", "bert-words", "distilbert-masked", "granite", "minilm"])
def test_what_onnxruntime_answers_a_right_gpu_answers(
    encoder: str,
    engine_page: EnginePage,
    engine_server: EngineServer,
    tiny_granite: Make,
    tiny_encoder: Make,
    artifact: Make,
) -> None:
    source = {"granite": tiny_granite, "minilm": lambda: "minilm"}.get(
        encoder, lambda: tiny_encoder(encoder)
    )()
    folder = artifact(source, quantize="q4", **({"context": 512} if encoder == "granite" else {}))
    assert engine_page.run(LOAD, url=engine_server.add("real", folder_files(folder))) > 0


def test_a_hostile_canary_is_refused(engine_page: EnginePage) -> None:
    body = """
      const { readManifest } = await import('/engine/manifest.js');
      return args.cases.map((manifest) => {
        try { return readManifest(manifest, 'here').canary; } catch (error) { return error.code; }
      });
    """
    good = generator().manifest["canary"]
    row = good["rows"][0]
    bad: list[object] = [
        [], 7, {}, {**good, "ids": []}, {**good, "ids": [1]}, {**good, "ids": [0, len(PIECES)]},
        {**good, "ids": [1] * 33}, {**good, "ids": [0.5, 1]}, {**good, "exponent": 127}, {**good, "exponent": 1e9},
        {**good, "exponent": None}, {**good, "rows": []}, {**good, "rows": [row]}, {**good, "rows": [row, row, row]},
        {**good, "rows": [row, []]}, {**good, "rows": [row, [[0, 0]] * 65]}, {**good, "rows": [row, [[0]]]},
        {**good, "rows": [row, [[len(PIECES), 0]]]}, {**good, "rows": [row, [[0, 1025]]]},
        {**good, "rows": [row, [[0, 1e308]]]}, {**good, "rows": [row, [[-1, 0]]]}, {**good, "rows": "rows"},
    ]  # fmt: skip
    cases = [
        {**json.loads(generator().files()["manifest.json"]), "canary": one} for one in [good, None, *bad]
    ]
    read, none, *refused = engine_page.run(body, cases=cases)
    assert (read["ids"], none) == (IDS, None)
    assert refused == ["MANIFEST_INVALID"] * len(bad)
