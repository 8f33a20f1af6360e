"""Rewrite: the matrices of a MoE node become f16 or blocks, in the forms that onnxruntime computes exactly.

2 and 4 bits are read by `QMoE` as 4 bits; where a matrix has 8, each is dequantized in the graph and read by `MoE`.
`QMoE` itself rounds activations to 8 bits for 8-bit weights, and for 2-bit ones whose rows are a multiple of 128.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from exporter.ops import DOMAIN, functions_for
from exporter.passes.choice import Choice
from exporter.passes.packing import Hessian, Packing
from exporter.passes.rewriting import add_half, add_initializer, cast_to_float, replace_node
from exporter.passes.weights import rows_of, shape_of
from exporter.quantization import SCHEMES, Recipe

_MICROSOFT = "com.microsoft"
# Inputs of MoE: its two matrices. Of QMoE: each with its scales, and the zero points of both.
_MOE_MATRICES = (2, 4)
_QMOE_INPUTS, _QMOE_MATRICES, _QMOE_ZEROS = 13, (2, 5), (11, 12)
_NARROW, _WIDE = 4, 8
# What doubles the bits of packed values.
_DOUBLED = {2: "Nibbles", 4: "Octets"}


@dataclass(frozen=True)
class _Stored:
    """A matrix (experts, rows, inner) in blocks: values, scales in float32, and zero points if they are stored."""

    name: str
    packing: Packing
    blocks: ir.Value
    scales: ir.Value
    zeros: ir.Value | None


def matrices(node: ir.Node) -> list[ir.Value]:
    """The two matrices of a MoE node: gate and up, down."""
    return [value for index in _MOE_MATRICES if (value := node.inputs[index]) is not None]


def quantize_experts(
    model: ir.Model, node: ir.Node, recipes: Mapping[str, Recipe], hessians: Mapping[str, Hessian]
) -> dict[str, Choice]:
    """Rewrite the matrices of the MoE `node` by their recipes; returns what each became, by name."""
    asked = [(value, _recipe(value, recipes.get(str(value.name), Recipe("f32")))) for value in matrices(node)]
    schemes = [SCHEMES[recipe.scheme] for _, recipe in asked]
    made = _Rewrite(model)
    if all(scheme.block and scheme.bits <= _NARROW for scheme in schemes):
        stored = [made.pack(*pair, hessians) for pair in asked]
        attributes = {"expert_weight_bits": _NARROW, "block_size": schemes[0].block}
        made.replace(node, "QMoE", made.qmoe_inputs(node, stored), **attributes)
    else:
        floats = [made.as_float(*pair, hessians) for pair in asked]
        made.replace(node, "MoE", [*node.inputs[:2], floats[0], None, floats[1]])
    names = [str(value.name) for value, _ in asked]
    return {
        name: Choice(name, recipe.scheme, recipe.reason)
        for name, (_, recipe) in zip(names, asked, strict=True)
    }


def _recipe(value: ir.Value, recipe: Recipe) -> Recipe:
    block, inner = SCHEMES[recipe.scheme].block, shape_of(value)[-1]
    if not block or inner % block == 0:
        return recipe
    return Recipe("f16", reason=f"rows of {inner} are no multiple of the block {block}, which QMoE needs")


class _Rewrite:
    """Collects the nodes that stand before the new mixture."""

    def __init__(self, model: ir.Model) -> None:
        self._model, self._graph = model, model.graph
        self._nodes: list[ir.Node] = []

    def replace(self, old: ir.Node, op_type: str, inputs: list[ir.Value | None], **attributes: int) -> None:
        """Put a mixture with these inputs, and the attributes of `old` beside those given, in the place of `old`."""
        kept = list(old.attributes.values())
        made = ir.Node(
            _MICROSOFT,
            op_type,
            inputs,
            [*kept, *(ir.AttrInt64(name, value) for name, value in attributes.items())],
            name=old.name,
        )
        replace_node(self._graph, old, [*self._nodes, made])

    def pack(self, value: ir.Value, recipe: Recipe, hessians: Mapping[str, Hessian]) -> _Stored:
        """Quantize a matrix."""
        name, (experts, rows, _) = str(value.name), shape_of(value)
        del self._graph.initializers[name]
        packing = Packing(rows_of(value), recipe, hessians.get(name))

        def shape(width: int) -> tuple[int, ...]:
            return (experts, rows, width)

        blocks = packing.blocks(f"{name}.blocks", shape(packing.block_count * packing.block_bytes))
        scales = packing.scales(f"{name}.scales", shape(packing.block_count))
        blocks_value, half = (add_initializer(self._graph, tensor) for tensor in (blocks, scales))
        zeros = None
        if packing.zero_width:
            zeros = add_initializer(self._graph, packing.zeros(f"{name}.zeros", shape(packing.zero_width)))
        cast = cast_to_float(half, f"{name}.scales.float32")
        self._nodes.append(cast)
        return _Stored(name, packing, blocks_value, cast.outputs[0], zeros)

    def qmoe_inputs(self, node: ir.Node, stored: list[_Stored]) -> list[ir.Value | None]:
        """What QMoE reads for the mixture `node`."""
        inputs: list[ir.Value | None] = [*node.inputs[:2], *[None] * (_QMOE_INPUTS - 2)]
        for matrix, at, zeros_at in zip(stored, _QMOE_MATRICES, _QMOE_ZEROS, strict=True):
            inputs[at] = self._widened(matrix.blocks, matrix, _NARROW)
            inputs[at + 1] = matrix.scales
            inputs[zeros_at] = self._zeros(matrix, _NARROW)
        return inputs

    def as_float(self, value: ir.Value, recipe: Recipe, hessians: Mapping[str, Hessian]) -> ir.Value:
        """The matrix in float32, made of what is stored."""
        scheme, name = SCHEMES[recipe.scheme], str(value.name)
        if scheme.name == "f32":
            return value
        if not scheme.block:
            cast = cast_to_float(add_half(self._graph, value), f"{name}.float32")
            self._nodes.append(cast)
            return cast.outputs[0]
        stored = self.pack(value, recipe, hessians)
        inputs = [self._widened(stored.blocks, stored, _WIDE), stored.scales, self._zeros(stored, _WIDE)]
        return self._op("DequantizeLinear", inputs, f"{name}.float32", axis=2, block_size=scheme.block)

    def _zeros(self, stored: _Stored, bits: int) -> ir.Value | None:
        """Zero points of `bits` bits; None for those that QMoE takes by itself."""
        scheme, blocks = stored.packing.scheme, stored.packing.block_count
        width = -(-blocks * bits // 8)
        if stored.zeros is not None:
            widened = self._widened(stored.zeros, stored, bits)
            if stored.packing.zero_width * bits // scheme.bits == width:
                return widened
            ends = [self._integers(f"{stored.name}.zeros.{at}", [at]) for at in (0, width, 2)]
            return self._op("Slice", [widened, *ends], f"{stored.name}.zeros.cut")
        if bits == _NARROW and scheme.bits == _NARROW:
            return None
        byte = scheme.zero_point * (0x11 if bits == _NARROW else 1)
        shape = self._integers(f"{stored.name}.zeros.shape", [*shape_of(stored.blocks)[:2], width])
        value = ir.tensor(np.array([byte], np.uint8))
        return self._op("ConstantOfShape", [shape], f"{stored.name}.zeros", value=value)

    def _widened(self, value: ir.Value, stored: _Stored, bits: int) -> ir.Value:
        """Values packed with `bits` bits each."""
        have = stored.packing.scheme.bits
        while have < bits:
            function = _DOUBLED[have]
            value = self._op(function, [value], f"{value.name}.{function}", domain=DOMAIN)
            for made in functions_for([function]):
                self._model.functions.setdefault(made.identifier(), made)
            have *= 2
        return value

    def _integers(self, name: str, values: list[int]) -> ir.Value:
        array = np.array(values, np.int64)
        constant = ir.Value(
            name=name,
            shape=ir.Shape(array.shape),
            type=ir.TensorType(ir.DataType.INT64),
            const_value=ir.tensor(array, name=name),
        )
        self._graph.initializers[name] = constant
        return constant

    def _op(
        self,
        op_type: str,
        inputs: list[ir.Value | None],
        name: str,
        domain: str = "",
        **attributes: int | ir.TensorProtocol,
    ) -> ir.Value:
        node = ir.node(op_type, inputs, attributes, domain=domain)
        node.name = node.outputs[0].name = name
        self._nodes.append(node)
        return node.outputs[0]
