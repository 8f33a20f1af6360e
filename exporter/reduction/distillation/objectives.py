"""Losses of a student beside its teacher.

Forward KL is the divergence of the student's distribution from the teacher's over all tokens of the vocabulary, which
says more than the one right token (Hinton et al., arXiv 1503.02531; on logits only, as Minitron, arXiv 2407.14679).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exporter.reduction.training.batches import Batch
from exporter.reduction.training.losses import cross_entropy, layer_outputs, logits, targets

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


@dataclass(frozen=True)
class Objective:
    """Shares of the loss: KL at a temperature, cross-entropy with the data's own tokens, cosine of hidden states."""

    temperature: float = 1.0
    cross_entropy: float = 0.0
    hidden: float = 0.0

    @property
    def needs_no_teacher(self) -> bool:
        """Whether the data's own tokens are all that counts."""
        return self.cross_entropy == 1 and self.hidden == 0


def new_student(model: Any, teacher: Any, objective: Objective) -> "Module":
    """What is trained: `model`, and with hidden losses a projection of its hidden states to the teacher's width."""
    from torch import nn

    widths = model.config.hidden_size, teacher.config.hidden_size
    bridge = nn.Linear(*widths, bias=False) if objective.hidden and widths[0] != widths[1] else nn.Identity()
    return nn.ModuleDict({"model": model, "bridge": bridge})


def distillation_loss(teacher: Any, objective: Objective) -> Any:
    """A loss as `training.loop` takes it, over a student that `new_student` made."""

    def loss(student: Any, batch: Batch) -> "Tensor":
        import torch

        if objective.needs_no_teacher:
            return cross_entropy(student["model"], batch)
        with torch.no_grad():
            told_layers = layer_outputs(teacher, batch)
            told = logits(teacher, told_layers[-1])
        layers = layer_outputs(student["model"], batch)
        said = logits(student["model"], layers[-1])
        found = forward_kl(told, said, objective.temperature)
        if objective.cross_entropy:
            wrong = torch.nn.functional.cross_entropy(said, targets(batch), reduction="none")
            found = (1 - objective.cross_entropy) * found + objective.cross_entropy * wrong
        if objective.hidden:
            found = found + objective.hidden * _turned_away(told_layers, layers, student["bridge"])
        return found

    return loss


def forward_kl(teacher: "Tensor", student: "Tensor", temperature: float = 1.0) -> "Tensor":
    """KL(teacher || student) of each row (N) of logits (N, vocabulary), times the temperature squared."""
    from torch.nn import functional

    told = functional.log_softmax(teacher / temperature, -1)
    said = functional.log_softmax(student / temperature, -1)
    return functional.kl_div(said, told, reduction="none", log_target=True).sum(-1) * temperature**2


def _turned_away(teacher: "Sequence[Tensor]", student: "Sequence[Tensor]", bridge: Any) -> "Tensor":
    """1 - cosine between each of the student's layers and the teacher's at the same part of its depth: the mean (N)."""
    from torch.nn import functional

    parts = []
    for layer, state in enumerate(student, 1):
        target = teacher[round(layer * len(teacher) / len(student)) - 1]
        parts.append(1 - functional.cosine_similarity(bridge(state).float(), target.float(), -1))
    return sum(parts[1:], parts[0]) / len(parts)
