"""Losses over the targets of a batch; logits are computed for those tokens only."""

from typing import TYPE_CHECKING, Any

from exporter.reduction.training.batches import Batch

if TYPE_CHECKING:
    from torch import Tensor


def hidden_states(model: Any, batch: Batch) -> "Tensor":
    """What the last layer says where a target is to be foretold: (N, hidden)."""
    states: Tensor = model.model(batch.ids, use_cache=False).last_hidden_state
    return states[batch.rows, batch.places]


def logits(model: Any, batch: Batch) -> "Tensor":
    """Logits (N, vocabulary) for the targets, as the model itself scales them."""
    found: Tensor = model.lm_head(hidden_states(model, batch)) / getattr(model.config, "logits_scaling", 1.0)
    return found


def cross_entropy(model: Any, batch: Batch) -> "Tensor":
    """The sum over all targets."""
    from torch.nn import functional

    return functional.cross_entropy(logits(model, batch).float(), batch.targets, reduction="sum")
