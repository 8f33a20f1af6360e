"""Lowering of what looks across tokens: attention and convolution, with their states. The scan is in scan.py."""

import onnx_ir as ir

from exporter.lowering.decode_attention import attend_in_splits, splits_of
from exporter.lowering.mamba_step import convolution_bindings, convolution_sizes, step_of
from exporter.lowering.program import Target, View, direct_way
from exporter.lowering.walk import Walk, constant_array, integer, number

# What the kernels keep in registers and workgroup memory.
MOST_HEAD_DIM = 256
MOST_TAPS = 8

Rotary = tuple[Target, int]


def lower_multi_head_attention(walk: Walk, node: ir.Node) -> None:
    """MultiHeadAttention of q, k, v: bidirectional inside each sequence of the packed batch."""
    q, k, v = (walk.view(value) for value in node.inputs[:3])
    if any(value is not None for value in (node.inputs[3], *node.inputs[5:])):
        raise walk.refuse(node, "no bias, no attention_bias and no past")
    heads = integer(node, "num_heads", 1)
    _require_at_most(walk, node, "head_dim", q.width // heads, MOST_HEAD_DIM)
    out = walk.program.scratch(q.rows, q.width)
    constants = {"heads": heads, "head_dim": q.width // heads, "scale": _scale(node, q.width // heads)}
    for name, view in (("query", q), ("key", k), ("value", v)):
        constants |= {f"{name}_stride": view.stride, f"{name}_offset": view.offset}
    bindings: dict[str, View | Target] = {"query": q, "key": k, "value": v, "out": out}
    bindings |= {name: walk.program.named(name) for name in ("sequence_of", "bounds")}
    choice = direct_way("attention_bidirectional", "attention")
    walk.program.dispatch("attention_bidirectional", bindings, constants, str(node.name), choice=choice)
    walk.define(node.outputs[0], out)


def _require_at_most(walk: Walk, node: ir.Node, what: str, value: int, most: int) -> None:
    if value > most:
        raise walk.refuse(node, f"{what} is {value}, the kernels hold at most {most}")


def _scale(node: ir.Node, head_dim: int) -> float:
    return number(node, "scale", 0.0) or float(head_dim) ** -0.5


def lower_group_query_attention(walk: Walk, node: ir.Node) -> None:
    """GroupQueryAttention: rotate and write the new keys and values into the cache, then attend over it."""
    q, k, v = (walk.view(value) for value in node.inputs[:3])
    heads, kv_heads = integer(node, "num_heads", 1), integer(node, "kv_num_heads", 1)
    head_dim = q.width // heads
    _require_at_most(walk, node, "head_dim", head_dim, MOST_HEAD_DIM)
    rotary = _rotary_table(walk, node) if integer(node, "do_rotary", 0) else None
    caches = [_cache(walk, value, k.width) for value in node.inputs[3:5]]
    q = _write_caches(walk, node, (q, k, v), caches, rotary)
    out = walk.program.scratch(q.rows, q.width)
    constants: dict[str, float] = {
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": head_dim,
        "scale": _scale(node, head_dim),
        "query_stride": q.stride,
        "query_offset": q.offset,
        "window": max(integer(node, "local_window_size", -1), 0),
        "softcap": number(node, "softcap", 0.0),
    }
    bindings: dict[str, View | Target] = {"query": q, "key": caches[0], "value": caches[1]}
    constants["splits"] = splits_of(walk, constants)
    if constants["splits"] > 1:
        attend_in_splits(walk, bindings, constants, out, str(node.name))
    else:
        walk.program.dispatch("attention_causal", {**bindings, "out": out}, constants, str(node.name))
    walk.define(node.outputs[0], out)


def _cache(walk: Walk, past: ir.Value | None, width: int) -> Target:
    """The cache [context, kv width] that graph input `past` stands for."""
    name = "" if past is None else str(past.name)
    size = walk.program.symbols["past"] * width * walk.program.tier.elem_bytes
    walk.program.buffer(name, "state", size, role=name.rsplit(".", 1)[-1])
    return walk.program.named(name)


def _rotary_table(walk: Walk, node: ir.Node) -> Rotary:
    """The table behind cos_cache, and the number of rotated values in a head."""
    cos = node.inputs[7]
    producer = cos.producer() if cos is not None else None
    if producer is None or producer.op_type != "RotaryTable" or integer(node, "rotary_interleaved", 0):
        raise walk.refuse(node, "cos and sin must come from a RotaryTable, in half-split order")
    inv_freq = [float(f) for f in constant_array(walk, producer.inputs[0], producer)]
    positions = walk.program.symbols["past"]
    name = f"rope.{producer.name}"
    walk.program.buffer(
        name,
        "table",
        positions * len(inv_freq) * 8,
        table="rope",
        inv_freq=inv_freq,
        positions=positions,
        scale=number(producer, "scale", 1.0),
    )
    return walk.program.named(name), 2 * len(inv_freq)


def lower_rotary_table(walk: Walk, node: ir.Node) -> None:
    """Nothing to play: attention finds the table through its inputs."""


def _write_caches(
    walk: Walk, node: ir.Node, qkv: tuple[View, View, View], caches: list[Target], rotary: Rotary | None
) -> View:
    """Keys and values go into the caches; returns the queries, rotated as the keys are."""
    q, k, v = qkv
    bindings: dict[str, View | Target] = {"key": k, "value": v, "keys": caches[0], "values": caches[1]}
    constants: dict[str, float] = {"width": k.width}
    for name, view in (("query", q), ("key", k), ("value", v)):
        constants |= {f"{name}_stride": view.stride, f"{name}_offset": view.offset}
    if rotary is None:
        walk.program.dispatch("cache_write", bindings, constants, str(node.name))
        return q
    out = walk.program.scratch(q.rows, q.width)
    bindings |= {"query": q, "out": out, "table": rotary[0]}
    head_dim = q.width // integer(node, "num_heads", 1)
    constants |= {"query_width": q.width, "head_dim": head_dim, "rotary_dim": rotary[1]}
    walk.program.dispatch("cache_write_rope", bindings, constants, str(node.name))
    return out


def lower_causal_conv(walk: Walk, node: ir.Node) -> None:
    """CausalConvWithState with SiLU, channels last; its state is updated in place."""
    activation = node.attributes.get("activation")
    if (
        activation is None
        or activation.as_string() not in ("silu", "swish")
        or not integer(node, "channels_last", 0)
    ):
        raise walk.refuse(node, "only activation silu and channels_last")
    x, sizes = walk.view(node.inputs[0]), convolution_sizes(walk, node)
    _require_at_most(walk, node, "the number of taps", int(sizes["taps"]), MOST_TAPS)
    if step_of(walk, node) is not None:
        walk.define(node.outputs[0], x)
        return
    out = walk.program.scratch(x.rows, int(sizes["channels"]))
    constants = {**sizes, "x_stride": x.stride, "x_offset": x.offset}
    bindings = {"x": x, "out": out, **convolution_bindings(walk, node)}
    walk.program.dispatch("causal_conv", bindings, constants, str(node.name))
    walk.define(node.outputs[0], out)
