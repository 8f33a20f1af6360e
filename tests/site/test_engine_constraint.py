"""Answers that must be documents of a schema: the automaton against an oracle, and tokens against bytes."""

import importlib
import itertools
import json
from typing import Any

import pytest

from tests.site.conftest import EnginePage
from tests.site.constraint_schemas import REFUSED, SCHEMAS
from tests.site.engine_artifacts import END, byte_tokenizer
from tests.site.json_vocabulary import BYTES, JSON_PIECES
from tests.site.schema_oracle import is_document

pytestmark = pytest.mark.browser

Json = Any

MODULES = """
  const { schemaNetwork, objectNetwork } = await import('/engine/constraint/schema.js');
  const { Automaton, DEAD } = await import('/engine/constraint/automaton.js');
  const { Constraint, Masks } = await import('/engine/constraint/constraint.js');
  const { Vocabulary, allows } = await import('/engine/constraint/vocabulary.js');
  const { TextTokenizer } = await import('/engine/tokenizer.js');
  const { tokenBytes } = await import('/engine/tokenizer/token_bytes.js');
  const encoder = new TextEncoder();
  const judge = (automaton, text) => {
    let state = automaton.start;
    for (const byte of encoder.encode(text)) state = automaton.step(state, byte);
    return state === DEAD ? 'dead' : automaton.accepts(state) ? 'whole' : 'open';
  };
  const vocabularyOf = async ({ tokenizer, size, stops }) => {
    const bytesOf = tokenBytes((await TextTokenizer.open(tokenizer, {}, size)).tokenizer);
    return new Vocabulary(size, stops, bytesOf);
  };
  let seed = 7;
  const random = (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
"""
VOCABULARY = {"tokenizer": byte_tokenizer(JSON_PIECES), "size": len(JSON_PIECES) + 3, "stops": [END]}


def run(page: EnginePage, body: str, **args: object) -> Any:
    return page.run(MODULES + body, **args)


def test_documents_are_whole_and_other_texts_are_not(engine_page: EnginePage) -> None:
    assert len(SCHEMAS) >= 60
    body = """
      return args.cases.map(([schema, texts]) => {
        const automaton = new Automaton(schemaNetwork(schema));
        return texts.map((text) => judge(automaton, text));
      });
    """
    cases = [[schema, [*good, *bad]] for schema, good, bad in SCHEMAS.values()]
    found = run(engine_page, body, cases=cases)
    for (name, (_, good, bad)), verdicts in zip(SCHEMAS.items(), found, strict=True):
        for text, verdict in zip([*good, *bad], verdicts, strict=True):
            assert (verdict == "whole") == (text in good), (name, text, verdict)


def test_the_expectations_are_those_of_json_schema() -> None:
    """By the oracle, and by the package jsonschema where it is installed."""
    for name, (schema, good, bad) in SCHEMAS.items():
        assert all(is_document(text, schema) for text in good), name
        assert not any(is_document(text, schema) for text in bad if not _is_other_spelling(text)), name
    try:
        jsonschema = importlib.import_module("jsonschema")
    except ModuleNotFoundError:
        return
    for schema, good, _ in SCHEMAS.values():
        for text in good:
            jsonschema.Draft202012Validator(schema).validate(json.loads(text))


# These say the same as a document, but in a way in which the engine never writes it (README.md of the engine).
_OTHER_SPELLINGS = {
    "1 ", "1.50", '"x\\"y\\u000a"', '"\\u6f22字é"', '{"b":{},"a":[]}', '"\\ud83d"', '"\\ude00"', '{"a":1,"a":2}',
}  # fmt: skip


def _is_other_spelling(text: str) -> bool:
    return text in _OTHER_SPELLINGS


