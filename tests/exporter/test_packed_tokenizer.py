"""tokenizer.packed.json: it says what tokenizer.json says, in far fewer bytes, and is left out where it could not."""

import copy
import json
from pathlib import Path
from typing import Any

import brotli
import numpy as np
import pytest

from exporter.packed_tokenizer import packed
from tests.site.tokenizer_kinds import kinds, with_float32_scores

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


def unpacked_scores(scores: Json) -> list[float]:
    return np.cumsum(scores["steps"]).astype(np.uint32).view(np.float32).tolist()


def test_scores_of_float32_take_less_than_half() -> None:
    tokenizer = with_float32_scores(kinds()["xlm_roberta"])
    small = packed(tokenizer, {})
    assert small is not None
    scores = [score for _, score in tokenizer["model"]["vocab"]]
    assert unpacked_scores(small["model"]["scores"]) == scores
    assert list(unpacked_vocab(small["model"]["vocab"])) == [
        token for token, _ in tokenizer["model"]["vocab"]
    ]
    numbers, steps = ({"scores": each} for each in (scores, small["model"]["scores"]))
    assert wire(steps) < 0.5 * wire(numbers)


@pytest.mark.parametrize("scores", [[0.1, -2], [-1e300, 0.5], [-3.25, 1e-320]], ids=str)
def test_scores_that_are_no_float32_stay_as_they_are(scores: list[float]) -> None:
    vocab = [["a", scores[0]], ["b", scores[1]]]
    small = packed({"model": {"type": "Unigram", "vocab": vocab}}, {})
    assert small is not None
    assert small["model"]["scores"] == scores


@pytest.mark.parametrize("scores", [[0.0, -0.5], [-0.0, 3.4e38], [-5.25, -1.5, 0.0]], ids=str)
def test_steps_of_scores_go_up_and_down(scores: list[float]) -> None:
    exact = np.float32(scores).astype(float).tolist()
    vocab = [[str(at), score] for at, score in enumerate(exact)]
    small = packed({"model": {"type": "Unigram", "vocab": vocab}}, {})
    assert small is not None
    assert np.signbit(unpacked_scores(small["model"]["scores"])).tolist() == np.signbit(exact).tolist()
    assert unpacked_scores(small["model"]["scores"]) == exact


AB = {"a": 0, "b": 1, "ab": 2, "ba": 3}


@pytest.mark.parametrize(
    "tokenizer",
    [
        {},
        {"model": None},
        {"model": {"type": "Unigram", "vocab": []}},
        {"model": {"type": "Unigram", "vocab": [["a", -1.0], ["b"]]}},
        {"model": {"type": "Unigram", "vocab": [["a", -1.0], ["b", "c"]]}},
        {"model": {"type": "Unigram", "vocab": [["a", -1.0], [1, -2.0]]}},
        {"model": {"type": "Unigram", "vocab": [[" \n\0", -1.0]]}},
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
