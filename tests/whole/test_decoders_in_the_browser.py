"""One tiny checkpoint of every architecture in headless Chromium against transformers in float32."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporter.parity.torch_reference import TorchDecoder
from tests.parity_notes import note
from tests.tiny_models import DECODERS, random_ids

pytestmark = pytest.mark.browser

LIMIT = 1e-3
GREEDY = 32
LOGITS = """
const found = [];
for (const [ids, split] of args.prompts) found.push(Array.from(await model.logits(ids, split ? { split } : {})));
const ids = [];
for await (const piece of model.generate(args.text, { maxTokens: args.greedy, temperature: 0 })) ids.push(piece.id);
return { found, ids };
"""
TEXT = "The lightest thing that travels"
PROMPTS = ((1, None), (7, None), (70, None), (70, [31, 39]), (7, [1] * 7))
NAMES = tuple({row.model_type: name for name, row in reversed(DECODERS.items())}.values())


@pytest.mark.parametrize("name", NAMES)
def test_logits_and_greedy_tokens_equal_transformers(
    play: Callable[..., Any], decoders: dict[str, tuple[Path, Path]], name: str
) -> None:
    from tokenizers import Tokenizer

    source, folder = decoders[name]
    row = DECODERS[name]
    prompts = [(random_ids(length, row.vocabulary), split) for length, split in PROMPTS]
    answer = play(folder, LOGITS, prompts=prompts, text=TEXT, greedy=GREEDY)
    torch = TorchDecoder(source)
    for (ids, split), found in zip(prompts, answer["found"], strict=True):
        difference = float(np.abs(np.array(found) - torch.logits(ids)[-1]).max())
        note(row.model_type, "Chromium", name, difference)
        assert difference < LIMIT, (len(ids), split)
    prompt = Tokenizer.from_file(str(source / "tokenizer.json")).encode(TEXT).ids
    expected = torch.generate(prompt, GREEDY)
    ends = [i for i, token in enumerate(expected) if token == 0]
    assert answer["ids"] == expected[: ends[0] if ends else GREEDY]
