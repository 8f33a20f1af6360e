"""Lowering of the Mamba-2 scan: one kernel for a token, chunks of 64 tokens for many."""

from collections.abc import Mapping
from dataclasses import dataclass

import onnx_ir as ir

from exporter.lowering.mamba_step import lower_mamba_step, scan_state, step_of, time_limits
from exporter.lowering.program import Program, Target, View
from exporter.lowering.walk import Walk, integer

CHUNK = 64
_ALIGNED = ("head_dim", "state_size", "stride", "x_offset", "b_offset", "c_offset")


@dataclass(frozen=True)
class _Scan:
    """One node: `rows` is the view that x, B and C are slices of; `given` and `out` are the kernels' other bindings."""

    rows: View
    given: Mapping[str, View | Target]
    constants: Mapping[str, float]
    out: View
    node: str


def lower_ssm_scan(walk: Walk, node: ir.Node) -> None:
    """SSMScan: x, B and C are slices of one row; the state stays on the GPU in float32."""
    convolution = _convolution_before(node)
    if convolution is not None and step_of(walk, convolution) is node:
        return lower_mamba_step(walk, convolution, node)
    x, dt, b, c = (walk.view(value) for value in node.inputs[:4])
    if len({(view.buffer, view.stride) for view in (x, b, c)}) != 1:
        raise walk.refuse(node, "x, B and C must be slices of one value")
    program = walk.program
    constants = _constants(node, x, dt, b, c)
    a_log, dt_bias = (program.weight(walk.weight(node.inputs[i], node)) for i in (4, 6))
    d = a_log if node.inputs[5] is None else program.weight(walk.weight(node.inputs[5], node))
    given: dict[str, View | Target] = {
        "dt": dt,
        "a_log": a_log,
        "dt_bias": dt_bias,
        "d": d,
        "state": scan_state(program, node, constants),
    }
    out = program.scratch(x.rows, x.width)
    scan = _Scan(x, given, constants, out, str(node.name))
    if x.rows == 1:
        program.dispatch("ssm_step", {"xbc": x, **given, "out": out}, constants, scan.node)
    else:
        _in_chunks(program, _aligned(program, scan))
    walk.define(node.outputs[0], out)


def _convolution_before(scan: ir.Node) -> ir.Node | None:
    """The CausalConvWithState that the scan's x is cut from."""
    split = scan.inputs[0].producer() if scan.inputs[0] is not None else None
    source = split.inputs[0] if split is not None and split.op_type == "Split" else None
    node = source.producer() if source is not None else None
    return node if node is not None and node.op_type == "CausalConvWithState" else None


def _constants(node: ir.Node, x: View, dt: View, b: View, c: View) -> dict[str, float]:
    heads, groups = integer(node, "num_heads", 1), integer(node, "n_groups", 1)
    return {
        "heads": heads,
        "head_dim": x.width // heads,
        "groups": groups,
        "state_size": b.width // groups,
        "stride": x.stride,
        "x_offset": x.offset,
        "b_offset": b.offset,
        "c_offset": c.offset,
        "dt_stride": dt.stride,
        "dt_offset": dt.offset,
        **time_limits(node),
        "has_d": int(node.inputs[5] is not None),
    }


def _aligned(program: Program, scan: _Scan) -> _Scan:
    """The scan over rows whose parts all are a whole number of vec4: a copy, where sizes do not give that already."""
    sizes = scan.constants
    if all(sizes[name] % 4 == 0 for name in _ALIGNED):
        return scan
    inner = int(sizes["heads"] * _whole_quads(sizes["head_dim"]))
    side = int(sizes["groups"] * _whole_quads(sizes["state_size"]))
    rows = program.scratch(scan.rows.rows, inner + 2 * side)
    program.dispatch("ssd_align", {"xbc": scan.rows, "out": rows}, sizes, scan.node)
    places = {"stride": rows.stride, "x_offset": 0, "b_offset": inner, "c_offset": inner + side}
    return _Scan(rows, scan.given, {**sizes, **places}, scan.out, scan.node)


def _whole_quads(width: float) -> int:
    return -(-int(width) // 4) * 4


def _in_chunks(program: Program, scan: _Scan) -> None:
    """The chunked form: what tokens keep of each other, then the states between chunks, then the output."""
    sizes = scan.constants
    heads, groups = int(sizes["heads"]), int(sizes["groups"])
    chunks = -(-program.symbols["tokens"] // CHUNK)
    state = _whole_quads(sizes["head_dim"]) * _whole_quads(sizes["state_size"])
    bindings: dict[str, View | Target] = {
        "xbc": scan.rows,
        "moves": program.scratch(scan.rows.rows, heads * 4, 4),
        "scores": program.scratch(chunks, groups * CHUNK * CHUNK, 4),
        "states": program.scratch(chunks, heads * state, 4),
        "out": scan.out,
        **scan.given,
    }
    for kernel in ("ssd_decay", "ssd_scores", "ssd_states", "ssd_out"):
        program.dispatch(kernel, bindings, sizes, scan.node)
