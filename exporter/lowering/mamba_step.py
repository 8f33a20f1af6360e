"""Lowering of one token of a Mamba-2 mixer: convolution, scan and, where the norm allows it, gate are one kernel."""

from collections.abc import Mapping
from dataclasses import dataclass

import onnx_ir as ir

from exporter.lowering.linears import takes_norm
from exporter.lowering.program import Program, Target, View
from exporter.lowering.stored_weights import weight_shape
from exporter.lowering.walk import Norm, Walk, constant_array, integer, number

# Most bytes between the first and the last of the vectors that are bound as one.
_MOST_SPAN = 1 << 14
# Most rows of a state: the kernel holds two vectors of that length in workgroup memory.
_MOST_STATE = 1024
_X, _DT, _B, _C, _A_LOG, _D, _DT_BIAS = range(7)


def step_of(walk: Walk, convolution: ir.Node) -> ir.Node | None:
    """The SSMScan that does the work of `convolution` as well; None where both are played by themselves.

    The kernel reads the convolution's input, so the views of its output are taken as views of that.
    """
    split = walk.follower(convolution.outputs[0], "Split")
    if walk.mode != "decode" or split is None:
        return None
    users = {walk.only_user(value) for value in split.outputs}
    scan = users.pop()
    if users or scan is None or scan.op_type != "SSMScan":
        return None
    if tuple(scan.inputs[i] for i in (_X, _B, _C)) != tuple(split.outputs):
        return None
    inner, side, _ = (int(width) for width in constant_array(walk, split.inputs[1], split))
    head_dim, state_size = inner // integer(scan, "num_heads", 1), side // integer(scan, "n_groups", 1)
    fits = head_dim % 4 == 0 and state_size <= _MOST_STATE
    return scan if fits and _reachable(walk, convolution, scan) else None


def _reachable(walk: Walk, convolution: ir.Node, scan: ir.Node) -> bool:
    """Whether all that the kernel reads can be bound: x, B, C and dt in one row, the vectors near each other."""
    x, dt = convolution.inputs[0], scan.inputs[_DT]
    if not (walk.known(x) and walk.known(dt)) or walk.view(x).buffer is not walk.view(dt).buffer:
        return False
    return _vectors(walk, scan) is not None


@dataclass(frozen=True)
class _Vectors:
    """A_log, dt_bias and D bound as one range, and where each begins in it, in elements."""

    target: Target
    places: Mapping[str, int]