def test_what_is_not_supported_is_refused_by_its_name(engine_page: EnginePage) -> None:
    body = """
      return args.schemas.map((schema) => {
        try {
          return schemaNetwork(schema).states.length;
        } catch (error) {
          return [error.code, error.message];
        }
      });
    """
    found = run(engine_page, body, schemas=[schema for schema, _ in REFUSED])
    for (schema, part), refusal in zip(REFUSED, found, strict=True):
        assert isinstance(refusal, list), f"{schema} was taken"
        code, message = refusal
        assert code == "SCHEMA_UNSUPPORTED", (schema, message)
        assert part in message, schema


# schema, alphabet, longest text; how many characters may be missing from a text that long, for all to be finished
SMALL: list[tuple[Json, str, int, int]] = [
    ({"type": "integer"}, "-01", 7, 1),
    ({"type": "number"}, "0.e-", 8, 2),
    ({"type": "string", "maxLength": 3}, 'a"\\n', 8, 4),
    ({"type": "string", "minLength": 2}, 'a"é', 6, 3),
    ({"type": "string", "pattern": "^(?:ab|ba)*a?$"}, '"ab', 8, 2),
    ({"type": "string", "pattern": "ab"}, '"ab', 9, 3),
    ({"enum": ["a", "ab", "b", 1, 11]}, '"ab1', 6, 2),
    ({"type": "array", "items": {"enum": [1, 21]}, "minItems": 1, "maxItems": 2}, "[12],", 7, 0),
    ({"type": "array", "items": {"type": "array", "maxItems": 1, "items": {"const": 1}}}, "[]1,", 8, 4),
    ({"anyOf": [{"const": [1]}, {"const": [1, 2]}, {"type": "array", "items": {"const": 2}}]}, "[12,]", 6, 2),
    ({"$defs": {"a": {"anyOf": [{"const": 1}, {"type": "array", "items": {"$ref": "#/$defs/a"}}]}},
      "$ref": "#/$defs/a"}, "[1,]", 8, 4),
    ({"type": "object", "properties": {"": {"const": 1}, "a": {"const": 1}}}, '{"a:1}', 7, 0),
]  # fmt: skip


def _all_texts(alphabet: str, longest: int) -> list[str]:
    return ["".join(text) for n in range(longest + 1) for text in itertools.product(alphabet, repeat=n)]


def test_every_prefix_of_a_document_and_nothing_else_is_taken(engine_page: EnginePage) -> None:
    """Over all texts of a small alphabet, by brute force."""
    body = """
      return args.cases.map(([schema, alphabet, longest]) => {
        const automaton = new Automaton(schemaNetwork(schema));
        const [live, whole] = [[], []];
        const visit = (state, text) => {
          live.push(text);
          if (automaton.accepts(state)) whole.push(text);
          if ([...text].length === longest) return;
          for (const sign of alphabet) {
            let next = state;
            for (const byte of encoder.encode(sign)) next = automaton.step(next, byte);
            if (next !== DEAD) visit(next, text + sign);
          }
        };
        visit(automaton.start, '');
        return [live, whole];
      });
    """
    found = run(engine_page, body, cases=[case[:3] for case in SMALL])
    for (schema, alphabet, longest, missing), (live, whole) in zip(SMALL, found, strict=True):
        documents = {text for text in _all_texts(alphabet, longest) if is_document(text, schema)}
        assert set(whole) == documents, schema
        assert len(documents) >= 2, schema
        prefixes = {text[:n] for text in documents for n in range(longest - missing + 1)}
        assert {text for text in live if len(text) <= longest - missing} == prefixes, schema


