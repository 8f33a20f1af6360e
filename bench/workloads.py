"""What is measured: the same ids, prompts and texts for every engine."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = 20261124
SENTENCE = "The lightest thing that travels on the wind is a seed with a crown of fine hair. "
# 64 sentences of about 23 tokens, no two alike: what a search page embeds in one go.
WORDS = (
    "river stone harbour winter lantern copper meadow signal engine garden marble thunder",
    "basket ribbon compass village orchard pepper blanket candle shadow mirror saddle feather",
)


@dataclass(frozen=True)
class Workload:
    """`method` of a runner, called with `args`; `key` picks the time out of what it gives, if not the value itself."""

    name: str
    method: str
    args: tuple[Any, ...]
    key: str | None
    tokens: int
    """How many tokens the time is for."""
    context: int = 0


def prefill_ids(tokens: int, vocabulary: int) -> list[int]:
    """Seeded ids; the values do not matter to the time, except that no engine may have seen them in a cache."""
    source = random.Random(SEED + tokens)
    return [source.randrange(vocabulary) for _ in range(tokens)]


def prefills(lengths: Sequence[int], vocabulary: int) -> Iterator[Workload]:
    """Prompts of these lengths, from nothing to the logits after the last token."""
    for tokens in lengths:
        yield Workload(f"prefill {tokens}", "prefill", (prefill_ids(tokens, vocabulary),), None, tokens)


def prompt(tokens: int, tokenizer_file: Path) -> dict[str, Any]:
    """A text of about so many tokens, at least one, with its ids as the tokenizer gives them."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    one = max(1, len(tokenizer.encode(SENTENCE).ids))
    text = SENTENCE * (tokens // one + 1)
    low, high = 1, len(text)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if len(tokenizer.encode(text[:middle]).ids) < tokens else (low, middle)
    return {"text": text[:low], "ids": tokenizer.encode(text[:low]).ids}


def decodes(prompts: Sequence[dict[str, Any]], tokens: int) -> Iterator[Workload]:
    """`tokens` more tokens after each prompt, greedily, timed from the first of them to the last."""
    for given in prompts:
        length = len(given["ids"])
        args = (given, tokens + 1)
        yield Workload(f"decode at {length}", "generate", args, "decodeMs", tokens, length)


def first_token(given: dict[str, Any]) -> Workload:
    """From the call to the first token."""
    length = len(given["ids"])
    return Workload(f"first token of {length}", "generate", (given, 1), "firstMs", length)


def sentences(count: int) -> list[str]:
    """Sentences of about 23 tokens with the two that mark their ends."""
    source, words = random.Random(SEED), " ".join(WORDS).split()
    return [" ".join(source.choices(words, k=20)) + "." for _ in range(count)]


def embedding(texts: list[str], tokenizer_file: Path) -> Workload:
    """All texts in one call."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_padding()
    ids = [tokenizer.encode(text).ids for text in texts]
    total = sum(map(len, ids))
    return Workload(f"embed {len(texts)} texts", "embed", ({"texts": texts, "ids": ids},), "", total)
