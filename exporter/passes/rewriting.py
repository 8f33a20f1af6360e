"""The steps that rewrites of weights share: a new initializer, a cast to float32, a node in another's place."""

import numpy as np
import onnx_ir as ir

from exporter.passes.weights import rows_of, shape_of
from exporter.quantization import to_float16
from exporter.row_tensor import RowTensor


def add_initializer(graph: ir.Graph, tensor: RowTensor) -> ir.Value:
    """An initializer of `graph` called like `tensor`."""
    name = str(tensor.name)
    value = ir.Value(
        name=name,
        shape=ir.Shape(tensor.shape.numpy()),
        type=ir.TensorType(tensor.dtype),
        const_value=tensor,
    )
    graph.initializers[name] = value
    return value


def add_half(graph: ir.Graph, value: ir.Value) -> ir.Value:
    """The weight `value` as float16, under its name and in its place among the initializers."""
    name, source = str(value.name), rows_of(value)
    del graph.initializers[name]

    def read(start: int, stop: int) -> np.ndarray:
        return to_float16(source.read(start, stop), name=name)

    shape, slab = shape_of(value), source.slab_values
    return add_initializer(graph, RowTensor(name, ir.DataType.FLOAT16, shape, read, slab_values=slab))


def cast_to_float(value: ir.Value, name: str) -> ir.Node:
    """A node `name` that makes `value` float32; it is not in a graph yet."""
    node = ir.node("Cast", [value], {"to": ir.DataType.FLOAT.value})
    node.name = node.outputs[0].name = name
    return node


def replace_node(graph: ir.Graph, old: ir.Node, new: list[ir.Node]) -> None:
    """Put `new` where `old` was; the last one's first output becomes what `old` gave."""
    graph.insert_before(old, new)
    output, result = old.outputs[0], new[-1].outputs[0]
    result.name, result.type, result.shape = output.name, output.type, output.shape
    output.replace_all_uses_with(result, replace_graph_outputs=True)
    graph.remove(old, safe=True)
