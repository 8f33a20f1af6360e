"""tokenizer.packed.json: it says what tokenizer.json says, in far fewer bytes, and is left out where it could not."""

import copy
import json
from pathlib import Path
from typing import Any

import brotli
import pytest

from exporter.packed_tokenizer import packed
from tests.site.tokenizer_kinds import kinds

Json = dict[str, Any]


def unpacked_vocab(text: str) -> dict[str, int]:
    return {token: id_ for id_, token in enumerate(text[1:].split(text[0]))}


def unpacked_merges(model: Json) -> list[tuple[str, str]]:
    """As the engine reads them, for tokens without characters that take two units."""
    tokens, id_, pairs = list(unpacked_vocab(model["vocab"])), 0, []
    for step, cut in zip(model["merges"]["steps"], model["merges"]["cuts"], strict=True):
        id_ += step
        pairs.append((tokens[id_][:cut], model["continuing_subword_prefix"] + tokens[id_][cut:]))
    return pairs


def wire(document: Json) -> int:
    return len(brotli.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()))


def test_the_word_pieces_of_minilm_take_two_fifths_less(minilm_checkpoint: Path) -> None:
    tokenizer = json.loads((minilm_checkpoint / "tokenizer.json").read_text())
    small = packed(tokenizer, {"clean_up_tokenization_spaces": True})
    assert small is not None
    assert unpacked_vocab(small["model"]["vocab"]) == tokenizer["model"]["vocab"]
    assert small["clean_up_tokenization_spaces"] is True
    assert wire(small) < 0.62 * wire(tokenizer)


def test_byte_pairs_take_less_than_half() -> None:
    tokenizer = kinds()["gpt2"]
    small = packed(tokenizer, {})
    assert small is not None
    model = {"continuing_subword_prefix": "", **{k: v for k, v in small["model"].items() if v is not None}}
    assert unpacked_vocab(model["vocab"]) == tokenizer["model"]["vocab"]
    assert unpacked_merges(model) == [tuple(pair) for pair in tokenizer["model"]["merges"]]
    assert wire(small) < 0.5 * wire(tokenizer)


def bpe(vocab: Json, merges: list[Any], **more: Any) -> Json:
    return {"model": {"type": "BPE", "vocab": vocab, "merges": merges, **more}}


def test_a_token_with_a_space_is_kept_whole_and_so_is_a_continuing_prefix() -> None:
    vocab = {"a": 0, "##b": 1, "c d": 2, "ab": 3}
    small = packed(bpe(vocab, ["a ##b"], continuing_subword_prefix="##"), {})
    assert small is not None
    assert unpacked_vocab(small["model"]["vocab"]) == vocab
    assert unpacked_merges(small["model"]) == [("a", "##b")]


def test_a_character_of_two_units_counts_twice() -> None:
    small = packed(bpe({"🙂": 0, "a": 1, "🙂a": 2}, [["🙂", "a"]]), {})
    assert small is not None
    assert small["model"]["merges"] == {"steps": [2], "cuts": [2]}


AB = {"a": 0, "b": 1, "ab": 2, "ba": 3}


@pytest.mark.parametrize(
    "tokenizer",
    [
        {},
        {"model": None},
        {"model": {"type": "Unigram", "vocab": [["a", -1.0]]}},
        bpe({}, []),
        bpe({"a": 0, "b": 2}, []),
        bpe({"a": 0, "b": "1"}, []),
        bpe({"a": 0, "b": True}, []),
        bpe({" \n\0": 0}, []),
        bpe(AB, ["b a", "a b"]),
        bpe(AB, ["a c"]),
        bpe(AB, ["ab"]),
        bpe(AB, [["a", "b", "a"]]),
    ],
    ids=str,
)
def test_what_it_cannot_say_is_not_packed(tokenizer: Json) -> None:
    before = copy.deepcopy(tokenizer)
    assert packed(tokenizer, {}) is None
    assert tokenizer == before
