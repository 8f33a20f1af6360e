"""An adapter's products put into the graph of an artifact, beside the linears that hold the weights it changes.

A linear of the graph may be several of the checkpoint on top of each other; its weight is then called by all of their
names, "a+b+c". Their A's are put on top of each other too and make one linear; each B adds to its own columns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from exporter.adapters.base_names import require_shape, weights_changed
from exporter.adapters.peft_folder import Floats, LowRank, PeftAdapter
from exporter.errors import LoraError
from exporter.ops import DOMAIN, functions_for
from exporter.passes.rewriting import add_initializer, cast_to_float
from exporter.passes.weights import shape_of
from exporter.row_tensor import RowTensor

_MICROSOFT = "com.microsoft"
_LINEARS = ("FusedMatMul", "MatMulNBits")
_HALVES = ("SiluGate", "GeluGate")
_REARRANGED = ".rearranged"
Rounding = Callable[[Floats, str], np.ndarray]


@dataclass(frozen=True)
class Stored:
    """How an adapter's matrices are stored: as `dtype`, which `round_to` makes of float32 values of a named tensor."""

    dtype: ir.DataType
    round_to: Rounding


@dataclass(frozen=True)
class _Part:
    """A linear of the checkpoint: rows [start, start + rows) of a linear of the graph."""

    node: ir.Node
    start: int
    rows: int


def graft(model: ir.Model, adapter: PeftAdapter, stored: Stored, base: str) -> list[str]:
    """Put `adapter` into `model` in place; returns the names of the new weights.

    Raises LoraError naming the first module that the base does not have as it is.
    """
    parts = _parts(model)
    chosen: dict[ir.Node, list[tuple[_Part, LowRank]]] = {}
    for name, module in weights_changed(adapter.products, parts.keys(), base).items():
        part, product = parts[name], adapter.products[module]
        if part is None:
            what = f'The adapter changes "{module}", whose rows are in another order in the artifact'
            raise LoraError(what, base, "Merge it with `thistledown merge-lora` and export the result.")
        require_shape(module, (product.rows, product.inner), (part.rows, _inner(part.node)), base)
        chosen.setdefault(part.node, []).append((part, product))
    before = set(model.graph.initializers)
    for node in list(model.graph):
        if node in chosen:
            _graft_on(
                model.graph, node, sorted(chosen[node], key=lambda each: each[0].start), adapter, stored
            )
    for function in functions_for(["LowRank"]):
        model.functions[function.identifier()] = function
    return [name for name in model.graph.initializers if name not in before]


def _parts(model: ir.Model) -> Mapping[str, _Part | None]:
    """The linears that an adapter may change, by the checkpoint's names; None where rows are in another order."""
    found: dict[str, _Part | None] = {}
    for node in model.graph:
        weight = _weight(node)
        if weight is None or _is_table(model, weight):
            continue
        name = str(weight.name).removesuffix(".blocks")
        names = name.removesuffix(_REARRANGED).split("+")
        widths = _widths(node, len(names))
        if name.endswith(_REARRANGED) or widths is None:
            found |= dict.fromkeys(names)
            continue
        starts = np.cumsum([0, *widths])
        found |= {n: _Part(node, int(s), w) for n, s, w in zip(names, starts, widths, strict=False)}
    return found


def _weight(node: ir.Node) -> ir.Value | None:
    """The stored matrix of a linear, looking through a cast."""
    value = node.inputs[1] if node.op_type in _LINEARS else None
    producer = value.producer() if value is not None else None
    if producer is not None and producer.op_type == "Cast":
        value = producer.inputs[0]
    return value if value is not None and value.is_initializer() else None


def _is_table(model: ir.Model, weight: ir.Value) -> bool:
    """Whether the matrix is the embedding's too: a change of the one would be none of the other."""
    name = str(weight.name)
    tied = f"{name.removesuffix('.blocks')}.rows" in model.graph.initializers
    return tied or any(usage.node.op_type == "Gather" for usage in weight.uses())


def _rows(node: ir.Node) -> int:
    return node.attributes["N"].as_int() if node.op_type == "MatMulNBits" else _shape(node)[0]


