"""Muon: momentum whose matrices are made orthogonal before they are added.

Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024), as torch.optim.Muon computes it
with the learning rate matched to AdamW's, but for all matrices of one shape at once; on a CPU in float32 unless told.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

_NEWTON_SCHULZ, _STEPS, _MOMENTUM = (3.4445, -4.775, 2.0315), 5, 0.95


class Muon(torch.optim.Optimizer):  # type: ignore[misc]  # torch is not typed for mypy here
    """For matrices only, with Nesterov momentum and decoupled weight decay."""

    def __init__(self, matrices: Sequence[Tensor], rate: float, decay: float, *, low: bool = False) -> None:
        """`low`: products in bfloat16 on a CPU, too."""
        super().__init__(matrices, {"lr": rate, "weight_decay": decay})
        self._low = low or matrices[0].is_cuda

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: None = None) -> None:
        """One update of every matrix that has a gradient."""
        for group in self.param_groups:
            shapes: dict[tuple[int, ...], list[Tensor]] = {}
            for one in group["params"]:
                if one.grad is not None:
                    shapes.setdefault(tuple(one.shape), []).append(one)
            for same in shapes.values():
                self._update(same, group["lr"], group["weight_decay"])

    def _update(self, same: list[Tensor], rate: float, decay: float) -> None:
        for one in same:
            self.state[one].setdefault("momentum_buffer", torch.zeros_like(one))
        momenta = [self.state[one]["momentum_buffer"] for one in same]
        gradients = [one.grad for one in same]
        torch._foreach_lerp_(momenta, gradients, 1 - _MOMENTUM)
        turned = orthogonal(torch.stack(torch._foreach_lerp(gradients, momenta, _MOMENTUM)), low=self._low)
        torch._foreach_mul_(same, 1 - rate * decay)
        size = 0.2 * max(same[0].shape) ** 0.5
        torch._foreach_add_(same, list(turned.to(same[0].dtype).unbind()), alpha=-rate * size)


def orthogonal(matrices: Tensor, *, low: bool) -> Tensor:
    """(M, rows, columns) to the nearest semi-orthogonal ones, about: five steps of a Newton-Schulz iteration."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.to(torch.bfloat16 if low else torch.float32)
    x = x.transpose(1, 2) if tall else x
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    a, b, c = _NEWTON_SCHULZ
    for _ in range(_STEPS):
        gram = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.transpose(1, 2) if tall else x
