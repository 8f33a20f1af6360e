"""Makes an extraction model say null more or less readily, in its weights: as much as a bias of the logit would.

The head has no bias. What it has is null's row of the table: where a value begins, the state is such that one vector
has a product of almost exactly one with all of them, and the row takes a multiple of it. That vector is found by least
squares, with a small ridge, at those places of training messages.
"""

from typing import Any

from exporter.reduction.extraction.sequences import step_batches
from exporter.reduction.extraction.tokenizer import null_of
from exporter.reduction.training.batches import Batch
from exporter.reduction.training.fast_mamba import fast_mamba
from exporter.reduction.training.losses import layer_outputs, targets

# Messages to fit on: 900 or so hold 5,000 values, twenty for each entry of the vector. Far from any run's steps.
_STEPS, _EXAMPLES, _TOKENS, _SKIPPED = 3, 306, 8192, 900_000
_RIDGE = 1e-3
# What the token before a text begins with; null itself is one token, with its colon.
_OPENS = '":'


def favour_null(model: Any, tokenizer: Any, nats: float) -> None:
    """Add `nats` to the logit of null where a value begins, by the row of null in the table that the head shares.

    Raises ReductionError where the tokenizer writes null in pieces.
    """
    import torch

    null = null_of(tokenizer)
    scaling = getattr(model.config, "logits_scaling", 1.0)
    with torch.no_grad():
        row = model.get_output_embeddings().weight[null]
        row += nats * scaling * _unit_vector(_states_where_values_begin(model, tokenizer)).to(row)


def _unit_vector(states: Any) -> Any:
    """The vector u (hidden) whose products with the states (N, hidden) are closest to one."""
    import torch

    found = states.double()
    ridge = _RIDGE * found.pow(2).mean() * len(found) * torch.eye(found.shape[1], dtype=found.dtype)
    return torch.linalg.solve(found.T @ found + ridge, found.sum(0))


def _states_where_values_begin(model: Any, tokenizer: Any) -> Any:
    """What the head reads (N, hidden) at the places of training messages where null or a text is next."""
    import torch

    begins = torch.tensor(
        [number for text, number in tokenizer.get_vocab().items() if text.startswith(_OPENS)]
    )
    with fast_mamba(), torch.no_grad():
        found = [
            _states(model, batch, begins) for step in range(_STEPS) for batch in _batches(tokenizer, step)
        ]
    return torch.cat(found)


def _states(model: Any, batch: Batch, wanted: Any) -> Any:
    import torch

    return layer_outputs(model, batch)[-1][torch.isin(targets(batch), wanted)]


def _batches(tokenizer: Any, step: int) -> list[Batch]:
    return step_batches(tokenizer, _TOKENS, _EXAMPLES, step, skipped=_SKIPPED, calm=0.95, plain=0.5)
