"""How often the extraction model is right: whole answers, single fields, and whether its JSON is JSON at all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exporter.reduction.extraction.examples import Example
from exporter.reduction.extraction.sequences import tokens
from exporter.reduction.training import granite
from exporter.reduction.training.batches import batches
from exporter.reduction.training.fast_mamba import fast_mamba
from exporter.reduction.training.losses import layer_outputs, logits, targets

_MOST_TOKENS = 320
_AT_ONCE = 64


@dataclass(frozen=True)
class Scores:
    """Of `count` answers: parts of one. F1 counts fields that have a value, in the answer or in truth."""

    count: int
    exact: float
    valid: float
    f1: float

    def to_json(self) -> dict[str, float]:
        return {"count": self.count, "exact": self.exact, "valid": self.valid, "f1": self.f1}


def scores(examples: Sequence[Example], answers: Sequence[str]) -> Scores:
    """Compare answers with the truth."""
    exact = valid = right = given = wanted = 0
    for example, text in zip(examples, answers, strict=True):
        found = parsed(text)
        valid += found is not None
        truth = {field: example.values.get(field) for field in example.fields}
        exact += found == truth
        filled = {(field, value) for field, value in (found or {}).items() if value is not None}
        true = {(field, value) for field, value in truth.items() if value is not None}
        right, given, wanted = right + len(filled & true), given + len(filled), wanted + len(true)
    count = max(1, len(examples))
    return Scores(len(examples), exact / count, valid / count, 2 * right / max(1, given + wanted))


def parsed(text: str) -> Mapping[str, str | None] | None:
    """The answer as an object of texts and nulls; None where it is something else."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    fits = isinstance(found, dict) and all(
        value is None or isinstance(value, str) for value in found.values()
    )
    return found if fits else None


def answers(model: Any, tokenizer: Any, examples: Sequence[Example]) -> list[str]:
    """What the model writes after each prompt, greedily, up to its end token; `tokenizer` is one of tokenizers.

    Where every token of the truth is the likeliest after those before it, greedy decoding writes the truth: one pass
    shows that. Only the others are decoded.
    """
    right = _foretold(model, tokenizer, examples)
    found = {i: examples[i].answer for i, sure in enumerate(right) if sure}
    encoded = {i: tokenizer.encode(each.prompt).ids for i, each in enumerate(examples) if i not in found}
    order = sorted(encoded, key=lambda i: len(encoded[i]))
    for first in range(0, len(order), _AT_ONCE):
        group = order[first : first + _AT_ONCE]
        made = _generate(model, [encoded[i] for i in group])
        found |= {
            i: tokenizer.decode(ids, skip_special_tokens=True) for i, ids in zip(group, made, strict=True)
        }
    return [found[i] for i in range(len(examples))]


def _foretold(model: Any, tokenizer: Any, examples: Sequence[Example]) -> list[bool]:
    """Whether each token of the example's answer, and the end, is the likeliest."""
    import torch

    device = next(model.parameters()).device
    found = []
    model.eval()
    for example in examples:
        (batch,) = batches([tokens(tokenizer, example)], 1, 0)
        with torch.no_grad(), fast_mamba(), granite.not_compiled(model):
            said = logits(model, layer_outputs(model, batch.to(device))[-1])
        found.append(bool((said.argmax(-1) == targets(batch.to(device))).all()))
    return found


def _generate(model: Any, prompts: Sequence[Sequence[int]]) -> list[list[int]]:
    import torch

    end, width = model.config.eos_token_id, max(map(len, prompts))
    device = next(model.parameters()).device
    ids = torch.tensor([[end] * (width - len(each)) + list(each) for each in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(each)) + [1] * len(each) for each in prompts], device=device)
    model.eval()
    with torch.no_grad(), fast_mamba():
        made = model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=_MOST_TOKENS,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=end,
        )
    return [_until(row, end) for row in made[:, width:].tolist()]


def _until(ids: Sequence[int], end: int) -> list[int]:
    return list(ids[: ids.index(end)]) if end in ids else list(ids)
