"""An artifact's model.onnx: its weights as they are stored, by the checkpoint's names, and what its nodes say."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

BLOCK = 32
_CONSTANTS = ("frame.", "rotary.", "scalar.", "split.")
_PARTS = (".blocks", ".rows", ".scales", ".zeros")

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Blocks:
    """A quantized matrix: codes (rows, blocks, 32) of `bits` bits, scales f16 and zero points (rows, blocks)."""

    codes: Array
    scales: Array
    zeros: Array
    bits: int
    width: int

    def take(self, rows: Array) -> "Blocks":
        """Those rows, in that order."""
        return replace(self, codes=self.codes[rows], scales=self.scales[rows], zeros=self.zeros[rows])

    @property
    def symmetric(self) -> bool:
        """Whether every zero point is the middle code."""
        return bool((self.zeros == 1 << (self.bits - 1)).all())

    def steps(self) -> Array:
        """Codes without their zero points: what the scales are multiplied with, int16 (rows, blocks, 32)."""
        steps: Array = self.codes.astype(np.int16) - self.zeros[..., None].astype(np.int16)
        return steps

    def values(self) -> Array:
        """The weights as float32 (rows, width)."""
        values: Array = self.steps() * self.scales[..., None].astype(np.float32)
        return values.reshape(len(values), -1)[:, : self.width]


Weight = Blocks | Array


class StoredModel:
    """The graph in the artifact `folder`; a weight is read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._graph = onnx.load(folder / "model.onnx", load_external_data=False).graph
        self._tensors = {tensor.name: tensor for tensor in self._graph.initializer}
        self.kinds = {node.op_type for node in self._graph.node}

    def nodes(self, kind: str) -> list[onnx.NodeProto]:
        """All nodes of an operator."""
        return [node for node in self._graph.node if node.op_type == kind]

    def names(self) -> list[str]:
        """Names of the weights, stacked ones joined by +."""
        found = (_base(name) for name in self._tensors if not name.startswith(_CONSTANTS))
        return list(dict.fromkeys(found))

    def constant(self, name: str) -> Array:
        """The tensor of that name as it is."""
        found: Array = numpy_helper.to_array(self._tensors[name], base_dir=str(self._folder))
        return found

    def factor(self, node: onnx.NodeProto) -> float:
        """The constant that a Mul multiplies by."""
        return float(next(self.constant(name) for name in node.input if name in self._tensors))

    def rows(self, name: str) -> int:
        """How many rows a weight has."""
        stored = next(name + part for part in ("", ".blocks", ".rows") if name + part in self._tensors)
        return int(self._tensors[stored].dims[0])

    def input_shape(self, name: str) -> list[int]:
        """The sizes of an input of the graph, 0 for those that change."""
        found = next(given for given in self._graph.input if given.name == name)
        return [size.dim_value for size in found.type.tensor_type.shape.dim]

    def weight(self, name: str) -> Weight:
        """Floats as they are stored, or blocks."""
        if name in self._tensors:
            return self.constant(name)
        part = next(part for part in (".blocks", ".rows") if name + part in self._tensors)
        packed, scales = self.constant(name + part), self.constant(f"{name}.scales")
        rows, blocks = scales.shape
        bits = packed.size * 8 // (scales.size * BLOCK)
        codes = _unpacked(packed.reshape(rows, -1), bits).reshape(rows, blocks, BLOCK)
        zeros = np.full(scales.shape, 1 << (bits - 1), np.uint8)
        if f"{name}.zeros" in self._tensors:
            zeros = _unpacked(self.constant(f"{name}.zeros").reshape(rows, -1), bits)[:, :blocks]
        return Blocks(codes, scales, zeros, bits, self._widths().get(name + part, blocks * BLOCK))

    def _widths(self) -> Mapping[str, int]:
        """Values in a row of blocks, of which the last may be filled up."""
        return {node.input[1]: int(attributes(node)["K"]) for node in self.nodes("MatMulNBits")}


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node by name."""
    return {given.name: helper.get_attribute_value(given) for given in node.attribute}


def _base(name: str) -> str:
    return next((name.removesuffix(part) for part in _PARTS if name.endswith(part)), name)


def _unpacked(packed: Array, bits: int) -> Array:
    """Codes of `bits` bits from each byte of (rows, n), the lowest first."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    codes: Array = (packed[..., None] >> shifts) & np.uint8((1 << bits) - 1)
    return codes.reshape(len(packed), -1)
