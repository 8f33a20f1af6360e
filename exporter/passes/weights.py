"""Finding weights in a graph: initializers that are read lazily, as opposed to constants of the graph itself."""

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from exporter.errors import GraphError
from exporter.row_tensor import RowTensor


def is_weight(value: ir.Value | None) -> bool:
    """Whether `value` is an initializer that belongs into a shard."""
    return value is not None and isinstance(value.const_value, ir.LazyTensor | ir.ExternalTensor)


def tensor_of(value: ir.Value) -> ir.TensorProtocol:
    """The tensor behind a weight, which is read when its values are asked for."""
    if value.const_value is None:
        raise GraphError("a weight has no values", str(value.name), "Export the model again.")
    return value.const_value


def rows_of(value: ir.Value) -> RowTensor:
    """The weight as rows along its last axis; one that can only be read whole has a single slab."""
    tensor = tensor_of(value)
    if isinstance(tensor, RowTensor):
        return tensor
    shape = [int(dim) for dim in tensor.shape.numpy()]

    def read(start: int, stop: int) -> np.ndarray:
        return tensor.numpy().reshape(-1, shape[-1])[start:stop]

    return RowTensor(str(value.name), tensor.dtype, shape, read, slab_values=tensor.size)


def shape_of(value: ir.Value) -> tuple[int, ...]:
    """The shape of a weight."""
    return tuple(dim for dim in value.shape or () if isinstance(dim, int))


def shared_with(model: ir.Model, value: ir.Value) -> ir.Value:
    """The weight with the same bytes: an embedding's `.rows` are the head's `.blocks` where both are tied."""
    name = str(value.name)
    twin = name.removesuffix(".rows") + ".blocks"
    return model.graph.initializers.get(twin, value) if name.endswith(".rows") else value


def parameter_count(model: ir.Model) -> int:
    """Weights that the graph uses, each counted once; before quantization rewrites them."""
    return sum(tensor_of(value).size for value in weights(model))


def weights(model: ir.Model) -> Iterator[ir.Value]:
    """The weights of the main graph, in order of registration."""
    return (value for value in model.graph.initializers.values() if is_weight(value))
