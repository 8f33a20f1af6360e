"""Muon for the matrices between layers, AdamW for everything else."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from exporter.reduction.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

# Tables of tokens, and the thin matrices of adapters.
_NOT_HIDDEN = ("embed", "lm_head", "lora_")


def make_optimizers(model: "Module", recipe: Recipe) -> "Mapping[str, Optimizer]":
    """By name; every parameter that is trained belongs to one of them."""
    import torch

    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            hidden = parameter.ndim == 2 and not any(other in name for other in _NOT_HIDDEN)
            (matrices if hidden else others).append(parameter)
    found: dict[str, Optimizer] = {}
    if matrices:
        from exporter.reduction.training.torch_muon import Muon

        low = recipe.mixed_precision == "bf16"
        found["muon"] = Muon(matrices, recipe.learning_rate, recipe.weight_decay, low=low)
    if others:
        found["adamw"] = torch.optim.AdamW(
            others, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0
        )
    return found


def state_tensors(optimizers: "Mapping[str, Optimizer]") -> "dict[str, Tensor]":
    """All tensors of the optimizers' states, by names that `restore_state` reads."""
    import torch

    return {
        f"{name}.{index}.{key}": value if isinstance(value, torch.Tensor) else torch.tensor(value)
        for name, optimizer in optimizers.items()
        for index, state in optimizer.state_dict()["state"].items()
        for key, value in state.items()
    }


def restore_state(optimizers: "Mapping[str, Optimizer]", tensors: "Mapping[str, Tensor]") -> None:
    """Put the tensors of `state_tensors` back. Raises ValueError where they are of other parameters than these."""
    states: dict[str, dict[int, dict[str, Tensor]]] = {name: {} for name in optimizers}
    for place, tensor in tensors.items():
        owner, _, rest = place.partition(".")
        index, _, key = rest.partition(".")
        if owner not in states or not index.isdecimal() or not key:
            raise ValueError(f"{place} is no state of an optimizer of this run")
        states[owner].setdefault(int(index), {})[key] = tensor
    for name, optimizer in optimizers.items():
        _require_fit(name, optimizer, states[name])
        optimizer.load_state_dict({**optimizer.state_dict(), "state": states[name]})


def _require_fit(name: str, optimizer: "Optimizer", states: "Mapping[int, Mapping[str, Tensor]]") -> None:
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    for index, state in states.items():
        for key, tensor in state.items():
            if index >= len(parameters) or (tensor.ndim and tensor.shape != parameters[index].shape):
                raise ValueError(f"{name}.{index}.{key} fits no parameter of an optimizer of this run")
