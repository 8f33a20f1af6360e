"""What the engine's tokenizer knows of Unicode, code point by code point, against the reference implementation."""

import json
import unicodedata
from typing import Any

import pytest
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordLevel

from tests.site.conftest import EnginePage
from tests.site.tokenizer_kinds import LLAMA3

pytestmark = pytest.mark.browser

NORMALIZERS: tuple[Any, ...] = (
    *(normalizers.NFC(), normalizers.NFD(), normalizers.NFKC(), normalizers.NFKD(), normalizers.Nmt()),
    *(normalizers.Lowercase(), normalizers.StripAccents(), normalizers.Strip(), normalizers.BertNormalizer()),
    normalizers.BertNormalizer(lowercase=False, strip_accents=False),
    normalizers.Replace(Regex(r"\s+"), "_"),
)
PRE_TOKENIZERS: tuple[Any, ...] = (
    *(pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Digits(True), pre_tokenizers.Punctuation()),
    *(pre_tokenizers.Whitespace(), pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(False)),
    *(
        pre_tokenizers.Split(Regex(pattern), "isolated")
        for pattern in (LLAMA3, r"\w+|\p{M}|[\p{Lu}\p{Lt}]|\p{Ll}")
    ),
)
UNIFORM = ("Cn", "Co", "Lo")
RUN = """
  const { makeNormalizer } = await import('/engine/tokenizer/normalizers.js');
  const { makePreTokenizer } = await import('/engine/tokenizer/pre_tokenizers.js');
  const normalize = args.normalizers.map(makeNormalizer);
  const split = args.preTokenizers.map(makePreTokenizer);
  return JSON.stringify({
    normalized: normalize.map((each) => args.texts.map(each)),
    pieces: split.map((each) => args.texts.map((text) => each([{ text, first: true }]).map((piece) => piece.text))),
  });
"""


def code_points() -> list[int]:
    """All that Python's older Unicode tells apart; of the many ideographs, private and unknown ones every 41st."""
    return [
        c
        for c in range(1, 0x110000)
        if not 0xD800 <= c <= 0xDFFF
        and (c < 0x3000 or c % 41 == 0 or unicodedata.category(chr(c)) not in UNIFORM)
    ]


def texts() -> list[str]:
    """Each code point between letters, by itself, and among marks that change places."""
    points = [chr(c) for c in code_points()]
    around = [f"a{c}b {c}\u0315\u0334{c} " for c in points]
    return ["".join(around[i : i + 64]) for i in range(0, len(around), 64)]


def part_of(**part: Any) -> dict[str, Any]:
    """The part of a tokenizer.json."""
    holder = Tokenizer(WordLevel({}, unk_token="?"))
    [(name, value)] = part.items()
    setattr(holder, name, value)
    found: dict[str, Any] = json.loads(holder.to_str())[name]
    return found


def test_every_code_point_is_treated_as_in_the_reference(engine_page: EnginePage) -> None:
    samples = texts()
    answer = engine_page.run(
        RUN,
        normalizers=[part_of(normalizer=each) for each in NORMALIZERS],
        preTokenizers=[part_of(pre_tokenizer=each) for each in PRE_TOKENIZERS],
        texts=samples,
    )
    found = json.loads(answer)
    for normalizer, rows in zip(NORMALIZERS, found["normalized"], strict=True):
        for text, row in zip(samples, rows, strict=True):
            assert row == normalizer.normalize_str(text), (normalizer, ascii(text[:12]))
    for pre_tokenizer, rows in zip(PRE_TOKENIZERS, found["pieces"], strict=True):
        for text, row in zip(samples, rows, strict=True):
            pieces = [piece for piece, _ in pre_tokenizer.pre_tokenize_str(text)]
            assert row == pieces, (pre_tokenizer, ascii(text[:12]))


def test_megabytes_are_changed_without_running_out_of_stack(engine_page: EnginePage) -> None:
    body = """
      const { lowercase, normalized } = await import('/engine/tokenizer/unicode.js');
      return normalized(lowercase('WORD '.repeat(1_000_000)), 'NFC') === 'word '.repeat(1_000_000);
    """
    assert engine_page.run(body)
