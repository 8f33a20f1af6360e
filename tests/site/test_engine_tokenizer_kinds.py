"""Every kind of tokenizer in the browser against the reference implementation, on thousands of texts each."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Regex, Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel

from tests.site.conftest import EnginePage
from tests.site.tokenizer_kinds import kinds, texts

pytestmark = pytest.mark.browser

Json = dict[str, Any]

TEXTS = 5_000
# Texts go to and fro as one string: the driver is slow with thousands.
ENCODE = """
  const { TextTokenizer } = await import('/engine/tokenizer.js');
  return JSON.stringify(await Promise.all(JSON.parse(args.kinds).map(async ({ tokenizer, texts }) => {
    const made = await TextTokenizer.open(tokenizer, {}, 1e6);
    return texts.map((text) => made.encode(text).join());
  })));
"""
DECODE = """
  const { TextTokenizer } = await import('/engine/tokenizer.js');
  const { TextStream } = await import('/engine/generation/text_stream.js');
  return JSON.stringify(await Promise.all(JSON.parse(args.kinds).map(async ({ tokenizer, config, cases }) => {
    const made = await TextTokenizer.open(tokenizer, config, 1e6);
    return cases.map((ids) => {
      const stream = new TextStream((some) => made.decode(some), [], (id) => made.isOpen(id));
      const pieces = [...ids.flatMap((id) => stream.push(id)), ...stream.finish()];
      return [made.decode(ids), pieces.map(({ text }) => text).join('')];
    });
  })));
"""
SPLIT = """
  const { makePreTokenizer } = await import('/engine/tokenizer/pre_tokenizers.js');
  return JSON.stringify(args.parts.map((part) => {
    const split = makePreTokenizer(part);
    return args.texts.map((text) => split([{ text, first: true }]).map((piece) => piece.text));
  }));
