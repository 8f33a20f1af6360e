"""Text without a GPU: pieces of an answer, truncation, rope tables, errors that cross a boundary."""

import math
import random

import numpy as np
import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import byte_tokenizer, word_tokenizer

pytestmark = pytest.mark.browser

STREAMS = """
  const { TextTokenizer } = await import('/engine/tokenizer.js');
  const { TextStream } = await import('/engine/generation/text_stream.js');
  const tokenizer = await TextTokenizer.open(args.tokenizer, {}, 14);
  const decode = (ids) => tokenizer.decode(ids);
  return args.cases.map(([ids, stops]) => {
    const stream = new TextStream(decode, stops);
    const steps = [...ids.map((id) => stream.push(id)), stream.finish()];
    return { steps, whole: decode(ids), stopped: stream.stopped };
  });
"""


def test_pieces_join_to_the_whole_whatever_the_ids(engine_page: EnginePage) -> None:
    chance = random.Random(5)
    cases = [([chance.randrange(14) for _ in range(chance.randrange(30))], []) for _ in range(200)]
    results = engine_page.run(STREAMS, tokenizer=byte_tokenizer(), cases=cases)
    for (ids, _), result in zip(cases, results, strict=True):
        pieces = [piece for step in result["steps"] for piece in step]
        assert [piece["id"] for piece in pieces] == ids
        assert "".join(piece["text"] for piece in pieces) == result["whole"]
        shown = "".join(piece["text"] for step in result["steps"][:-1] for piece in step)
        assert result["whole"].startswith(shown)


def test_stop_texts_cut_at_the_first_one(engine_page: EnginePage) -> None:
    chance = random.Random(6)
    stops = ["ab ", "ca", "é"]
    cases = [([chance.choice((2, 3, 4, 5, 6, 11)) for _ in range(12)], stops) for _ in range(200)]
    results = engine_page.run(STREAMS, tokenizer=byte_tokenizer(), cases=cases)
    for result in results:
        places = [result["whole"].find(stop) for stop in stops]
        end = min((place for place in places if place >= 0), default=None)
        pieces = [piece for step in result["steps"] for piece in step]
        assert result["stopped"] == (end is not None)
        assert "".join(piece["text"] for piece in pieces) == result["whole"][:end]


def test_settled_text_is_not_held_back(engine_page: EnginePage) -> None:
    [result] = engine_page.run(STREAMS, tokenizer=byte_tokenizer(), cases=[[[2, 5, 6, 3, 11], ["bc!"]]])
    assert ["".join(piece["text"] for piece in step) for step in result["steps"]] == [
        "a",
        "",
        "é",
        "",
        "",
        "bc",
    ]


def test_truncation_keeps_what_the_tokenizer_adds(engine_page: EnginePage) -> None:
    body = """
      const { TextTokenizer } = await import('/engine/tokenizer.js');
      const tokenizer = await TextTokenizer.open(args.tokenizer, {}, 10);
      return args.lengths.map((most) => tokenizer.encodeWithin('far wind down far', most));
    """
    found = engine_page.run(body, tokenizer=word_tokenizer(), lengths=[6, 5, 3, 2, 1])
    expected = [[2, 7, 9, 5, 7, 3], [2, 7, 9, 5, 3], [2, 7, 3], [2, 3], [2]]
    assert [encoded["ids"] for encoded in found] == expected
    assert [encoded["truncated"] for encoded in found] == [False, True, True, True, True]


def test_of_megabytes_only_as_much_is_looked_at_as_the_model_reads(engine_page: EnginePage) -> None:
    body = """
      const { TextTokenizer } = await import('/engine/tokenizer.js');
      const { alignWords } = await import('/engine/words.js');
      const tokenizer = await TextTokenizer.open(args.tokenizer, {}, 10);
      const { encode } = tokenizer.tokenizer;
      let looked = 0;
      tokenizer.tokenizer.encode = function (text, special) {
        looked += text.length;
        return encode.call(this, text, special);
      };
      const long = 'far wind down '.repeat(400_000);
      const spaced = `far${' '.repeat(1000)}wind `.repeat(20);
      return [long, spaced].map((text) => {
        looked = 0;
        const cut = tokenizer.encodeWithin(text, 8);
        const { ids, words } = alignWords(tokenizer, text.slice(0, 20_000), 8);
        return { cut, looked, ids, words: words.map((word) => word.text).join(' ') };
      });
    """
    long, spaced = engine_page.run(body, tokenizer=word_tokenizer())
    assert long["cut"] == {"ids": [2, 7, 9, 5, 7, 9, 5, 3], "truncated": True}
    assert long["words"] == "far wind down far wind down"
    assert spaced["cut"] == {"ids": [2, 7, 9, 7, 9, 7, 9, 3], "truncated": True}
    assert spaced["words"] == "far wind far wind far wind"
    assert long["ids"] == long["cut"]["ids"]
    assert long["looked"] < 1000


def test_what_a_browser_has_no_room_for_is_too_long_and_no_fault_of_the_model(
    engine_page: EnginePage,
) -> None:
    body = """
      const { TextTokenizer } = await import('/engine/tokenizer.js');
      const tokenizer = await TextTokenizer.open(args.tokenizer, {}, 10);
      tokenizer.tokenizer.encode = () => { throw new RangeError('Maximum call stack size exceeded'); };
      return ['far', 'a'.repeat(6e6)].map((text) => {
        try { tokenizer.encode(text); } catch ({ code }) { return code; }
      });
    """
    codes = engine_page.run(body, tokenizer=word_tokenizer())
    assert codes == ["TOKENIZER_INVALID", "INPUT_TOO_LONG"]


def test_a_tokenizer_that_is_none_is_refused(engine_page: EnginePage) -> None:
    body = """
      const { TextTokenizer } = await import('/engine/tokenizer.js');
      await TextTokenizer.open(args.json, {}, 10);
    """
    assert engine_page.fails(body, json={"model": {}})["code"] == "TOKENIZER_INVALID"


def test_rope_tables_are_exact_to_a_rounding(engine_page: EnginePage) -> None:
    body = """
      const { ropeBlocks } = await import('/engine/rope_table.js');
      const all = new Float32Array(args.positions * args.invFreq.length * 2);
      for (const { offset, values } of ropeBlocks(args)) all.set(values, offset / 4);
      return [...all];
    """
    inv_freq = [10000 ** (-i / 8) for i in range(8)]
    table = np.array(engine_page.run(body, invFreq=inv_freq, positions=5000, scale=1.25)).reshape(5000, 8, 2)
    for position in (0, 1, 4095, 4096, 4999):
        angles = [position * frequency for frequency in inv_freq]
        expected = [[1.25 * math.cos(angle), 1.25 * math.sin(angle)] for angle in angles]
        np.testing.assert_array_equal(table[position], np.array(expected, dtype=np.float32))


def test_errors_cross_a_boundary_whole(engine_page: EnginePage) -> None:
    body = """
      const { byCode, serialize, revive } = engine.errors;
      return Object.entries(byCode).map(([code, Type]) => {
        const sent = new Type('A thing', { n: 1 });
        const back = revive(structuredClone(serialize(sent)));
        return [code, back instanceof Type, back.code === code, back.message === sent.message, back.fields.n];
      });
    """
    rows = engine_page.run(body)
    assert len(rows) >= 20
    assert all(row[1:] == [True, True, True, 1] for row in rows)
