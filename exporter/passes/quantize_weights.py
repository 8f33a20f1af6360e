"""Rewrite: float32 weights of linears and embeddings become f16, or MatMulNBits / GatherBlockQuantized blocks.

Norms, biases, convolutions and SSM parameters stay float32: they have no recipe.
A table that feeds both the embedding and the head yields the same bytes twice; shards store them once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import onnx_ir as ir

from exporter.passes.choice import Choice
from exporter.passes.packing import Hessian, Packing
from exporter.passes.quantize_experts import matrices, quantize_experts
from exporter.passes.rewriting import add_half, add_initializer, cast_to_float, replace_node
from exporter.passes.roles import gathers_of, linears_of
from exporter.passes.weights import is_weight, rows_of, shape_of
from exporter.quantization import SCHEMES, Recipe
from exporter.row_tensor import RowTensor

_MICROSOFT = "com.microsoft"


@dataclass(frozen=True)
class _Matrix:
    """A weight of linears and gathers that is about to be rewritten."""

    graph: ir.Graph
    value: ir.Value
    linears: list[ir.Node]
    gathers: list[ir.Node]

    @property
    def name(self) -> str:
        return str(self.value.name)

    def take(self) -> RowTensor:
        """Its rows; the initializer is gone from the graph."""
        del self.graph.initializers[self.name]
        return rows_of(self.value)


def quantize_weights(
    model: ir.Model, recipes: Mapping[str, Recipe], hessians: Mapping[str, Hessian] | None = None
) -> list[Choice]:
    """Rewrite `model` in place by the recipes of its weights; returns what each weight became.

    `hessians` gives each weight's (K, K) float32 matrix of second moments of its inputs, for methods that want one.
    """
    known = hessians or {}
    mixtures = {
        str(value.name): node for node in model.graph if node.op_type == "MoE" for value in matrices(node)
    }
    made: dict[str, Choice] = {}
    values = list(model.graph.initializers.values())
    for value in values:
        name = str(value.name)
        if name in mixtures and name not in made:
            made |= quantize_experts(model, mixtures[name], recipes, known)
        elif name not in made:
            made[name] = _quantize(model.graph, value, recipes.get(name, Recipe("f32")), known.get(name))
    return [made[str(value.name)] for value in values]


def _quantize(graph: ir.Graph, value: ir.Value, recipe: Recipe, hessian: Hessian | None) -> Choice:
    matrix = _Matrix(graph, value, linears_of(value), gathers_of(value))
    if recipe.scheme == "f32" or not is_weight(value) or not (matrix.linears or matrix.gathers):
        return Choice(matrix.name, "f32", recipe.reason)
    return _rewrite(matrix, recipe, hessian)


def _rewrite(matrix: _Matrix, recipe: Recipe, hessian: Hessian | None) -> Choice:
    scheme = SCHEMES[recipe.scheme]
    inner = shape_of(matrix.value)[-1]
    reason = recipe.reason
    if scheme.block and matrix.gathers and inner % scheme.block:
        reason = (
            f"rows of {inner} are no multiple of the block {scheme.block}, which GatherBlockQuantized needs"
        )
    elif scheme.block:
        _to_blocks(matrix, recipe, hessian)
        return Choice(matrix.name, scheme.name, reason)
    _to_f16(matrix)
    return Choice(matrix.name, "f16", reason)


def _to_f16(matrix: _Matrix) -> None:
    half = add_half(matrix.graph, matrix.value)
    for node in matrix.gathers:
        row = ir.node("Gather", [half, node.inputs[1]], {"axis": 0})
        row.name = node.name
        row.outputs[0].name = f"{node.name}.float16"
        cast = cast_to_float(row.outputs[0], f"{row.outputs[0].name}.float32")
        cast.name = f"{node.name}.float32"
        replace_node(matrix.graph, node, [row, cast])
    for node in matrix.linears:
        cast = cast_to_float(half, f"{node.name}.weight")
        product = ir.node("FusedMatMul", [node.inputs[0], cast.outputs[0]], {"transB": 1}, domain=_MICROSOFT)
        product.name = node.name
        replace_node(matrix.graph, node, [cast, product])


def _to_blocks(matrix: _Matrix, recipe: Recipe, hessian: Hessian | None) -> None:
    name, graph = matrix.name, matrix.graph
    packing = Packing(matrix.take(), recipe, hessian)
    rows, blocks, width = packing.rows, packing.block_count, packing.block_bytes
    inputs: list[ir.Value] = []
    if matrix.gathers:
        table = add_initializer(graph, packing.blocks(f"{name}.rows", (rows, blocks * width)))
    if matrix.linears:
        b = add_initializer(graph, packing.blocks(f"{name}.blocks", (rows, blocks, width)))
    scales = add_initializer(graph, packing.scales(f"{name}.scales", (rows, blocks)))
    if packing.zero_width:
        inputs = [add_initializer(graph, packing.zeros(f"{name}.zeros", (rows, packing.zero_width)))]
    for index, node in enumerate([*matrix.gathers, *matrix.linears]):
        cast = cast_to_float(scales, f"{name}.scales.{index}")
        further = [cast.outputs[0], *inputs]
        made = (
            _gather_node(node, [table, node.inputs[1], *further], packing)
            if node in matrix.gathers
            else _matmul_node([node.inputs[0], b, *further], packing)
        )
        made.name = node.name
        replace_node(graph, node, [cast, made])


def _gather_node(node: ir.Node, inputs: list[ir.Value | None], packing: Packing) -> ir.Node:
    scheme = packing.scheme
    attributes = {"bits": scheme.bits, "block_size": scheme.block, "gather_axis": 0, "quantize_axis": 1}
    return ir.node("GatherBlockQuantized", inputs, attributes, domain=_MICROSOFT)


def _matmul_node(inputs: list[ir.Value | None], packing: Packing) -> ir.Node:
    scheme = packing.scheme
    attributes = {"bits": scheme.bits, "block_size": scheme.block, "K": packing.inner, "N": packing.rows}
    return ir.node("MatMulNBits", inputs, {**attributes, "accuracy_level": 1}, domain=_MICROSOFT)
