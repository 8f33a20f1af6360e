"""Gives a sentence embedder the pooling that its checkpoint asks for: builders make the mean, of length 1."""

import numpy as np
import onnx_ir as ir

from exporter.passes.rewriting import replace_node


def apply_pooling(model: ir.Model, first_token: bool, normalize: bool) -> None:
    """Take the first token where the mean was taken, and leave out the normalisation, as asked."""
    for node in list(model.graph):
        if node.op_type == "LpNormalization" and not normalize:
            _leave_out(model.graph, node)
        if node.op_type == "MeanPool" and first_token:
            replace_node(model.graph, node, [_first_token(model.graph, node)])
            for key in [key for key in model.functions if key[1] == node.op_type]:
                del model.functions[key]


def _first_token(graph: ir.Graph, pool: ir.Node) -> ir.Node:
    index = ir.Tensor(np.array(0, np.int64), name="first")
    value = ir.Value(name="first", shape=ir.Shape([]), type=ir.TensorType(index.dtype), const_value=index)
    graph.initializers["first"] = value
    gather = ir.node("Gather", [pool.inputs[0], value], {"axis": 1})
    gather.name = "first_token"
    return gather


def _leave_out(graph: ir.Graph, norm: ir.Node) -> None:
    source, result = norm.inputs[0], norm.outputs[0]
    if source is None:
        return
    source.name, source.type, source.shape = result.name, result.type, result.shape
    result.replace_all_uses_with(source, replace_graph_outputs=True)
    graph.remove(norm, safe=True)
