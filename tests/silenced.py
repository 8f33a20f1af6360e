"""A whole model that computes what its pruned one must: the parts that go are silenced where they are."""

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from exporter.reduction.pruning.anatomy import Anatomy
from exporter.reduction.pruning.choosing import Choice, Importance


class OverKept(torch.nn.Module):
    """A norm over the channels `kept` alone; the others come out as zeros."""

    def __init__(self, norm: torch.nn.Module, kept: Sequence[int], groups: int = 1) -> None:
        super().__init__()
        self.kept = torch.as_tensor(kept)
        self.small = copy.deepcopy(norm)
        for name in ("weight", "bias"):
            if getattr(norm, name, None) is not None:
                setattr(self.small, name, torch.nn.Parameter(getattr(norm, name)[self.kept]))
        if hasattr(norm, "normalized_shape"):
            self.small.normalized_shape = (len(kept),)
        if hasattr(norm, "group_size"):
            self.small.group_size = len(kept) // groups

    @property
    def weight(self) -> torch.Tensor:
        return self.small.weight

    def forward(self, x: torch.Tensor, *gate: torch.Tensor) -> torch.Tensor:
        out = torch.zeros_like(x)
        out[..., self.kept] = self.small(x[..., self.kept], *(one[..., self.kept] for one in gate))
        return out


def random_importance(anatomy: Anatomy, seed: int = 0) -> Importance:
    """Scores that mean nothing, for all that there is."""
    draw, sizes = np.random.default_rng(seed), anatomy.sizes
    names = [name for name in anatomy.prunable if name not in ("layers", "hidden", "kv_heads")]

    def within() -> Mapping[str, np.ndarray]:
        found = {name: draw.random(sizes[name]) for name in names}
        if "expert_mlp" in names:
            found["expert_mlp"] = draw.random((sizes["experts"], sizes["expert_mlp"]))
        return found

    return Importance(
        draw.random(sizes["layers"]), draw.random(sizes["hidden"]), [within() for _ in range(sizes["layers"])]
    )


def silence(model: torch.nn.Module, anatomy: Anatomy, choice: Choice) -> None:
    """Change `model` in place so that only what `choice` keeps is heard."""
    body = model.base_model if hasattr(model, "base_model") else model
    if "hidden" in choice.everywhere:
        _silence_stream(body, anatomy, choice.everywhere["hidden"])
    for layer in range(anatomy.sizes["layers"]):
        place = f"{anatomy.family.root}{anatomy.family.layers}.{layer}"
        module = body.get_submodule(place)
        if layer in choice.layers:
            _silence_layer(module, anatomy, choice.within[layer])
        else:
            module.register_forward_hook(_leave_as_it_was, with_kwargs=True)


def _silence_stream(body: torch.nn.Module, anatomy: Anatomy, kept: np.ndarray) -> None:
    """In every norm, and in what enters the first layer, which not every model norms."""
    whole = (anatomy.sizes["hidden"],)
    for name, norm in list(body.named_modules()):
        gated = hasattr(norm, "group_size")
        if "Norm" in type(norm).__name__ and norm.weight.shape == whole and not gated:
            _replace(body, name, OverKept(norm, kept.tolist()))
    mask = torch.zeros(whole)
    mask[torch.as_tensor(kept)] = 1

    def enter(module, inputs, named):  # noqa: ANN001, ANN202  # a hook
        if inputs:
            return (inputs[0] * mask, *inputs[1:]), named
        return inputs, {**named, "hidden_states": named["hidden_states"] * mask}

    first = body.get_submodule(f"{anatomy.family.root}{anatomy.family.layers}.0")
    first.register_forward_pre_hook(enter, with_kwargs=True)


def _leave_as_it_was(module, inputs, named, output):  # noqa: ANN001, ANN202  # a hook
    before = inputs[0] if inputs else named["hidden_states"]
    return (before, *output[1:]) if isinstance(output, tuple) else before


def _silence_layer(layer: torch.nn.Module, anatomy: Anatomy, kept: Mapping[str, np.ndarray]) -> None:
    family, sizes = anatomy.family, anatomy.sizes
    modules = dict(layer.named_modules())
    for name, width in (("mlp", 1), ("heads", sizes.get("head_dim", 1))):
        if name in kept and family.readers.get(name) in modules:
            mask = torch.zeros(sizes[name], width)
            mask[torch.as_tensor(kept[name])] = 1
            reader = modules[family.readers[name]]
            reader.register_forward_pre_hook(lambda module, x, mask=mask: (x[0] * mask.ravel(),))
    if family.mixer in modules and family.mixer:
        _silence_mixer(modules[family.mixer], anatomy, kept)
    if family.readers.get("experts") in modules:
        _silence_experts(modules, anatomy, kept)


def _silence_mixer(mixer: torch.nn.Module, anatomy: Anatomy, kept: Mapping[str, np.ndarray]) -> None:
    sizes = anatomy.sizes
    heads = kept.get("mamba_heads", np.arange(sizes["mamba_heads"]))
    channels = kept.get("mamba_channels", np.arange(sizes["mamba_channels"]))
    inner = (heads[:, None] * sizes["mamba_channels"] + channels).ravel()
    mixer.norm = OverKept(mixer.norm, inner.tolist(), sizes["groups"])


def _silence_experts(
    modules: Mapping[str, torch.nn.Module], anatomy: Anatomy, kept: Mapping[str, np.ndarray]
) -> None:
    experts = modules[anatomy.family.readers["experts"]]
    router = modules[anatomy.family.readers["experts"].replace("experts", "router")]
    gone = sorted(
        set(range(anatomy.sizes["experts"])) - set(kept.get("experts", np.arange(1 << 10)).tolist())
    )

    def route(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        logits = torch.nn.functional.linear(x, router.weight)
        logits[:, gone] = -torch.inf
        top, chosen = logits.topk(router.top_k, dim=-1)
        return logits, torch.softmax(top, dim=-1), chosen

    router.forward = route
    if "expert_mlp" in kept:
        with torch.no_grad():
            for expert, neurons in enumerate(kept["expert_mlp"]):
                mask = torch.zeros(anatomy.sizes["expert_mlp"])
                mask[torch.as_tensor(neurons)] = 1
                experts.down_proj[expert] *= mask


def _replace(body: torch.nn.Module, name: str, module: torch.nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(body.get_submodule(parent), last, module)
