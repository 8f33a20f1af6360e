"""A loss beside a language model's: a linear layer tells the tag of each token of a prompt from a middle layer.

A model that must say where in a text something stands learns it from the few tokens of its answer; the tags say it of
every token of the text. The layer is for training only, and no part of the model. Source: Søgaard and Goldberg, "Deep
multi-task learning with low level tasks supervised at lower layers", ACL 2016.
"""

from typing import TYPE_CHECKING, Any

from exporter.reduction.training.batches import NO_LABEL, Batch
from exporter.reduction.training.losses import product, token_losses, whole_outputs

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from exporter.reduction.training.loop import Loss


def with_tagger(model: Any, tags: int) -> "Module":
    """What is trained: `model`, and a layer that tells `tags` classes from its states; at first all are as likely."""
    from torch import nn

    tagger = nn.Linear(model.config.hidden_size, tags)
    nn.init.zeros_(tagger.weight)
    nn.init.zeros_(tagger.bias)
    return nn.ModuleDict({"model": model, "tagger": tagger})


def tagging_loss(layer: int, share: float) -> "Loss":
    """A loss over what `with_tagger` made, in which `share` of the tags' loss, told from the output of `layer`, counts.

    Gradients are of both; the value is that of the tokens alone, so that runs can be compared.
    """

    def loss(trained: Any, batch: Batch) -> "Tensor":
        outputs = whole_outputs(trained["model"], batch)
        found = token_losses(trained["model"], batch, outputs[-1][batch.labels != NO_LABEL])
        wrong = share * _tag_losses(trained["tagger"], batch, outputs[layer]).sum() / max(1, len(found))
        return found + (wrong - wrong.detach())

    return loss


def _tag_losses(tagger: Any, batch: Batch, states: "Tensor") -> "Tensor":
    """Cross-entropy of each tag there is."""
    from torch.nn import functional

    tagged = batch.tags != NO_LABEL
    told = product(tagger, functional.rms_norm(states[tagged], states.shape[-1:]))
    return functional.cross_entropy(told, batch.tags[tagged], reduction="none")
