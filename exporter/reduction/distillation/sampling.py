"""Which lines a step reads: all of them once in each epoch, in an order that the seed and the epoch say."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from exporter.reduction.distillation.text_file import TextFile
from exporter.reduction.tokenizer_file import open_tokenizer
from exporter.reduction.training.batches import Batch, Tokens, batches, packed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Sampling:
    """`batch` lines a step, in batches of at most `most_tokens` ids; texts are cut after `longest`.

    With a `width` several texts share a row of that many tokens, for models that keep them apart; in a step that reads
    a longer text, of `longest`: rows have two shapes at most.
    """

    file: TextFile
    tokenizer: Path
    batch: int
    most_tokens: int
    longest: int
    seed: int
    width: int | None = None

    def __call__(self, step: int) -> list[Batch]:
        """The batches of a step."""
        useful = self._useful(self.lines(step))
        if self.width is None:
            return batches(useful, self.most_tokens, 0)
        fits = all(len(each.ids) <= self.width for each in useful)
        return packed(useful, self.most_tokens, 0, self.width if fits else self.longest)

    @property
    def teaches(self) -> bool:
        """Whether any line has something to foretell."""
        return any(self._useful([line]) for line in range(len(self.file)))

    def _useful(self, lines: Sequence[int]) -> list[Tokens]:
        """Those that foretell something: texts of two tokens, completions that begin before they are cut."""
        tokenizer = _tokenizer(self.tokenizer)
        sequences = [self.file.tokens(line, tokenizer, self.longest) for line in lines]
        return [each for each in sequences if len(each.ids) > max(1, each.start)]

    def lines(self, step: int) -> Sequence[int]:
        """The numbers of the lines of a step, from 0."""
        count = len(self.file)
        places = range(step * self.batch, (step + 1) * self.batch)
        return [int(_order(count, self.seed, place // count)[place % count]) for place in places]


@cache
def _tokenizer(path: Path) -> "Tokenizer":
    tokenizer = open_tokenizer(path)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


@cache
def _order(count: int, seed: int, epoch: int) -> "NDArray[np.int64]":
    return np.random.default_rng([seed, epoch]).permutation(count)
