"""How answers and speeds are measured, on decoders that are none."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from tokenizers import Tokenizer

from exporter.reduction.extraction.examples import Example, held_out_examples
from exporter.reduction.extraction.sequences import tokens
from scripts.extraction_scores import answer, tokens_per_second
from scripts.reduction_chain import ROOT

MODEL = ROOT / "exporter" / "reduction" / "extraction" / "thistledown-extract"


@dataclass
class Says:
    """Goes on with `ids` whatever it is asked, and with zeros after them."""

    ids: Sequence[int]
    asked: list[int] = field(default_factory=list)

    def generate(self, ids: Sequence[int], count: int) -> list[int]:
        self.asked.append(count)
        return [*self.ids, *[0] * count][:count]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(MODEL / "tokenizer.json"))


@pytest.fixture(scope="module")
def example() -> Example:
    return held_out_examples("en", 1)[0]


def truth_of(tokenizer: Tokenizer, example: Example) -> list[int]:
    whole = tokens(tokenizer, example)
    return list(whole.ids[whole.start :])


@pytest.mark.parametrize("longest", [1, 5, 500])
def test_a_right_answer_may_be_longer_than_the_longest_wrong_one(
    tokenizer: Tokenizer, example: Example, longest: int
) -> None:
    decoder = Says(truth_of(tokenizer, example))
    assert answer(decoder, tokenizer, example, longest) == example.answer


def test_a_wrong_answer_is_not_decoded_further(tokenizer: Tokenizer, example: Example) -> None:
    truth = truth_of(tokenizer, example)
    decoder = Says([*truth[:3], truth[3] + 1, *truth[4:]])
    assert answer(decoder, tokenizer, example, 5) != example.answer
    assert decoder.asked == [5]


@dataclass
class Timed:
    """A decoder and its clock: half a second a prompt, a hundredth a token, and in some calls more."""

    stalls: dict[int, float]
    now: float = 0.0
    calls: int = 0

    def generate(self, _: Sequence[int], count: int) -> list[int]:
        self.now += 0.5 + 0.01 * count + self.stalls.get(self.calls, 0.0)
        self.calls += 1
        return [0] * count

    def clock(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "stalls",
    [{}, {0: 9.0}, {2: 0.3}, {1: 9.0}, {2: 5.0, 7: 5.0}],
    ids=["none", "warm-up", "one", "early", "two"],
)
def test_speed_is_not_that_of_one_lucky_or_unlucky_moment(stalls: dict[int, float]) -> None:
    decoder = Timed(stalls)
    assert tokens_per_second(decoder, [1, 2], decoder.clock) == pytest.approx(100)
    assert decoder.calls >= 11
