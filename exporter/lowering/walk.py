"""Walking a graph: which values are known, which nodes are done, and what follows a node."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from exporter.errors import LoweringError
from exporter.lowering.program import Program, Target, View, value_name
from exporter.lowering.stored_weights import Range

FRAME_INPUTS = frozenset({"input_ids", "attention_mask"})
FRAME_OPS = frozenset({"Cast", "Range", "ReduceSum", "Shape", "Squeeze", "Sub"})
# What turns stored weights into those that onnxruntime computes with: the plan's kernels read what is stored.
WEIGHT_OPS = frozenset({"Cast", "ConstantOfShape", "DequantizeLinear", "Nibbles", "Octets", "Slice"})


@dataclass(frozen=True)
class Norm:
    """An RMSNorm of the rows of `x` that is left to the linear which reads it."""

    x: View
    weight: Target
    epsilon: float


class Walk:
    """One pass over the graph into one or more phases of `program`.

    `mode` is "encode", "prefill" or "decode"; `outputs` are the plan's views of graph outputs made so far.
    """

    def __init__(self, model: ir.Model, program: Program, mode: str) -> None:
        self.graph = model.graph
        self.program = program
        self.mode = mode
        self._views: dict[ir.Value, View] = {}
        self._norms: dict[ir.Value, Norm] = {}
        self._done: set[ir.Node] = set()
        self._forms: set[ir.Value] = set()
        self._frame = {value for value in self.graph.inputs if value.name in FRAME_INPUTS}

    def run(self, handlers: Mapping[str, Callable[["Walk", ir.Node], None]]) -> None:
        """Lower every node with its handler; raises LoweringError naming the first that has none."""
        for node in self.graph:
            if node in self._done or self._is_frame(node) or self._is_weight_form(node):
                continue
            handler = handlers.get(node.op_type)
            if handler is None:
                raise LoweringError(
                    f"operator {node.domain or 'ai.onnx'}::{node.op_type} cannot be lowered to WebGPU",
                    f"node {node.name}",
                    "supported: " + ", ".join(sorted(handlers)),
                )
            handler(self, node)

    def _is_frame(self, node: ir.Node) -> bool:
        fed = [value for value in node.inputs if value is not None and not value.is_initializer()]
        if node.op_type not in FRAME_OPS or not all(value in self._frame for value in fed):
            return False
        if not fed:
            return False
        self._frame.update(node.outputs)
        return True

    def _is_weight_form(self, node: ir.Node) -> bool:
        fed = [value for value in node.inputs if value is not None]
        if node.op_type not in WEIGHT_OPS or not all(v.is_initializer() or v in self._forms for v in fed):
            return False
        self._forms.update(node.outputs)
        return True

    def refuse(self, node: ir.Node, why: str) -> LoweringError:
        """The error for a node that has a handler but asks for something it cannot do."""
        return LoweringError(
            f"{node.op_type}: {why}",
            f"node {node.name}",
            "There is no WebGPU kernel for this form yet.",
        )

    def view(self, value: ir.Value | None) -> View:
        """The view of a value that has been lowered."""
        if value is None or value not in self._views:
            raise LoweringError(
                "a value is used before it is made", value_name(value), "the graph must be sorted"
            )
        return self._views[value]

    def known(self, value: ir.Value | None) -> bool:
        return value in self._views

    def dense(self, value: ir.Value | None, node: ir.Node) -> View:
        """The view, copied if it is a slice of a wider row."""
        view = self.view(value)
        if view.contiguous:
            return view
        out = self.program.scratch(view.rows, view.width)
        constants = {"width": view.width, "x_stride": view.stride, "x_offset": view.offset, "alpha": 1.0}
        self.program.dispatch("copy", {"x": view, "out": out}, constants, str(node.name))
        return out

    def define(self, value: ir.Value, view: View, *done: ir.Node) -> None:
        """`value` is now `view`; the nodes in `done` were lowered with it."""
        self._views[value] = view
        self._done.update(done)

    def postpone(self, value: ir.Value, norm: Norm) -> None:
        """`value` is `norm`, which the one linear that reads it works out."""
        self._norms[value] = norm

    def postponed(self, value: ir.Value | None) -> Norm | None:
        """The norm that was left to the reader of `value`."""
        return None if value is None else self._norms.get(value)

    def weight(self, value: ir.Value | None, node: ir.Node) -> Range:
        """The stored range of a weight that is bound whole."""
        if value is None or not value.is_initializer():
            raise self.refuse(node, f"{value_name(value)} must be a weight")
        return self.program.store.whole(value)

    def only_user(self, value: ir.Value) -> ir.Node | None:
        """The node that uses `value`, if there is one and nothing else sees it."""
        uses = list(value.uses())
        return uses[0].node if len(uses) == 1 and not value.is_graph_output() else None

    def follower(self, value: ir.Value, op_type: str) -> ir.Node | None:
        """The only user of `value`, if it is an `op_type`."""
        node = self.only_user(value)
        return node if node is not None and node.op_type == op_type else None


def stored_value(value: ir.Value | None) -> ir.Value | None:
    """The weight behind a value, looking through a Cast to float32."""
    if value is None or value.is_initializer():
        return value
    producer = value.producer()
    if producer is not None and producer.op_type == "Cast":
        return stored_value(producer.inputs[0])
    return None


def scalar_factor(node: ir.Node) -> float | None:
    """The scalar initializer among a Mul's inputs, if there is one."""
    for value in node.inputs:
        tensor = value.const_value if value is not None and value.is_initializer() else None
        if tensor is not None and tensor.shape.rank() == 0:
            return float(tensor.numpy())
    return None


def other_input(node: ir.Node, value: ir.Value) -> ir.Value | None:
    """The input of a two-input node that is not `value`."""
    return next((v for v in node.inputs if v is not value), None)


def constant_array(walk: Walk, value: ir.Value | None, node: ir.Node) -> np.ndarray:
    """The values of an initializer that the graph itself holds."""
    if value is None or value.const_value is None:
        raise walk.refuse(node, f"{value_name(value)} must be a constant")
    return np.asarray(value.const_value.numpy())


def integer(node: ir.Node, name: str, default: int) -> int:
    """An integer attribute."""
    attribute = node.attributes.get(name)
    return default if attribute is None else attribute.as_int()


def number(node: ir.Node, name: str, default: float) -> float:
    """A float attribute, as the shortest number that is the same float32: ONNX keeps no more of it."""
    attribute = node.attributes.get(name)
    return default if attribute is None else float(str(np.float32(attribute.as_float())))
