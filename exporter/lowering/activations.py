"""Lowering of activation functions, alone and as gates; linears fuse those that follow a bias."""

import onnx_ir as ir

from exporter.lowering.program import Target, View
from exporter.lowering.walk import Walk

# The codes of the kernels' override `activation` (wgsl_kernels/parts/activation.wgsl).
NONE, GELU, GELU_TANH, RELU, SILU, TANH, SIGMOID = range(7)
_PLAIN = {"Relu": RELU, "Silu": SILU, "Tanh": TANH, "Sigmoid": SIGMOID}
_GATES = {"SiluGate": SILU, "GeluGate": GELU_TANH}


def activation_code(node: ir.Node) -> int | None:
    """The code of an activation node, or None if `node` is none."""
    if node.op_type == "Gelu":
        approximate = node.attributes.get("approximate")
        return GELU_TANH if approximate is not None and approximate.as_string() == "tanh" else GELU
    return _PLAIN.get(node.op_type)


def gate_code(node: ir.Node) -> int | None:
    """The code of a gate's activation, or None if `node` is no gate of two halves of a row."""
    return _GATES.get(node.op_type)


def lower_activation(walk: Walk, node: ir.Node) -> None:
    """Gelu, Relu, Silu, Tanh or Sigmoid that no linear took along."""
    code = activation_code(node)
    if code is None:
        raise walk.refuse(node, "no kernel knows this activation")
    x = walk.view(node.inputs[0])
    out = walk.program.scratch(x.rows, x.width)
    constants = {"width": x.width, "x_stride": x.stride, "x_offset": x.offset, "activation": code}
    walk.program.dispatch("activate", {"x": x, "out": out}, constants, str(node.name))
    walk.define(node.outputs[0], out)


def lower_gate(walk: Walk, node: ir.Node) -> None:
    """SiluGate and GeluGate: act(first half) * second half."""
    x = walk.dense(node.inputs[0], node)
    out = walk.program.scratch(x.rows, x.width // 2)
    constants = {"width": out.width, "activation": _GATES[node.op_type]}
    walk.program.dispatch("gate", {"x": x, "out": out}, constants, str(node.name))
    walk.define(node.outputs[0], out)


def lower_multiply(walk: Walk, node: ir.Node) -> None:
    """The product of two activations of one shape."""
    a, b = (walk.view(value) for value in node.inputs)
    if a.width != b.width or a.rows != b.rows:
        raise walk.refuse(node, "the two must have the same shape")
    out = walk.program.scratch(a.rows, a.width)
    constants = {
        "width": a.width,
        "a_stride": a.stride,
        "a_offset": a.offset,
        "b_stride": b.stride,
        "b_offset": b.offset,
    }
    bindings: dict[str, View | Target] = {"a": a, "b": b, "out": out}
    walk.program.dispatch("multiply", bindings, constants, str(node.name))
    walk.define(node.outputs[0], out)
