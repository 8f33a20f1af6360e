"""One translation under way: what each value of the foreign graph is, and what it was in the run on the probe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from exporter.components import CausalFrame, EncoderFrame, GraphBuilder
from exporter.errors import GraphError
from exporter.foreign.sources import Function, Made, Scores, Source, Stream

Array = np.ndarray
Handler = Callable[["Translation", ir.Node], None]


@dataclass(frozen=True)
class Probe:
    """Sizes of the run that shows shapes; primes that no model has, so that an axis is known by its size."""

    batch: int = 3
    tokens: int = 11
    past: int = 13

    @property
    def total(self) -> int:
        return self.past + self.tokens


class Translation:
    """Holds the streams made so far. `values` has every value of the foreign graph's run on the probe, by name."""

    def __init__(
        self,
        model: ir.Model,
        values: Mapping[str, Array],
        probe: Probe,
        g: GraphBuilder,
        frame: CausalFrame | EncoderFrame,
        positions: Callable[[], ir.Value],
    ) -> None:
        self.model, self.values, self.probe, self.g, self.frame, self.positions = (
            model,
            values,
            probe,
            g,
            frame,
            positions,
        )
        self.streams: dict[ir.Value, Stream] = {}
        self.scores: dict[ir.Value, Scores] = {}
        self.norms = 0
        self.positions_limit = 1 << 20
        self._frame: set[ir.Value] = set(model.graph.inputs)
        self._constants: set[ir.Value] = set()

    def run(self, handlers: Mapping[str, Handler]) -> None:
        """Translate every node; raises GraphError naming the first that has no handler, or the wrong form."""
        for node in self.model.graph:
            if self._is_frame(node):
                self._frame.update(node.outputs)
                if node.inputs and all(value is None or self._is_constant(value) for value in node.inputs):
                    self._constants.update(node.outputs)
                continue
            handler = handlers.get(node.op_type)
            if handler is None:
                raise GraphError(
                    f"operator {node.domain or 'ai.onnx'}::{node.op_type} is not understood",
                    f"node {node.name}",
                    "Understood are " + ", ".join(sorted(handlers)) + ".",
                )
            handler(self, node)

    def _is_frame(self, node: ir.Node) -> bool:
        """Whether a node only tells of ids, masks, positions and sizes."""
        if node.op_type == "Shape":
            return True
        fed = [value for value in node.inputs if value is not None]
        if any(self.is_cache(value) for value in fed):
            return False
        looks_up = node.op_type == "Gather" and fed[0].is_initializer() and self.of(fed[0]).ndim == 2
        floats = looks_up and self.of(fed[0]).dtype.kind == "f" and self.of(fed[0]).shape[1] > 1
        return not floats and all(value.is_initializer() or value in self._frame for value in fed)

    def is_cache(self, value: ir.Value) -> bool:
        """Whether `value` is a key or value cache that comes in."""
        return value.is_graph_input() and value.shape is not None and value.shape.rank() == 4

    def is_frame(self, value: ir.Value | None) -> bool:
        """Whether `value` depends on ids, masks and sizes only, or is constant."""
        return value is not None and (value.is_initializer() or value in self._frame)

    def of(self, value: ir.Value | None) -> Array:
        """What `value` holds: constants, and everything else on the probe."""
        if value is None:
            raise GraphError("an input is missing", "the graph", "")
        if value.is_initializer() and value.const_value is not None:
            return np.asarray(value.const_value.numpy())
        return self.values[str(value.name)]

    def constant(self, value: ir.Value | None) -> Array | None:
        """The values of a constant, or of what is computed from constants; None if it is neither."""
        return self.of(value) if value is not None and self._is_constant(value) else None

    def _is_constant(self, value: ir.Value) -> bool:
        return value.is_initializer() or value in self._constants

    def scalar(self, value: ir.Value | None) -> float | None:
        """The number of a constant of one value, or of a frame value of one."""
        if not self.is_frame(value):
            return None
        found = self.of(value)
        return float(found.reshape(-1)[0]) if found.size == 1 else None

    def stream(self, value: ir.Value | None, node: ir.Node) -> Stream:
        """What a value is; raises GraphError if it is no activation that was understood."""
        if value is None or value not in self.streams:
            name = None if value is None else value.name
            raise self.refuse(node, f"its input {name} is no activation that was understood")
        return self.streams[value]

    def dense(self, value: ir.Value | None, node: ir.Node) -> Source:
        """The source of a stream that lies as rows."""
        stream = self.stream(value, node)
        if stream.axes not in ("btw", "nw", "bw"):
            raise self.refuse(node, f"its input lies as {stream.axes}, not as rows")
        return stream.source

    def define(self, value: ir.Value, stream: Stream) -> None:
        self.streams[value] = stream

    def made(self, value: ir.Value, ours: ir.Value, like: Stream, width: int | None = None) -> None:
        """`value` is `ours`, lying as `like` does."""
        source = Made(ours, width or like.source.width)
        self.define(value, Stream(source, like.axes))

    def function(self, node: ir.Node, base: Stream, f: Callable[[Array], Array]) -> None:
        """The output of `node` is the elementwise function `f` of `base`."""
        source = base.source
        if isinstance(source, Function):
            inner, root = source.f, source.base
            made = Function(self.g, root, lambda x: f(inner(x)), str(node.name))
        else:
            made = Function(self.g, source, f, str(node.name))
        self.define(node.outputs[0], base.lies(base.axes, source=made))

    def layer_of(self, cache: str) -> int:
        """The number of the layer that a cache belongs to: caches come in the order of the layers, in pairs."""
        names = [str(value.name) for value in self.model.graph.inputs if self.is_cache(value)]
        return names.index(cache) // 2

    def refuse(self, node: ir.Node, why: str) -> GraphError:
        """The error for a node that has a handler but not in this form."""
        return GraphError(f"{node.op_type}: {why}", f"node {node.name}", "This form is not understood.")


def integer(node: ir.Node, name: str, default: int) -> int:
    """An integer attribute."""
    found = node.attributes.get(name)
    return default if found is None else found.as_int()


def number(node: ir.Node, name: str, default: float) -> float:
    """A float attribute."""
    found = node.attributes.get(name)
    return default if found is None else found.as_float()


def input_of(node: ir.Node, index: int) -> ir.Value | None:
    """Input `index`, or None where it is absent."""
    return node.inputs[index] if len(node.inputs) > index else None
