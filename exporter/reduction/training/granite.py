"""A dense Granite hybrid without positions in few passes over memory: documents are packed into rows, without padding.

It computes what transformers' module computes for each document alone, with that module's own parameters. Compiled,
each kind of layer is compiled once for all layers, because weights are arguments.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from exporter.reduction.training.mamba_scan import scan

if TYPE_CHECKING:
    from torch import Tensor

_OPTIONS = "packed_options"
# As good as minus infinity for a decay, and small enough for sums in float32.
_FORGOTTEN = -60.0


class Options(NamedTuple):
    """Compile layers (rows must then be of few shapes, for each is compiled, and on a CPU a C++ compiler there); in
    training leave out a share of what each mixer and MLP adds to the stream."""

    compiled: bool = False
    dropout: float = 0.0


class Sizes(NamedTuple):
    """Numbers of a model; `low` is the dtype of products of matrices."""

    heads: int
    groups: int
    state: int
    query_heads: int
    key_heads: int
    scale: float
    residual: float
    epsilon: float
    dropout: float
    low: Any


class Rows(NamedTuple):
    """What layers know of a batch: `starts` (B, T), which tokens begin a document; `near` (B, T, taps), 1 where the
    token that many places before belongs to the same; `mask` (B, 1, T, T), true where a token may see another."""

    starts: "Tensor"
    near: "Tensor"
    mask: "Tensor"


def set_options(module: Any, options: Options) -> None:
    """For every language model in `module`."""
    for each in module.modules():
        if hasattr(each, "lm_head"):
            setattr(each, _OPTIONS, options)


@contextmanager
def not_compiled(model: Any) -> Iterator[None]:
    """Within, layers are computed as they are written, so that rows may be of any shape."""
    before = _options(model)
    set_options(model, before._replace(compiled=False))
    try:
        yield
    finally:
        set_options(model, before)


def _options(model: Any) -> Options:
    found: Options = getattr(model, _OPTIONS, Options())
    return found


def packs(model: Any) -> bool:
    """Whether this file computes the model: dense, no positions, no biases but the convolution's, no limits of dt."""
    config = model.config
    return bool(
        config.model_type == "granitemoehybrid"
        and config.num_local_experts == 0
        and config.position_embedding_type != "rope"
        and not (config.mamba_proj_bias or config.attention_bias)
        and config.mamba_conv_bias
        and config.hidden_act == "silu"
        and tuple(config.time_step_limit) == (0.0, float("inf"))
    )


def layer_outputs(model: Any, ids: "Tensor", documents: "Tensor") -> "list[Tensor]":
    """Each layer's output (B, T, hidden), float32, the last one normed; `documents` (B, T) numbers those of a row."""
    import torch

    inner = model.model
    sizes, rows = _sizes(model), _rows(documents, inner.config.mamba_d_conv)
    x = inner.embed_tokens.weight[ids] * inner.embedding_multiplier
    found: list[Tensor] = []
    compiled = _options(model).compiled
    with torch.autocast(x.device.type, enabled=False):
        for layer in inner.layers:
            kind = _mamba_layer if layer.mamba is not None else _attention_layer
            x = _ready(kind, compiled)(x, _weights(layer), rows, sizes)
            found.append(x)
    found[-1] = _normed(x, inner.norm.weight, sizes.epsilon)
    return found


def _sizes(model: Any) -> Sizes:
    import torch

    config = model.config
    autocast = torch.is_autocast_enabled(model.device.type)
    return Sizes(
        config.mamba_n_heads,
        config.mamba_n_groups,
        config.mamba_d_state,
        config.num_attention_heads,
        config.num_key_value_heads,
        config.attention_multiplier,
        config.residual_multiplier,
        config.rms_norm_eps,
        _options(model).dropout if model.training else 0.0,
        torch.get_autocast_dtype(model.device.type) if autocast else torch.float32,
    )


def _rows(documents: "Tensor", taps: int) -> Rows:
    import torch
    from torch.nn import functional

    width = documents.shape[1]
    before = [functional.pad(documents, (tap, 0), value=-1)[:, :width] for tap in range(taps)]
    near = torch.stack([each == documents for each in before], -1).float()
    order = torch.arange(width, device=documents.device)
    same = documents[:, :, None] == documents[:, None, :]
    return Rows(before[1] != documents, near, (same & (order[:, None] >= order)).unsqueeze(1))


def _weights(layer: Any) -> "tuple[Tensor, ...]":
    mlp = layer.shared_mlp
    common = (layer.input_layernorm, layer.post_attention_layernorm, mlp.input_linear, mlp.output_linear)
    mixer = layer.mamba if layer.mamba is not None else layer.self_attn
    if layer.mamba is None:
        own = [_weight(each) for each in (mixer.q_proj, mixer.k_proj, mixer.v_proj, mixer.o_proj)]
    else:
        own = [_weight(mixer.in_proj), mixer.conv1d.weight.squeeze(1).t().contiguous(), mixer.conv1d.bias]
        own += [mixer.dt_bias, mixer.A_log, mixer.D, mixer.norm.weight, _weight(mixer.out_proj)]
    return (*(_weight(each) for each in common), *own)


