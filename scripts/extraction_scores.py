"""How often an artifact of the extraction model is right, and how fast it is, in onnxruntime on the CPU."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tokenizers import Tokenizer

from exporter.parity.onnx_runner import OnnxDecoder
from exporter.parity.plan_player import PlanPlayer
from exporter.reduction.extraction.evaluate import Scores, scores
from exporter.reduction.extraction.examples import Example, held_out_examples, written_examples
from exporter.reduction.extraction.schema import LANGUAGES
from exporter.reduction.extraction.sequences import end_of, tokens

_TIMED_TOKENS = 48


class Decoder(Protocol):
    """What goes on after ids, greedily."""

    def generate(self, ids: Sequence[int], count: int) -> list[int]: ...


@dataclass(frozen=True)
class Measured:
    """Parts of one over all languages, and tokens/s of one message's decoding."""

    held_out: float
    held_out_count: int
    written: float
    written_f1: float
    written_count: int
    valid: float
    tokens_per_second: float


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
    speed = _speed(decoder, tokenizer, held[0])
    return Measured(first.exact, first.count, second.exact, second.f1, second.count, valid, speed)


def _scores(decoder: Decoder, tokenizer: Tokenizer, examples: Sequence[Example], longest: int) -> Scores:
    return scores(examples, [_answer(decoder, tokenizer, each, longest) for each in examples])


def _answer(decoder: Decoder, tokenizer: Tokenizer, example: Example, longest: int) -> str:
    """What is written greedily: the truth where each of its tokens is the likeliest, which one pass shows."""
    whole, end = tokens(tokenizer, example), end_of(tokenizer)
    prompt = whole.ids[: whole.start]
    if isinstance(decoder, OnnxDecoder):
        said = decoder.logits(whole.ids)[whole.start - 1 : -1].argmax(-1)
        if list(said) == list(whole.ids[whole.start :]):
            return example.answer
    made = decoder.generate(prompt, longest)
    return str(tokenizer.decode(made[: made.index(end)] if end in made else made))


def _speed(decoder: Decoder, tokenizer: Tokenizer, example: Example) -> float:
    prompt = tokenizer.encode(example.prompt).ids
    decoder.generate(prompt, 2)
    times = []
    for count in (1, 1 + _TIMED_TOKENS):
        began = time.perf_counter()
        decoder.generate(prompt, count)
        times.append(time.perf_counter() - began)
    return _TIMED_TOKENS / (times[1] - times[0])
