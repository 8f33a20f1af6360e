"""Constrained answers of a tiny Granite, with the real sampling kernel: documents, of the best valid tokens."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_server import EngineServer
from tests.site.engine_session import folder_files
from tests.site.schema_oracle import is_document
from tests.site.test_engine_constraint import MODULES

pytestmark = pytest.mark.browser

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 6},
        "tags": {"type": "array", "items": {"enum": ["dé", "bu"]}, "maxItems": 2},
        "code": {"type": "string", "pattern": r"^[A-C]\d{2}$"},
        "friend": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
    },
    "required": ["name", "tags", "friend"],
}
LOADED = """
  const model = await engine.load(args.url, { tune: 'off', tier: 'base' });
  const write = async (prompt, options) => {
    const ids = [];
    let text = '';
    for await (const piece of model.generate(prompt, options)) { ids.push(piece.id); text += piece.text; }
    return { ids, text, ...model.stats().generation };
  };
  const constraint = { type: 'json_schema', json_schema: { schema: args.schema } };
"""


@pytest.fixture
def granite(
    tiny_granite: Callable[..., Path], artifact: Callable[..., Path], engine_server: EngineServer
) -> str:
    folder = artifact(tiny_granite(), quantize="f32", context=512)
    return engine_server.add("granite", folder_files(folder))


def run(page: EnginePage, url: str, body: str, **args: object) -> Any:
    return page.run(LOADED + body, url=url, schema=PERSON, **args)


def test_every_answer_is_a_document_however_it_is_sampled(engine_page: EnginePage, granite: str) -> None:
    body = """
      const found = [];
      for (const options of args.all) found.push(await write('The thistle', { ...options, constraint }));
      return found;
    """
    ways = [{"temperature": 0}, {"temperature": 1, "seed": 1}, {"temperature": 2, "topK": 3, "seed": 2}]
    ways += [{"temperature": 1, "topP": 0.5, "seed": seed} for seed in range(3)] + ways[1:2]
    found = run(engine_page, granite, body, all=ways)
    for answer in found:
        assert answer["finish"] == "stop"
        assert is_document(answer["text"], PERSON), answer["text"]
    assert len({answer["text"] for answer in found}) >= 4
    assert found[1]["ids"] == found[-1]["ids"], "the same seed writes the same text"


def test_greedy_takes_the_likeliest_of_the_allowed_tokens(engine_page: EnginePage, granite: str) -> None:
    body = """
      const tokenizer = await (await fetch(args.url + 'tokenizer.json')).json();
      const text = await TextTokenizer.open(tokenizer, {}, model.info.vocabulary);
      const vocabulary = new Vocabulary(model.info.vocabulary, [0], tokenBytes(text.tokenizer));
      const rules = new Constraint(new Masks(schemaNetwork(args.schema), vocabulary));
      const { ids } = await write('The thistle', { constraint, temperature: 0 });
      const prompt = text.encode('The thistle');
      const best = [];
      let free = 0;
      for (let i = 0; i < Math.min(ids.length, 14); i++) {
        const logits = await model.logits([...prompt, ...ids.slice(0, i)]);
        const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a]);
        best.push(order.find((id) => allows(rules.mask, id)));
        free += Number(order[0] !== best[i]);
        rules.take(ids[i]);
      }
      return { ids: ids.slice(0, 14), best, free };
    """
    found = run(engine_page, granite, MODULES + body)
    assert found["ids"] == found["best"]
    assert found["free"] > 3, "without the constraint other tokens would have been taken"


def test_looking_at_each_token_changes_no_answer(engine_page: EnginePage, granite: str) -> None:
    """With likelihoods an answer goes one token a submit, and back through the page; its ids are the same."""
    body = """
      const found = [];
      for (const options of args.all) {
        found.push((await write('A shard', options)).ids, (await write('A shard', { ...options, logprobs: 2 })).ids);
      }
      return found;
    """
    ways = [{"temperature": 0, "maxTokens": 24}, {"temperature": 0.9, "topK": 20, "seed": 5, "maxTokens": 24}]
    greedy, told, sampled, sampled_told = run(engine_page, granite, body, all=ways)
    assert greedy == told
    assert sampled == sampled_told
    assert len(greedy) > 4


def test_the_states_hold_what_a_constrained_answer_says(engine_page: EnginePage, granite: str) -> None:
    """What goes on from there is what a model writes that reads all of it anew."""
    body = """
      const { ids } = await write('The thistle', { constraint, temperature: 0 });
      const tokenizer = await (await fetch(args.url + 'tokenizer.json')).json();
      const text = await TextTokenizer.open(tokenizer, {}, model.info.vocabulary);
      const said = text.decode([...text.encode('The thistle'), ...ids]);
      const again = await write(said + ' and', { temperature: 0, maxTokens: 12 });
      await model.logits([5, 6, 7]);
      const anew = await write(said + ' and', { temperature: 0, maxTokens: 12 });
      return [again, anew];
    """
    again, anew = run(engine_page, granite, MODULES + body)
    assert anew["reusedTokens"] == 0
    assert again["ids"] == anew["ids"]
    assert json.dumps(again["ids"]) != "[]"
