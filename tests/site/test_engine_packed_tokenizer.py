"""A packed tokenizer in the browser: the same vocabulary and merges as the one it was packed from, or refused."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from exporter.packed_tokenizer import packed
from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import embedding_artifact
from tests.site.engine_server import EngineServer
from tests.site.tokenizer_kinds import kinds, with_float32_scores

pytestmark = pytest.mark.browser

COMPARE = """
  const { TextTokenizer } = await import('/engine/tokenizer.js');
  return Promise.all(JSON.parse(args.pairs).map(async (pair) => {
    const [plain, small] = await Promise.all(pair.map((json) => TextTokenizer.open(json, json, 1e6)));
    const facts = ({ tokenizer: { model, added, special, cleansUp } }) =>
      JSON.stringify([[...model.vocab].sort(), [...model.merges ?? []], model.tokens, added, [...special], cleansUp]);
    return facts(plain) === facts(small) && small.encode('One text, 1 text \\u{1F642}').join() || 'another';
  }));
"""
OPEN = """
  const { TextTokenizer } = await import('/engine/tokenizer.js');
  try {
    await TextTokenizer.open(args.json, {}, 1e6);
  } catch (error) {
    return error.code;
  }
"""
EMBED = """
  const model = await engine.load(args.url);
  const [{ data }] = await model.embed(['a sentence']);
  await model.unload();
  return [...data];
"""


def test_a_packed_tokenizer_is_the_one_it_was(engine_page: EnginePage, minilm_checkpoint: Path) -> None:
    known = kinds()
    plain = [
        *known.values(),
        with_float32_scores(known["xlm_roberta"]),
        json.loads((minilm_checkpoint / "tokenizer.json").read_text()),
    ]
    pairs = [(each, packed(each, {})) for each in plain]
    assert None not in [small for _, small in pairs]
    found = engine_page.run(COMPARE, pairs=json.dumps(pairs))
    assert len(found) == len(pairs)
    assert "another" not in found


@pytest.mark.parametrize(
    "model",
    [
        {"type": "BPE", "vocab": " a b ab", "merges": {"steps": [9], "cuts": [1]}},
        {"type": "BPE", "vocab": " a b ab", "merges": {"steps": [2], "cuts": [1, 1]}},
        {"type": "BPE", "vocab": " a b ab", "merges": {"cuts": [1]}},
        {"type": "BPE", "vocab": " a b ab", "merges": None},
        {"type": "BPE", "vocab": " a bc abc", "merges": {"steps": [2], "cuts": [2]}},
        {"type": "WordPiece", "vocab": None},
        {"type": "Unigram", "vocab": " a b", "scores": [-1.5]},
        {"type": "Unigram", "vocab": " a b", "scores": {"steps": [1, 2, 3]}},
        {"type": "Unigram", "vocab": " a b", "scores": {}},
        {"type": "Unigram", "vocab": " a b"},
    ],
    ids=str,
)
def test_a_damaged_one_is_refused(engine_page: EnginePage, model: dict[str, Any]) -> None:
    assert engine_page.run(OPEN, json={"model": model}) == "TOKENIZER_INVALID"


def with_packed_tokenizer(files: dict[str, bytes]) -> dict[str, bytes]:
    """`files` with a packed tokenizer, beside which the others are no longer fetched."""
    small = packed(json.loads(files["tokenizer.json"]), json.loads(files["tokenizer_config.json"]))
    content, manifest = json.dumps(small).encode(), json.loads(files["manifest.json"])
    for entry in manifest["files"]:
        entry["role"] = "original"
    facts = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    manifest["files"].append({"file": "tokenizer.packed.json", "role": "tokenizer", **facts})
    return {**files, "tokenizer.packed.json": content, "manifest.json": json.dumps(manifest).encode()}


def test_a_visit_fetches_the_packed_one_alone(engine_page: EnginePage, engine_server: EngineServer) -> None:
    artifact = embedding_artifact()
    plain = engine_page.run(EMBED, url=engine_server.add("plain-tokenizer", artifact.files()))
    engine_server.seen.clear()
    url = engine_server.add("packed-tokenizer", with_packed_tokenizer(artifact.files()))
    assert engine_page.run(EMBED, url=url) == plain
    asked = {seen.path.rsplit("/", 1)[-1] for seen in engine_server.seen}
    assert {name for name in asked if "tokenizer" in name} == {"tokenizer.packed.json"}
