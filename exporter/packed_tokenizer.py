"""tokenizer.packed.json: what the engine reads of a tokenizer, in fewer bytes (exporter/artifact/FORMAT.md)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

PACKED_NAME = "tokenizer.packed.json"
_READ = ("added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder")
_READ_OF_CONFIG = "clean_up_tokenization_spaces"
# Most tokenizers write a space otherwise; where one does not, a separator that no text has.
_SEPARATORS = (" ", "\n", "\0")


def packed(tokenizer: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The packed form of tokenizer.json and tokenizer_config.json; None where it cannot say what they say."""
    model = tokenizer.get("model")
    if not isinstance(model, dict):
        return None
    vocab = model.get("vocab")
    small = {**model, "vocab": _packed_vocab(vocab)}
    if small["vocab"] and isinstance(vocab, list):
        small["scores"] = _packed_scores([score for _, score in vocab])
    if small["vocab"] and "merges" in model:
        small["merges"] = _packed_merges(model)
    if None in (small["vocab"], small.get("merges", ())):
        return None
    read = {key: tokenizer.get(key) for key in _READ}
    return {**read, "model": small, _READ_OF_CONFIG: config.get(_READ_OF_CONFIG) is True}


def _packed_vocab(vocab: object) -> str | None:
    """A separator, then all tokens by id with it between them; None where ids leave gaps."""
    tokens = _listed(vocab) if isinstance(vocab, list) else _by_id(vocab)
    if not tokens:
        return None
    separator = next((each for each in _SEPARATORS if not any(each in token for token in tokens)), None)
    return separator and separator + separator.join(tokens)


def _by_id(vocab: object) -> Sequence[str]:
    """The tokens of a mapping from token to id; none where ids leave gaps."""
    if not isinstance(vocab, dict) or not vocab or {type(id_) for id_ in vocab.values()} != {int}:
        return []
    tokens = sorted(vocab, key=lambda token: int(vocab[token]))
    return tokens if [vocab[token] for token in tokens] == list(range(len(tokens))) else []


def _listed(vocab: Sequence[Any]) -> Sequence[str]:
    """The tokens of Unigram's pairs of token and score; none where they are not such pairs."""
    pairs = [each for each in vocab if isinstance(each, list) and len(each) == 2]
    sound = [token for token, score in pairs if isinstance(token, str) and type(score) in (int, float)]
    return sound if len(sound) == len(vocab) else []


def _packed_scores(scores: Sequence[float]) -> list[float] | dict[str, list[int]]:
    """SentencePiece's are float32 and fall by small steps: those of their bits take a quarter of the bytes."""
    with np.errstate(over="ignore"):
        singles = np.asarray(scores, np.float32)
    if not np.array_equal(singles.astype(np.float64), np.asarray(scores, np.float64)):
        return list(scores)
    return {"steps": np.diff(singles.view(np.uint32).astype(np.int64), prepend=0).tolist()}


def _packed_merges(model: Mapping[str, Any]) -> dict[str, list[int]] | None:
    """Steps from one merged token's id to the next, and the lengths of the left parts; None where ids fall."""
    vocab, prefix = model["vocab"], str(model.get("continuing_subword_prefix") or "")
    pairs = [_pair(merge) for merge in model.get("merges") or []]
    if not all(len(pair) == 2 and pair[1].startswith(prefix) for pair in pairs):
        return None
    ids = [vocab.get(left + right[len(prefix) :], -1) for left, right in pairs]
    steps = [after - before for before, after in pairwise([0, *ids])]
    if min(steps, default=0) < 0:
        return None
    return {"steps": steps, "cuts": [_utf16_units(left) for left, _ in pairs]}


def _pair(merge: str | Sequence[str]) -> Sequence[str]:
    return merge.split(" ", 1) if isinstance(merge, str) else merge


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