def test_a_mask_has_exactly_the_tokens_whose_bytes_can_be_read(engine_page: EnginePage) -> None:
    """Against every token by itself, on the way of random documents; so plain tokens are never taken for granted."""
    body = """
      const vocabulary = await vocabularyOf(args.vocabulary);
      let compared = 0;
      const wrong = [];
      for (const schema of args.schemas) {
        const masks = new Masks(schemaNetwork(schema), vocabulary);
        const { automaton } = masks;
        const step = (state, byte) => automaton.step(state, byte);
        const ends = (state, id) => (vocabulary.bytesOf(id) ?? []).reduce(step, state);
        const isRight = (state, id) => (args.vocabulary.stops.includes(id) ? automaton.accepts(state)
          : vocabulary.bytesOf(id) !== null && ends(state, id) !== DEAD);
        let state = automaton.start;
        for (let turn = 0; turn < 25; turn++) {
          const mask = masks.of(state);
          const allowed = [];
          for (let id = 0; id < args.vocabulary.size; id++) {
            if (allows(mask, id) !== isRight(state, id)) wrong.push([schema, id]);
            else if (allows(mask, id) && !args.vocabulary.stops.includes(id)) allowed.push(id);
            compared += 1;
          }
          if (allowed.length === 0) break;
          state = ends(state, allowed[random(allowed.length)]);
        }
      }
      return { compared, wrong };
    """
    found = run(
        engine_page, body, vocabulary=VOCABULARY, schemas=[schema for schema, _, _ in SCHEMAS.values()]
    )
    assert found["wrong"] == []
    assert found["compared"] > 50_000


def test_random_choices_among_the_allowed_tokens_end_in_documents(engine_page: EnginePage) -> None:
    """Halves of characters among them. After a while the shortest way to an end is taken, which there always is."""
    body = """
      const vocabulary = await vocabularyOf(args.vocabulary);
      const shortest = (automaton, from) => {
        const ways = new Map([[from, []]]);
        for (const [state, way] of ways) {
          if (automaton.accepts(state)) return way;
          for (let byte = 0; byte < 256; byte++) {
            const next = automaton.step(state, byte);
            if (next !== DEAD && !ways.has(next)) ways.set(next, [...way, byte]);
          }
        }
      };
      const write = (masks) => {
        const constraint = new Constraint(masks);
        for (let turn = 0; turn < 30 && !constraint.isComplete; turn++) {
          const { mask } = constraint;
          const allowed = Array.from({ length: args.vocabulary.size }, (_, id) => id).filter((id) => allows(mask, id));
          const id = allowed[random(allowed.length)];
          if (id === 0) break;
          constraint.take(id);
        }
        for (const byte of shortest(masks.automaton, constraint.state)) constraint.take(args.bytes[byte]);
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(constraint.written));
      };
      return args.schemas.map((schema) => {
        const masks = new Masks(schemaNetwork(schema), vocabulary);
        return Array.from({ length: args.walks }, () => write(masks));
      });
    """
    single = [JSON_PIECES.index(BYTES[byte]) for byte in range(256)]
    schemas = {name: schema for name, (schema, _, _) in SCHEMAS.items()}
    given = {"schemas": list(schemas.values()), "walks": 25, "bytes": single}
    written = run(engine_page, body, vocabulary=VOCABULARY, **given)
    for (name, schema), texts in zip(schemas.items(), written, strict=True):
        for text in texts:
            assert is_document(text, schema), (name, text)


def test_white_space_in_a_row_is_bounded(engine_page: EnginePage) -> None:
    body = """
      const automaton = new Automaton(schemaNetwork({ type: 'array' }));
      return [20, 21].map((count) => judge(automaton, '[' + ' '.repeat(count) + ']'));
    """
    assert run(engine_page, body) == ["whole", "dead"]


def test_what_is_known_is_dropped_before_it_takes_too_much_room(engine_page: EnginePage) -> None:
    """And the answer goes on from where it was."""
    body = """
      const vocabulary = await vocabularyOf(args.vocabulary);
      const masks = new Masks(schemaNetwork({ type: 'string', maxLength: 2000 }), vocabulary);
      const constraint = new Constraint(masks);
      const [quote, a] = args.ids;
      constraint.take(quote);
      for (let i = 0; i < 2000; i++) constraint.take(a);
      return [masks.known.size, allows(constraint.mask, a), allows(constraint.mask, quote)];
    """
    ids = [JSON_PIECES.index('"'), JSON_PIECES.index("a")]
    known, more, closes = run(engine_page, body, vocabulary=VOCABULARY, ids=ids)
    assert known <= 514
    assert (more, closes) == (False, True)