def _vectors(walk: Walk, scan: ir.Node) -> _Vectors | None:
    """None where they lie too far from each other."""
    values = {"a_at": scan.inputs[_A_LOG], "dt_bias_at": scan.inputs[_DT_BIAS], "d_at": scan.inputs[_D]}
    spans = {name: walk.weight(value, scan) for name, value in values.items() if value is not None}
    first = min(span.offset for span in spans.values())
    size = max(span.offset + span.bytes for span in spans.values()) - first
    if len({span.buffer for span in spans.values()}) > 1 or size > _MOST_SPAN:
        return None
    start = walk.program.weight(spans["a_at"])
    places = dict.fromkeys(values, 0) | {n: (span.offset - first) // 4 for n, span in spans.items()}
    return _Vectors(Target(start.buffer, first, size), places)


def lower_mamba_step(walk: Walk, convolution: ir.Node, scan: ir.Node) -> None:
    """`convolution` and `scan` for one token; with the gate, where its norm goes into the linear behind it."""
    program, node = walk.program, str(scan.name)
    vectors = _vectors(walk, scan)
    if vectors is None:
        raise walk.refuse(scan, "its vectors lie too far from each other")
    x = walk.view(scan.inputs[_X])
    constants = {**_sizes(walk, convolution, scan), **vectors.places}
    bindings = {"row": x, "vectors": vectors.target, **convolution_bindings(walk, convolution)}
    bindings["state"] = scan_state(program, scan, constants)
    gated = _gated_norm(walk, scan, x)
    out = program.scratch(x.rows, x.width, 4 if gated else None)
    if gated is None:
        program.dispatch("mamba_step_plain", {**bindings, "out": out}, constants, node)
        walk.define(scan.outputs[0], out)
        return
    constants["z_offset"] = walk.view(gated.inputs[1]).offset
    program.dispatch("mamba_step_gated", {**bindings, "out": out}, constants, node)
    weight = program.weight(walk.weight(gated.inputs[2], gated))
    walk.postpone(gated.outputs[0], Norm(out, weight, number(gated, "epsilon", 1e-5)))
    walk.define(scan.outputs[0], out, gated)


def scan_state(program: Program, scan: ir.Node, sizes: Mapping[str, float]) -> Target:
    """The scan's state, which stays on the GPU in float32."""
    name = str(scan.inputs[7].name) if scan.inputs[7] is not None else ""
    size = int(sizes["heads"] * sizes["state_size"] * sizes["head_dim"])
    program.buffer(name, "state", size * 4, role="ssm")
    return program.named(name)


def _sizes(walk: Walk, convolution: ir.Node, scan: ir.Node) -> dict[str, float]:
    x, dt, b, c = (walk.view(scan.inputs[i]) for i in (_X, _DT, _B, _C))
    heads, groups = integer(scan, "num_heads", 1), integer(scan, "n_groups", 1)
    return {
        "heads": heads,
        "head_dim": x.width // heads,
        "groups": groups,
        "state_size": b.width // groups,
        "x_offset": x.offset,
        "b_offset": b.offset,
        "c_offset": c.offset,
        "conv_offset": walk.view(convolution.inputs[0]).offset,
        **convolution_sizes(walk, convolution),
        "dt_offset": dt.offset,
        **time_limits(scan),
        "has_d": int(scan.inputs[_D] is not None),
    }


def time_limits(scan: ir.Node) -> dict[str, float]:
    """Between what the step size is held, as floats of the shader."""
    most = 3.4e38
    return {"dt_min": number(scan, "dt_min", 0.0), "dt_max": min(number(scan, "dt_max", most), most)}


def convolution_sizes(walk: Walk, node: ir.Node) -> dict[str, float]:
    """Channels and taps of a convolution, and whether it has a bias."""
    if node.inputs[1] is None:
        raise walk.refuse(node, "the kernel must be a weight")
    channels, *_, taps = weight_shape(node.inputs[1])
    return {"channels": channels, "taps": taps, "has_bias": int(node.inputs[2] is not None)}


def convolution_bindings(walk: Walk, node: ir.Node) -> dict[str, View | Target]:
    """Its weights, and its state: a ring [taps][channels], the row of a token at its position % taps."""
    program, bias, past = walk.program, node.inputs[2], node.inputs[3]
    sizes = convolution_sizes(walk, node)
    name = str(past.name) if past is not None else ""
    program.buffer(
        name, "state", int(sizes["taps"] * sizes["channels"]) * program.tier.elem_bytes, role="conv"
    )
    weight = program.weight(walk.weight(node.inputs[1], node))
    return {
        "ring": program.named(name),
        "weight": weight,
        "bias": weight if bias is None else program.weight(walk.weight(bias, node)),
    }


def _gated_norm(walk: Walk, scan: ir.Node, x: View) -> ir.Node | None:
    """The GatedRMSNorm of the scan's output, where its linear takes the norm and z lies in the same row."""
    norm = walk.follower(scan.outputs[0], "GatedRMSNorm")
    if norm is None or norm.inputs[0] is not scan.outputs[0] or integer(norm, "n_groups", 1) != 1:
        return None
    gate = norm.inputs[1]
    if not walk.known(gate) or walk.view(gate).buffer is not x.buffer:
        return None
    return norm if takes_norm(walk, norm.outputs[0], x.width, ("store", "residual")) else None