def _inner(node: ir.Node) -> int:
    return node.attributes["K"].as_int() if node.op_type == "MatMulNBits" else _shape(node)[-1]


def _shape(node: ir.Node) -> tuple[int, ...]:
    weight = _weight(node)
    return shape_of(weight) if weight is not None else (0,)


def _widths(node: ir.Node, parts: int) -> list[int] | None:
    """How many rows each of the stacked linears has: what comes behind them cuts their outputs apart again."""
    if parts == 1:
        return [_rows(node)]
    value = node.outputs[0]
    for user in _following(value):
        if user.op_type in _HALVES and parts == 2:
            return [_rows(node) // 2] * 2
        if user.op_type == "Split" and len(user.outputs) == parts:
            sizes = user.inputs[1].const_value if user.inputs[1] is not None else None
            return None if sizes is None else [int(size) for size in sizes.numpy()]
    return None


def _following(value: ir.Value) -> list[ir.Node]:
    """What reads `value`, or its sum with a bias."""
    found: list[ir.Node] = []
    for usage in value.uses():
        node = usage.node
        with_bias = node.op_type == "Add" and any(v is not None and v.is_initializer() for v in node.inputs)
        found += _following(node.outputs[0]) if with_bias else [node]
    return found


def _graft_on(
    graph: ir.Graph,
    node: ir.Node,
    chosen: list[tuple[_Part, LowRank]],
    adapter: PeftAdapter,
    stored: Stored,
) -> None:
    old, usages = node.outputs[0], list(node.outputs[0].uses())
    products = [product for _, product in chosen]
    matrix = _Matrix(graph, node, stored)
    stack = matrix.weight(".lora_A", products, adapter.down, (sum(p.rank for p in products), _inner(node)))
    first = ir.node("FusedMatMul", [node.inputs[0], stack], {"transB": 1}, domain=_MICROSOFT)
    first.name = first.outputs[0].name = f"{node.name}/lora_A"
    graph.insert_before(node, first)
    last, offset = node, 0
    for part, product in chosen:
        up = matrix.weight(".lora_B", [product], adapter.up, (part.rows, product.rank))
        attributes = {
            "offset": offset,
            "rank": product.rank,
            "column": part.start,
            "after": _rows(node) - part.start - part.rows,
            "scale": product.scale,
        }
        made = ir.node("LowRank", [last.outputs[0], first.outputs[0], up], attributes, domain=DOMAIN)
        made.name = made.outputs[0].name = f"{node.name}/{product.module}.lora_B"
        graph.insert_after(last, made)
        last, offset = made, offset + product.rank
    for usage in usages:
        usage.node.replace_input_with(usage.idx, last.outputs[0])
    if old.is_graph_output():
        _become_output(graph, old, last.outputs[0])


def _become_output(graph: ir.Graph, old: ir.Value, new: ir.Value) -> None:
    name, place = old.name, list(graph.outputs).index(old)
    new.type, new.shape = old.type, old.shape
    graph.outputs[place] = new
    old.name, new.name = f"{name}.base", name


@dataclass(frozen=True)
class _Matrix:
    """Makes the weights of what is put beside `node`."""

    graph: ir.Graph
    node: ir.Node
    stored: Stored

    def weight(
        self, kind: str, products: list[LowRank], read: Callable[[str], Floats], shape: tuple[int, int]
    ) -> ir.Value:
        """The matrices of `products` on top of each other, stored and then cast to float32."""
        modules, round_to = [product.module for product in products], self.stored.round_to
        name = "+".join(modules) + kind

        def rows(start: int, stop: int) -> np.ndarray:
            return round_to(np.concatenate([read(module) for module in modules]), name)[start:stop]

        tensor = RowTensor(name, self.stored.dtype, shape, rows, slab_values=shape[0] * shape[1])
        value = add_initializer(self.graph, tensor)
        if self.stored.dtype == ir.DataType.FLOAT:
            return value
        cast = cast_to_float(value, f"{name}.float32")
        self.graph.insert_before(self.node, cast)
        return cast.outputs[0]
