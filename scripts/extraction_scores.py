"""How often an artifact of the extraction model is right, and how fast it is, in onnxruntime on the CPU."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Protocol

from tokenizers import Tokenizer

from exporter.parity.onnx_runner import OnnxDecoder
from exporter.parity.plan_player import PlanPlayer
from exporter.reduction.extraction.evaluate import Scores, scores
from exporter.reduction.extraction.examples import Example, held_out_examples, written_examples
from exporter.reduction.extraction.schema import LANGUAGES
from exporter.reduction.extraction.sequences import end_of, tokens

_TIMED_TOKENS, _TIMES = 48, 5


class Decoder(Protocol):
    """What goes on after ids, greedily."""

    def generate(self, ids: Sequence[int], count: int) -> list[int]: ...


@dataclass(frozen=True)
class Measured:
    """Parts of one over all languages."""

    held_out: float
    held_out_count: int
    written: float
    written_f1: float
    written_count: int
    valid: float


def measure(
    artifact: Path,
    checkpoint: Path,
    kinds: Sequence[str],
    messages: int,
    longest: int,
    adapter: Path | None = None,
) -> Measured:
    """Both test sets, at most `messages` of each in a language and `longest` tokens of an answer that is wrong.

    With an adapter it is wgpu that plays its plan.
    """
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    decoder = OnnxDecoder(artifact) if adapter is None else PlanPlayer(artifact, adapter=adapter)
    held = [each for code in LANGUAGES for each in held_out_examples(code, messages, kinds=kinds)]
    written = [each for code in LANGUAGES for each in written_examples(code, kinds, messages)]
    first, second = (_scores(decoder, tokenizer, examples, longest) for examples in (held, written))
    valid = (first.valid * first.count + second.valid * second.count) / (first.count + second.count)
    return Measured(first.exact, first.count, second.exact, second.f1, second.count, valid)


def speed(artifact: Path, checkpoint: Path) -> float:
    """Tokens/s at which the answer to one message is decoded."""
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    (example,) = held_out_examples(LANGUAGES[0], 1)
    return tokens_per_second(OnnxDecoder(artifact), tokenizer.encode(example.prompt).ids)


def tokens_per_second(
    decoder: Decoder, prompt: Sequence[int], clock: Callable[[], float] = time.perf_counter
) -> float:
    """The median of differences between decoding many tokens and one, which reading the prompt falls out of."""
    decoder.generate(prompt, 1 + _TIMED_TOKENS)
    return _TIMED_TOKENS / median(_difference(decoder, prompt, clock) for _ in range(_TIMES))


def _difference(decoder: Decoder, prompt: Sequence[int], clock: Callable[[], float]) -> float:
    times = [clock()]
    for count in (1, 1 + _TIMED_TOKENS):
        decoder.generate(prompt, count)
        times.append(clock())
    return (times[2] - times[1]) - (times[1] - times[0])


def _scores(decoder: Decoder, tokenizer: Tokenizer, examples: Sequence[Example], longest: int) -> Scores:
    return scores(examples, [answer(decoder, tokenizer, each, longest) for each in examples])


def answer(decoder: Decoder, tokenizer: Tokenizer, example: Example, longest: int) -> str:
    """What is written greedily: the truth where each of its tokens is the likeliest, which one pass shows.

    Of an answer that is wrong `longest` tokens; one that is still right after so many may be as long as the truth.
    """
    whole, end = tokens(tokenizer, example), end_of(tokenizer)
    prompt, truth = whole.ids[: whole.start], list(whole.ids[whole.start :])
    if isinstance(decoder, OnnxDecoder):
        said = decoder.logits(whole.ids)[whole.start - 1 : -1].argmax(-1)
        if list(said) == truth:
            return example.answer
    made = decoder.generate(prompt, longest)
    if longest < len(truth) and made == truth[:longest]:
        made = decoder.generate(prompt, len(truth))
    return str(tokenizer.decode(made[: made.index(end)] if end in made else made))
