"""The graph builder: a thin layer over onnx_ir that names nodes by scope and reads weights lazily."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import onnx_ir as ir

from exporter.ops import DOMAIN, VERSION, functions_for
from exporter.row_tensor import RowTensor

OPSET = 21
IR_VERSION = 10
MICROSOFT = "com.microsoft"

Array = np.ndarray
Attribute = int | float | str | Sequence[int] | Sequence[float]


class WeightSource(Protocol):
    """Where a builder gets its weights: a checkpoint, or a test's dictionary."""

    @property
    def tensors(self) -> Mapping[str, object]:
        """The tensors there are, by name."""

    def require(self, name: str, shape: tuple[int, ...]) -> object:
        """Check that tensor `name` is there with `shape`; raises WeightsError."""

    def read(self, name: str) -> Array:
        """The tensor as float32."""

    def read_rows(self, name: str, start: int, stop: int) -> Array:
        """Rows [start, stop) along the last axis, the axes before it counted as one: float32 (stop - start, width)."""


class GraphBuilder:
    """Collects nodes, inputs, outputs and lazily read initializers of one model."""

    def __init__(self, name: str, weights: WeightSource) -> None:
        self._name = name
        self._weights = weights
        self._scopes: list[str] = []
        self._nodes: list[ir.Node] = []
        self._inputs: list[ir.Value] = []
        self._outputs: list[ir.Value] = []
        self._initializers: dict[str, ir.Value] = {}

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Prefix the names of everything made inside with `name`."""
        self._scopes.append(name)
        try:
            yield
        finally:
            self._scopes.pop()

    def input(self, name: str, dtype: ir.DataType, shape: Sequence[int | str]) -> ir.Value:
        """Declare a graph input."""
        value = ir.val(name, dtype, shape)
        self._inputs.append(value)
        return value

    def output(self, value: ir.Value, name: str, dtype: ir.DataType, shape: Sequence[int | str]) -> None:
        """Declare `value` as the graph output `name`."""
        value.name, value.dtype, value.shape = name, dtype, ir.Shape(shape)
        self._outputs.append(value)

    def ops(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        outputs: int,
        *,
        domain: str = "",
        name: str | None = None,
        **attributes: Attribute,
    ) -> Sequence[ir.Value]:
        """Add a node with several outputs. `name` replaces the operator in the values' names."""
        scope = "/".join([*self._scopes, name or op_type])
        made = ir.node(op_type, inputs, attributes, domain=domain, num_outputs=outputs)
        made.name = f"{scope}#{len(self._nodes)}"
        for index, value in enumerate(made.outputs):
            value.name = f"{made.name}.{index}" if outputs > 1 else made.name
        self._nodes.append(made)
        return made.outputs

    def op(
        self,
        op_type: str,
        *inputs: ir.Value | None,
        domain: str = "",
        name: str | None = None,
        **attributes: Attribute,
    ) -> ir.Value:
        """Add a node with one output."""
        return self.ops(op_type, inputs, 1, domain=domain, name=name, **attributes)[0]

    def constant(self, name: str, array: Array) -> ir.Value:
        """A small initializer that is known now and stays inside model.onnx."""
        return self._initializer(name, ir.Tensor(array, name=name))

    def scalar(self, value: float) -> ir.Value:
        """A float32 scalar initializer, shared by value."""
        return self.constant(f"scalar.{value!r}", np.array(value, np.float32))

    def weight(self, *names: str, shape: Sequence[int], rows: Sequence[int] | None = None) -> ir.Value:
        """A float32 initializer read from the checkpoint: one tensor, or several stacked along axis 0.

        `shape` is that of the result; `rows` the number of rows of each tensor when there are several.
        """
        parts = rows or [shape[0]]
        for name, count in zip(names, parts, strict=True):
            self._weights.require(name, (count, *shape[1:]))
        joined = "+".join(names)
        if len(shape) < 2:
            return self.derived(
                joined, shape, lambda: np.concatenate([self._weights.read(name) for name in names])
            )
        stack = _Stack(self._weights, names, [count * math.prod(shape[1:-1]) for count in parts])
        return self.derived_rows(joined, shape, stack.read)

    def derived(self, name: str, shape: Sequence[int], read: Callable[[], Array]) -> ir.Value:
        """A float32 initializer computed from the checkpoint by `read` when it is written: for small tensors."""
        tensor = ir.LazyTensor(
            lambda: ir.Tensor(read(), name=name), ir.DataType.FLOAT, ir.Shape(shape), name=name
        )
        return self._initializer(name, tensor)

    def derived_rows(self, name: str, shape: Sequence[int], read: Callable[[int, int], Array]) -> ir.Value:
        """A float32 initializer whose rows [start, stop) `read` computes, some at a time, when they are written.

        Rows run along the last axis, the axes before it counted as one: `read` gives (stop - start, shape[-1]).
        """
        return self._initializer(name, RowTensor(name, ir.DataType.FLOAT, shape, read))

    def read(self, name: str) -> Array:
        """A checkpoint tensor as float32, for `derived`."""
        return self._weights.read(name)

    def read_rows(self, name: str, start: int, stop: int) -> Array:
        """Rows [start, stop) of a checkpoint tensor as float32, for `derived_rows`."""
        return self._weights.read_rows(name, start, stop)

    def require(self, name: str, shape: tuple[int, ...]) -> None:
        """Check that the checkpoint has `name` with `shape`."""
        self._weights.require(name, shape)

    def _initializer(self, name: str, tensor: ir.TensorProtocol) -> ir.Value:
        if name not in self._initializers:
            self._initializers[name] = ir.Value(
                name=name,
                shape=ir.Shape(tensor.shape.numpy()),
                type=ir.TensorType(tensor.dtype),
                const_value=tensor,
            )
        return self._initializers[name]

    def finish(self) -> ir.Model:
        """The model, with the functions that its nodes call."""
        graph = ir.Graph(
            self._inputs,
            self._outputs,
            nodes=self._nodes,
            initializers=tuple(self._initializers.values()),
            opset_imports={"": OPSET, MICROSOFT: 1, DOMAIN: VERSION},
            name=self._name,
        )
        called = sorted({node.op_type for node in self._nodes if node.domain == DOMAIN})
        return ir.Model(
            graph, ir_version=IR_VERSION, producer_name="thistledown", functions=functions_for(called)
        )


class _Stack:
    """Tensors of the same width on top of each other; `rows` of each."""

    def __init__(self, weights: WeightSource, names: Sequence[str], rows: Sequence[int]) -> None:
        self._weights, self._names, self._rows = weights, names, rows

    def read(self, start: int, stop: int) -> Array:
        """Rows [start, stop) of the stack."""
        pieces, base = [], 0
        for name, count in zip(self._names, self._rows, strict=True):
            low, high = max(start, base), min(stop, base + count)
            if low < high:
                pieces.append(self._weights.read_rows(name, low - base, high - base))
            base += count
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
