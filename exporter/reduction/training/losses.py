"""What a model says where something is to be foretold, and the loss of the tokens that are right."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from exporter.reduction.training import granite
from exporter.reduction.training.batches import NO_LABEL, Batch

if TYPE_CHECKING:
    from torch import Tensor

# How much tokens count where they are to be foretold, one where it is not said.
Weights = Mapping[int, float]
# What is added to tokens' logits while training, in nats.
Margins = Mapping[int, float]
# The head is given a multiple of it: on a CPU oneDNN keeps some 10 MB for each size of a product in bfloat16, for ever.
_ROWS = 128


def layer_outputs(model: Any, batch: Batch) -> "list[Tensor]":
    """Each layer's output (N, hidden) at the N places that have labels; the last one as the head reads it."""
    if granite.packs(model):
        found = granite.layer_outputs(model, batch.ids, batch.documents)
    else:
        said = model.base_model(batch.ids, use_cache=False, output_hidden_states=True)
        found = [*said.hidden_states[1:-1], said.last_hidden_state]
    chosen = batch.labels != NO_LABEL
    return [each[chosen] for each in found]


def logits(model: Any, states: "Tensor") -> "Tensor":
    """Float32 logits (N, vocabulary) of the last layer's outputs, as the model itself scales them."""
    from torch.nn import functional

    count = len(states)
    filled = functional.pad(states, (0, 0, 0, -count % _ROWS))
    head, config = model.get_output_embeddings(), model.config
    found: Tensor = (head(filled)[:count] / getattr(config, "logits_scaling", 1.0)).float()
    cap = getattr(config, "final_logit_softcapping", None)
    return found if cap is None else cap * (found / cap).tanh()


def targets(batch: Batch) -> "Tensor":
    """The labels (N) of those places."""
    return batch.labels[batch.labels != NO_LABEL]


def cross_entropy(
    model: Any, batch: Batch, weights: Weights | None = None, margins: Margins | None = None
) -> "Tensor":
    """Of each target (N), times the weight of its token if `weights` has one.

    A token of `margins` is favoured by as much while it trains, so that the model without it says it as much less
    readily (logit adjustment: Menon et al., arXiv 2007.07314).
    """
    import torch
    from torch.nn import functional

    said, wanted = logits(model, layer_outputs(model, batch)[-1]), targets(batch)
    for token, margin in (margins or {}).items():
        said = said.index_add(
            1, torch.tensor([token], device=said.device), said.new_full((len(said), 1), margin)
        )
    found = functional.cross_entropy(said, wanted, reduction="none")
    for token, weight in (weights or {}).items():
        found = torch.where(wanted == token, weight * found, found)
    return found
