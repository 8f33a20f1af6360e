"""The matrices of a mixture of experts, told from the graph: which format lies behind what makes them onnxruntime's.

onnxruntime computes with 4 bits in QMoE or with floats in MoE, so narrower blocks come through `Nibbles` and `Octets`,
each of which doubles the bits, and 8 bits through DequantizeLinear. The plan reads what is stored.
"""

from math import prod

import numpy as np
import onnx_ir as ir

from exporter.lowering.program import value_name
from exporter.lowering.stored_weights import StoredMatrix, weight_format, weight_shape
from exporter.lowering.walk import Walk, integer, stored_value
from wgsl_kernels import FORMATS

_DOUBLING = frozenset({"Nibbles", "Octets"})
_DEQUANTIZED_BITS = 8
_QMOE_INPUTS = 21


def expert_matrices(walk: Walk, node: ir.Node) -> tuple[StoredMatrix, StoredMatrix]:
    """Up and down of a MoE or QMoE node, all experts' rows on top of each other."""
    if node.op_type == "QMoE":
        return _qmoe_matrix(walk, node, 0), _qmoe_matrix(walk, node, 1)
    return _moe_matrix(walk, node, node.inputs[2]), _moe_matrix(walk, node, node.inputs[4])


def _moe_matrix(walk: Walk, node: ir.Node, value: ir.Value | None) -> StoredMatrix:
    producer = value.producer() if value is not None else None
    if producer is not None and producer.op_type == "DequantizeLinear":
        blocks, scales, zeros = (*producer.inputs, None)[:3]
        if zeros is None or integer(producer, "axis", 1) not in (2, -1):
            raise walk.refuse(producer, "only blocks along the last of three axes, with zero points")
        return _blocks(walk, producer, _DEQUANTIZED_BITS, (blocks, scales, zeros))
    weight = _weight(walk, node, value)
    *rows, inner = weight_shape(weight)
    return StoredMatrix(weight_format(weight), prod(rows), inner, weight)


def _qmoe_matrix(walk: Walk, node: ir.Node, which: int) -> StoredMatrix:
    inputs = [*node.inputs, *[None] * (_QMOE_INPUTS - len(node.inputs))]
    bits = integer(node, f"fc{which + 1}_expert_weight_bits", integer(node, "expert_weight_bits", 4))
    return _blocks(walk, node, bits, (inputs[2 + 3 * which], inputs[3 + 3 * which], inputs[11 + which]))


def _blocks(
    walk: Walk, node: ir.Node, bits: int, given: tuple[ir.Value | None, ir.Value | None, ir.Value | None]
) -> StoredMatrix:
    """The matrix behind blocks of `bits` bits, scales and zero points."""
    scales = _weight(walk, node, given[1])
    blocks, doublings = _narrowed(walk, node, given[0])
    zeros = _zeros(walk, node, bits, doublings, given[2])
    fmt = FORMATS.get(f"q{bits >> doublings}{'' if zeros is None else 'z'}")
    if fmt is None or integer(node, "block_size", 0) != fmt.block or scales.dtype != ir.DataType.FLOAT16:
        raise walk.refuse(node, "only 2, 4 or 8 bits in blocks of 32, with float16 scales")
    *rows, row_bytes = weight_shape(blocks)
    inner = row_bytes * 8 // fmt.bits
    if inner % fmt.block:
        raise walk.refuse(node, f"rows of {inner} values are no multiple of the block")
    return StoredMatrix(fmt, prod(rows), inner, blocks, scales, zeros)


def _zeros(walk: Walk, node: ir.Node, bits: int, doublings: int, value: ir.Value | None) -> ir.Value | None:
    """The stored zero points; None where all of them are the middle of the stored levels."""
    producer = value.producer() if value is not None else None
    if producer is not None and producer.op_type == "ConstantOfShape":
        middle = 1 << (bits >> doublings) - 1
        byte = sum(middle << at for at in range(0, 8, bits))
        filled = producer.attributes.get("value")
        if filled is None or not np.array_equal(filled.as_tensor().numpy(), [byte]):
            raise walk.refuse(node, "zero points that are all the same must be the middle of the levels")
        return None
    if value is None:
        if doublings:
            raise walk.refuse(node, "zero points must be those of the narrower blocks")
        return None
    found, doubled = _narrowed(walk, node, value)
    if doubled != doublings:
        raise walk.refuse(node, "zero points must have the bits of the blocks")
    return found


def _narrowed(walk: Walk, node: ir.Node, value: ir.Value | None) -> tuple[ir.Value, int]:
    """What is stored behind packed values, and how often its bits are doubled."""
    producer = value.producer() if value is not None else None
    if producer is not None and producer.op_type in (*_DOUBLING, "Slice"):
        found, doublings = _narrowed(walk, node, producer.inputs[0])
        return found, doublings + int(producer.op_type in _DOUBLING)
    return _weight(walk, node, value), 0


def _weight(walk: Walk, node: ir.Node, value: ir.Value | None) -> ir.Value:
    found = stored_value(value)
    if found is None:
        raise walk.refuse(node, f"{value_name(value)} must be a weight")
    return found
