"""Lowering of what encoders do with their last hidden states: pooling, first tokens, rows asked for, logits."""

from collections.abc import Mapping

import onnx_ir as ir

from exporter.lowering.program import Target, View
from exporter.lowering.walk import Walk, constant_array, integer


def lower_mean_pool(walk: Walk, node: ir.Node) -> None:
    """MeanPool, with the L2 normalisation that follows it, into the output `embedding`."""
    _pool(walk, node, first_only=False)


def lower_first_token(walk: Walk, node: ir.Node) -> None:
    """Gather(x, 0, axis=1): the first token of each sequence of the packed batch, as an embedding or for a head."""
    index = constant_array(walk, node.inputs[1], node)
    if integer(node, "axis", 0) != 1 or index.ndim or int(index) != 0:
        raise walk.refuse(node, "of an activation only the first token")
    if walk.program.task == "sentence-embedding":
        _pool(walk, node, first_only=True)
        return
    x = walk.dense(node.inputs[0], node)
    walk.define(node.outputs[0], _take_rows(walk, x, "bounds", node))


def _pool(walk: Walk, node: ir.Node, first_only: bool) -> None:
    norm = walk.follower(node.outputs[0], "LpNormalization")
    if norm is not None and (integer(norm, "p", 2) != 2 or integer(norm, "axis", -1) not in (-1, 1)):
        raise walk.refuse(norm, "only the L2 norm over the last axis")
    end = node.outputs[0] if norm is None else norm.outputs[0]
    if not end.is_graph_output():
        raise walk.refuse(node, "the pooled embedding must be the output of the graph")
    x = walk.dense(node.inputs[0], node)
    program = walk.program
    index = program.buffer("embedding", "output", program.symbols["sequences"] * x.width * 4)
    out = View(index, "sequences", x.width, x.width, 0, 4)
    constants = {"width": x.width, "normalize": int(norm is not None), "first_only": int(first_only)}
    bindings: dict[str, View | Target] = {"x": x, "bounds": program.named("bounds"), "out": out}
    program.dispatch("mean_pool", bindings, constants, str(node.name))
    walk.define(end, out, *([norm] if norm is not None else []))


def encoder_logits(walk: Walk, x: View, width: int, node: ir.Node) -> tuple[View, View]:
    """The input of the last linear and its output: a row for each sequence, each token or each row asked for."""
    program = walk.program
    if program.task == "fill-mask":
        program.buffer("rows", "input", program.symbols["sequences"] * 4)
        x = _take_rows(walk, x, "rows", node)
    most = x.rows if isinstance(x.rows, int) else program.symbols[x.rows]
    index = program.buffer("logits", "output", most * width * 4)
    return x, View(index, x.rows, width, width, 0, 4)


def _take_rows(walk: Walk, x: View, index: str, node: ir.Node) -> View:
    out = walk.program.scratch("sequences", x.width)
    bindings: Mapping[str, View | Target] = {"x": x, "index": walk.program.named(index), "out": out}
    walk.program.dispatch("take_rows", bindings, {"width": x.width}, str(node.name))
    return out
