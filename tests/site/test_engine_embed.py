"""Sentence embeddings, from text to numbers, against the same sums in NumPy."""

import numpy as np
import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import WORDS, embedding_artifact, expected_embedding
from tests.site.engine_server import EngineServer

pytestmark = pytest.mark.browser

EMBED = """
  const model = await engine.load(args.url);
  const results = await model.embed(args.texts);
  const stats = model.stats();
  await model.unload();
  return { results: results.map((r) => ({ ...r, data: [...r.data] })), stats };
"""


def ids_of(text: str) -> list[int]:
    return [WORDS.index(word) for word in ["[CLS]", *text.split(), "[SEP]"]]


def test_texts_come_back_in_order_however_they_are_packed(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", embedding_artifact().files())
    texts = [
        "thistle",
        "",
        "down floats far",
        "wind wind wind wind wind wind",
        "far",
        "floats",
        "thistle down",
    ]
    output = engine_page.run(EMBED, url=url, texts=texts)
    assert [result["tokens"] for result in output["results"]] == [3, 2, 5, 8, 3, 3, 4]
    for text, result in zip(texts, output["results"], strict=True):
        assert result["truncated"] is False
        np.testing.assert_allclose(result["data"], expected_embedding(ids_of(text)), rtol=1e-5)
    assert output["stats"]["embedding"]["tokens"] == 28


def test_a_long_text_keeps_its_special_tokens(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", embedding_artifact().files())
    output = engine_page.run(EMBED, url=url, texts=["far " * 20, "far"])
    long, short = output["results"]
    assert (long["tokens"], long["truncated"]) == (8, True)
    assert (short["tokens"], short["truncated"]) == (3, False)
    np.testing.assert_allclose(long["data"], expected_embedding(ids_of("far " * 6)), rtol=1e-5)


def test_no_texts_give_no_embeddings(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", embedding_artifact().files())
    assert engine_page.run(EMBED, url=url, texts=[])["results"] == []


def test_calls_at_once_do_not_mix(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", embedding_artifact().files())
    body = """
      const model = await engine.load(args.url);
      const all = await Promise.all(args.texts.map((text) => model.embed([text, 'far'])));
      return all.map(([first]) => [...first.data]);
    """
    texts = ["thistle", "down", "floats", "wind"]
    for text, data in zip(texts, engine_page.run(body, url=url, texts=texts), strict=True):
        np.testing.assert_allclose(data, expected_embedding(ids_of(text)), rtol=1e-5)


def test_other_inputs_are_refused(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", embedding_artifact().files())
    for texts in ("a string", [1], None):
        assert engine_page.fails(EMBED, url=url, texts=texts)["code"] == "BAD_ARGUMENT"
    error = engine_page.fails("await (await engine.load(args.url)).embed(new Array(3))", url=url)
    assert error["code"] == "BAD_ARGUMENT"
    error = engine_page.fails("await (await engine.load(args.url)).logits([1])", url=url)
    assert error["code"] == "BAD_ARGUMENT"
