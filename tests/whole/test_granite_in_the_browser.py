"""Tiny Granite hybrids in headless Chromium against transformers in float32."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporter.parity.torch_reference import TorchDecoder
from tests.parity_notes import note
from tests.tiny_granite import PROMPT_LENGTHS, VARIANTS, random_ids

pytestmark = pytest.mark.browser

LIMIT = 1e-3
GREEDY = 64
LOGITS = """
const found = [];
for (const [ids, split] of args.prompts) found.push(Array.from(await model.logits(ids, split ? { split } : {})));
const ids = [];
for await (const piece of model.generate(args.text, { maxTokens: args.greedy, temperature: 0 })) ids.push(piece.id);
return { found, ids };
"""
TEXT = "The lightest thing that travels"


def _prompts() -> list[tuple[list[int], list[int] | None]]:
    """Every length in one piece, then a few in two pieces and token by token."""
    whole: list[tuple[list[int], list[int] | None]] = [
        (random_ids(length), None) for length in PROMPT_LENGTHS
    ]
    return [
        *whole,
        (random_ids(65), [31, 34]),
        (random_ids(65), [2, 63]),
        (random_ids(4), [1, 1, 1, 1]),
        (random_ids(63), [1] * 63),
    ]


@pytest.mark.parametrize(
    "index", range(len(VARIANTS)), ids=lambda i: "-".join(map(str, VARIANTS[i].values()))
)
def test_logits_and_greedy_tokens_equal_transformers(
    play: Callable[..., Any], writers: list[tuple[Path, Path]], index: int
) -> None:
    from tokenizers import Tokenizer

    source, folder = writers[index]
    prompts = _prompts()
    answer = play(folder, LOGITS, prompts=prompts, text=TEXT, greedy=GREEDY)
    torch = TorchDecoder(source)
    for (ids, split), found in zip(prompts, answer["found"], strict=True):
        difference = float(np.abs(np.array(found) - torch.logits(ids)[-1]).max())
        note("granitemoehybrid", "Chromium", source.name, difference)
        assert difference < LIMIT, (len(ids), split)
    prompt = Tokenizer.from_file(str(source / "tokenizer.json")).encode(TEXT).ids
    expected = torch.generate(prompt, GREEDY)
    ends = [i for i, token in enumerate(expected) if token == 0]
    assert answer["ids"] == expected[: ends[0] if ends else GREEDY]


def test_messages_are_read_as_transformers_reads_them(
    play: Callable[..., Any], writers: list[tuple[Path, Path]]
) -> None:
    """The template of a checkpoint, through the exporter and the engine, to the same ids: the same answer."""
    from transformers import AutoTokenizer

    source, folder = writers[0]
    messages = [{"role": "user", "content": " Où?\n"}, {"role": "assistant", "content": ""}]
    body = """
    const ids = [];
    for await (const piece of model.generate(args.messages, { maxTokens: 16, temperature: 0 })) ids.push(piece.id);
    return [model.stats().generation.promptTokens, ids];
    """
    prompt = AutoTokenizer.from_pretrained(source).apply_chat_template(
        messages, add_generation_prompt=True, return_dict=False
    )
    count, answer = play(folder, body, messages=messages)
    expected = TorchDecoder(source).generate(prompt, 16)
    assert count == len(prompt)
    assert answer == expected[: expected.index(0)] if 0 in expected else answer == expected
