"""Examples as sequences of tokens, and the batches of a step."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from exporter.reduction.extraction.examples import Example, training_examples
from exporter.reduction.extraction.prompts import END
from exporter.reduction.extraction.schema import KINDS, LANGUAGES
from exporter.reduction.training.batches import Batch, Tokens, packed

# Seeds of steps lie far from those of the tokenizer and of tests.
_FIRST_SEED = 1_000_000
# Of a row: four examples or so, and little is left over.
_WIDTH = 512


def step_batches(
    tokenizer: Any,
    most_tokens: int,
    count: int,
    step: int,
    kinds: Sequence[str] = tuple(KINDS),
    skipped: int = 0,
    calm: float = 0.0,
    plain: float = 0.0,
    languages: Sequence[str] = LANGUAGES,
) -> list[Batch]:
    """What a step reads: `count` examples in batches of at most `most_tokens`; `skipped` steps had been before."""
    endless = training_examples(_FIRST_SEED + skipped + step, kinds, calm, plain, languages)
    examples = islice(endless, count)
    sequences = [tokens(tokenizer, each) for each in examples]
    return packed(sequences, most_tokens, end_of(tokenizer), min(_WIDTH, most_tokens))


def tokens(tokenizer: Any, example: Example) -> Tokens:
    """The example's ids: prompt, answer, end; the answer and the end are to be foretold."""
    before = tokenizer.encode(example.prompt).ids
    after = tokenizer.encode(example.answer).ids
    return Tokens([*before, *after, end_of(tokenizer)], len(before))


def end_of(tokenizer: Any) -> int:
    """The token that ends an answer."""
    return int(tokenizer.token_to_id(END))
