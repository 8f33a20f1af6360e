"""What a model says where something is to be foretold, and the loss of the tokens that are right."""

from typing import TYPE_CHECKING, Any

from exporter.reduction.training import granite
from exporter.reduction.training.batches import NO_LABEL, Batch

if TYPE_CHECKING:
    from torch import Tensor

# The head is given a multiple of it: on a CPU oneDNN keeps some 10 MB for each size of a product in bfloat16, for ever.
_ROWS = 128


def whole_outputs(model: Any, batch: Batch) -> "list[Tensor]":
    """Each layer's output (B, T, hidden); the last one as the head reads it."""
    if granite.packs(model):
        return granite.layer_outputs(model, batch.ids, batch.documents)
    said = model.model(batch.ids, use_cache=False, output_hidden_states=True)
    return [*said.hidden_states[1:-1], said.last_hidden_state]


def layer_outputs(model: Any, batch: Batch) -> "list[Tensor]":
    """Each layer's output (N, hidden) at the N places that have labels; the last one as the head reads it."""
    chosen = batch.labels != NO_LABEL
    return [each[chosen] for each in whole_outputs(model, batch)]


def logits(model: Any, states: "Tensor") -> "Tensor":
    """Float32 logits (N, vocabulary) of the last layer's outputs, as the model itself scales them."""
    return product(model.lm_head, states) / getattr(model.config, "logits_scaling", 1.0)


def product(linear: Any, states: "Tensor") -> "Tensor":
    """Float32 outputs (N, out) of a linear layer for states (N, in)."""
    from torch.nn import functional

    count = len(states)
    found: Tensor = linear(functional.pad(states, (0, 0, 0, -count % _ROWS)))[:count]
    return found.float()


def targets(batch: Batch) -> "Tensor":
    """The labels (N) of those places."""
    return batch.labels[batch.labels != NO_LABEL]


def cross_entropy(model: Any, batch: Batch) -> "Tensor":
    """Of each target (N)."""
    return token_losses(model, batch, layer_outputs(model, batch)[-1])


def token_losses(model: Any, batch: Batch, states: "Tensor") -> "Tensor":
    """Cross-entropy (N) of each target, from the last layer's outputs (N, hidden) there."""
    from torch.nn import functional

    return functional.cross_entropy(logits(model, states), targets(batch), reduction="none")