def _weight(linear: Any) -> "Tensor":
    """The weight of a layer; where peft put a LoRA adapter on it, what both come to."""
    if not hasattr(linear, "lora_A"):
        return linear.weight
    (name,) = linear.active_adapters
    down, up = linear.lora_A[name].weight, linear.lora_B[name].weight
    return linear.base_layer.weight + linear.scaling[name] * (up @ down)


@cache
def _ready(layer: Any, compiled: bool) -> Any:
    import torch

    return torch.compile(layer, fullgraph=True, dynamic=False) if compiled else layer


def _mamba_layer(x: "Tensor", weights: "tuple[Tensor, ...]", rows: Rows, sizes: Sizes) -> "Tensor":
    norm, *mlp = weights[:4]
    x = _added(x, _mamba(_normed(x, norm, sizes.epsilon), weights[4:], rows, sizes), sizes)
    return _mlp(x, mlp, sizes)


def _attention_layer(x: "Tensor", weights: "tuple[Tensor, ...]", rows: Rows, sizes: Sizes) -> "Tensor":
    norm, *mlp = weights[:4]
    x = _added(x, _attention(_normed(x, norm, sizes.epsilon), weights[4:], rows, sizes), sizes)
    return _mlp(x, mlp, sizes)


def _mlp(x: "Tensor", weights: "list[Tensor]", sizes: Sizes) -> "Tensor":
    from torch.nn import functional

    norm, up, down = weights
    gate, value = _linear(_normed(x, norm, sizes.epsilon), up, sizes).chunk(2, -1)
    return _added(x, _linear(functional.silu(gate) * value, down, sizes).float(), sizes)


def _added(x: "Tensor", branch: "Tensor", sizes: Sizes) -> "Tensor":
    from torch.nn import functional

    return x + sizes.residual * (functional.dropout(branch, sizes.dropout) if sizes.dropout else branch)


def _attention(x: "Tensor", weights: "tuple[Tensor, ...]", rows: Rows, sizes: Sizes) -> "Tensor":
    from torch.nn import functional

    heads = (sizes.query_heads, sizes.key_heads, sizes.key_heads)
    q, k, v = (
        _linear(x, weight, sizes).unflatten(-1, (count, -1)).transpose(1, 2)
        for weight, count in zip(weights[:3], heads, strict=True)
    )
    shared = sizes.query_heads // sizes.key_heads
    k, v = (each.repeat_interleave(shared, 1) for each in (k, v))
    seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=rows.mask, scale=sizes.scale)
    return _linear(seen.transpose(1, 2).flatten(2), weights[3], sizes).float()


def _mamba(x: "Tensor", weights: "tuple[Tensor, ...]", rows: Rows, sizes: Sizes) -> "Tensor":
    from torch.nn import functional

    project, taps, bias, dt_bias, a_log, skip, norm, out = weights
    inner, shared = norm.shape[0], sizes.groups * sizes.state
    gate, mixed, dt = _linear(x, project, sizes).split([inner, inner + 2 * shared, sizes.heads], -1)
    mixed = functional.silu(_convolved(mixed, taps, bias, rows.near)).to(sizes.low)
    values, keys, queries = mixed.split([inner, shared, shared], -1)
    dt = functional.softplus(dt.float() + dt_bias)
    decay = (-dt * a_log.exp()).masked_fill(rows.starts[..., None], _FORGOTTEN)
    values = values.unflatten(-1, (sizes.heads, -1))
    keys, queries = (each.unflatten(-1, (sizes.groups, -1)) for each in (keys, queries))
    y, _ = scan((values * dt[..., None]).to(sizes.low), decay, keys, queries)
    y = (y + values * skip[:, None]).flatten(2) * functional.silu(gate.float())
    y = _normed(y.unflatten(-1, (sizes.groups, -1)), None, sizes.epsilon).flatten(2) * norm
    return _linear(y, out, sizes).float()


def _convolved(x: "Tensor", taps: "Tensor", bias: "Tensor", near: "Tensor") -> "Tensor":
    """The causal convolution of each channel within documents: x (B, T, channels), taps (count, channels)."""
    from torch.nn import functional

    count, width = taps.shape[0], x.shape[1]
    padded = functional.pad(x, (0, 0, count - 1, 0))
    out = bias.expand(x.shape)
    for back in range(count):
        shifted = padded[:, count - 1 - back : count - 1 - back + width]
        out = out + shifted * near[..., back, None] * taps[count - 1 - back]
    return out


def _linear(x: "Tensor", weight: "Tensor", sizes: Sizes) -> "Tensor":
    return x.to(sizes.low) @ weight.to(sizes.low).t()


def _normed(x: "Tensor", weight: "Tensor | None", epsilon: float) -> "Tensor":
    x = x.float()
    x = x * (x.square().mean(-1, keepdim=True) + epsilon).rsqrt()
    return x if weight is None else x * weight