"""


def reference(tokenizer: Json) -> Tokenizer:
    made = Tokenizer.from_str(json.dumps(tokenizer))
    made.no_truncation()
    made.no_padding()
    return made


@pytest.fixture(scope="module")
def all_kinds(minilm_checkpoint: Path) -> dict[str, Json]:
    """Byte-level BPE twice, SentencePiece-style BPE three times, Unigram twice, and the WordPiece of MiniLM."""
    return kinds() | {"minilm": json.loads((minilm_checkpoint / "tokenizer.json").read_text())}


def texts_for(tokenizer: Json, count: int) -> list[str]:
    return texts(26, count, tuple(token["content"] for token in tokenizer["added_tokens"]))


def test_ids_are_those_of_the_reference(engine_page: EnginePage, all_kinds: dict[str, Json]) -> None:
    cases = [{"tokenizer": kind, "texts": texts_for(kind, TEXTS)} for kind in all_kinds.values()]
    found = json.loads(engine_page.run(ENCODE, kinds=json.dumps(cases)))
    for name, case, rows in zip(all_kinds, cases, found, strict=True):
        encodings = reference(case["tokenizer"]).encode_batch(case["texts"])
        wrong = [
            ascii(text)
            for text, row, encoding in zip(case["texts"], rows, encodings, strict=True)
            if row != ",".join(map(str, encoding.ids))
        ]
        assert len(rows) >= TEXTS
        assert wrong == [], name


def test_text_is_that_of_the_reference_whole_and_in_a_stream(
    engine_page: EnginePage, all_kinds: dict[str, Json]
) -> None:
    chance = random.Random(5)
    cases = []
    for kind in all_kinds.values():
        made = reference(kind)
        size = made.get_vocab_size()
        ids = [encoding.ids for encoding in made.encode_batch(texts_for(kind, 400))]
        ids += [[chance.randrange(size) for _ in range(chance.randrange(1, 20))] for _ in range(300)]
        cases.append({"tokenizer": kind, "config": {}, "cases": [case for case in ids if len(case) < 300]})
    found = json.loads(engine_page.run(DECODE, kinds=json.dumps(cases)))
    for name, case, rows in zip(all_kinds, cases, found, strict=True):
        made = reference(case["tokenizer"])
        for ids, (whole, streamed) in zip(case["cases"], rows, strict=True):
            assert whole == made.decode(ids), (name, ids)
            assert streamed == whole, (name, ids)


def test_only_what_is_no_bpe_is_cleaned_up(engine_page: EnginePage, all_kinds: dict[str, Json]) -> None:
    """As transformers 5 does, where a config says `clean_up_tokenization_spaces`."""
    from transformers import PreTrainedTokenizerFast

    cases = []
    for name in ("gpt2", "llama2", "unigram_nfkc"):
        ids = (
            reference(all_kinds[name]).encode("it 's , they 've . do n't ' 0 ?", add_special_tokens=False).ids
        )
        cases.append(
            {"tokenizer": all_kinds[name], "config": {"clean_up_tokenization_spaces": True}, "cases": [ids]}
        )
    found = json.loads(engine_page.run(DECODE, kinds=json.dumps(cases)))
    for case, [[whole, _]] in zip(cases, found, strict=True):
        made = PreTrainedTokenizerFast(
            tokenizer_object=reference(case["tokenizer"]), clean_up_tokenization_spaces=True
        )
        assert whole == made.decode(case["cases"][0], skip_special_tokens=True)


PATTERNS = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s+",
    " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+",
    r"(?>a+)a|\bw\w*|[[:punct:]]|\d{2,}|[a-f&&[^c]]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|\x{6F22}|[一-龥\u3040-ゟ]+|\h+|^x|.$",
    r"\p{Han}|\P{L}+|\S\s|[\w-]+|(?<!a)b(?=c)|\p{^Lu}",
)
BEHAVIORS = ("isolated", "removed", "contiguous", "merged_with_previous", "merged_with_next")


def test_patterns_and_behaviours_split_as_in_the_reference(engine_page: EnginePage) -> None:
    made: list[Any] = [
        pre_tokenizers.Split(Regex(pattern), behavior, invert)
        for pattern in PATTERNS
        for behavior, invert in (("isolated", False), ("removed", True))
    ]
    made += [pre_tokenizers.Split(Regex(r"\s|b+"), behavior) for behavior in BEHAVIORS]
    made += [pre_tokenizers.Punctuation(behavior) for behavior in BEHAVIORS]
    made += [pre_tokenizers.Whitespace(), pre_tokenizers.WhitespaceSplit(), pre_tokenizers.BertPreTokenizer()]
    made += [
        pre_tokenizers.CharDelimiterSplit(" "),
        pre_tokenizers.Digits(False),
        pre_tokenizers.FixedLength(3),
    ]
    parts = [json.loads(_holder(part).to_str())["pre_tokenizer"] for part in made]
    samples = [text for text in texts(7, 500, ("abcabc aaab b.c 12.345",)) if 0 < len(text) < 400]
    found = json.loads(engine_page.run(SPLIT, parts=parts, texts=samples))
    for part, rows in zip(made, found, strict=True):
        for text, pieces in zip(samples, rows, strict=True):
            assert pieces == [piece for piece, _ in part.pre_tokenize_str(text)], (part, ascii(text))


def _holder(part: Any) -> Tokenizer:
    holder = Tokenizer(WordLevel({}, unk_token="?"))
    holder.pre_tokenizer = part
    return holder


@pytest.mark.parametrize("part", ["normalizer", "pre_tokenizer", "post_processor", "decoder", "model"])
def test_an_unknown_part_is_refused_by_name(
    engine_page: EnginePage, all_kinds: dict[str, Json], part: str
) -> None:
    kind = all_kinds["gpt2"]
    broken = kind | {part: {**(kind[part] or {}), "type": "Strange"}}
    error = engine_page.fails(ENCODE, kinds=json.dumps([{"tokenizer": broken, "texts": []}]))
    assert error["code"] == "TOKENIZER_INVALID"
    assert 'Strange" is known' in error["message"]
