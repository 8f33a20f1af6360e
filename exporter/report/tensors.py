"""The tensors that lie in the shards, read from model.onnx: where each lies, what it is for and what it stands for."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod
from pathlib import Path

import onnx

from exporter.errors import ArtifactError
from exporter.report.graph_uses import EMBEDDING, HEAD, MLP, OTHER, GraphUses
from wgsl_kernels import FORMATS

VALUES, SCALES, ZEROS = "values", "scales", "zero points"

# Bytes of one number.
WIDTHS = {"f32": 4, "f16": 2, "u8": 1}

_BLOCK = FORMATS["q8"].block
_BITS = (2, 4, 8)
# Inputs of the operators that read blocks: values with their scales and zero points.
_BLOCK_INPUTS = {
    "MatMulNBits": ((1, 2, 3),),
    "GatherBlockQuantized": ((0, 2, 3),),
    "QMoE": ((2, 3, 11), (5, 6, 12)),
    "DequantizeLinear": ((0, 1, 2),),
}
_FORM = re.compile(r"\.(?:blocks|rows|scales|zeros)$")
_LAYER = re.compile(r"(?:^|[./])(?:layers?|h|blocks?)[./](\d+)(?:[./]|$)")


@dataclass(frozen=True)
class StoredTensor:
    """Bytes [offset, offset + bytes) of a shard, `part` of the weight `weight`.

    `parameters` are the weights that it stands for (scales and zero points: 0), `symbol_bits` the width of one stored
    number, `saved` the bytes that would lie there more if it were stored as often as the graph reads it.
    """

    file: str
    offset: int
    bytes: int
    weight: str
    part: str
    role: str
    layer: int | None
    scheme: str
    dtype: str
    symbol_bits: int
    shape: tuple[int, ...]
    parameters: int
    saved: int

    @property
    def end(self) -> int:
        """The byte behind its last one."""
        return self.offset + self.bytes


def stored_tensors(model_file: Path, shards: Mapping[str, int]) -> Sequence[StoredTensor]:
    """What lies in the shards, by shard and offset; a tensor that several initializers share is there once.

    `shards` are the names and bytes of all shards. Raises ArtifactError if the file is no graph over them, or if two
    tensors overlap.
    """
    try:
        found = _Reading(onnx.load(model_file, load_external_data=False).graph).tensors()
        outside = [tensor for tensor in found if tensor.end > shards[tensor.file] or tensor.offset < 0]
    except Exception as problem:  # protobuf's errors have no base of their own
        raise _damaged(model_file, f"cannot be read: {type(problem).__name__} {problem}") from problem
    if outside or {tensor.file for tensor in found} != set(shards):
        raise _damaged(model_file, f"does not fit the shards {', '.join(shards)}")
    for one, two in pairwise(found):
        if one.file == two.file and one.end > two.offset:
            raise _damaged(model_file, f"has {one.weight} and {two.weight} in the same bytes")
    return found


def _damaged(model_file: Path, problem: str) -> ArtifactError:
    return ArtifactError(f"{model_file.name} {problem}", str(model_file.parent), "Export the model again.")


@dataclass(frozen=True)
class _Packed:
    """How the initializer of some blocks, scales or zero points is read: the weight's name, its format and its size."""

    weight: str
    part: str
    scheme: str
    bits: int
    parameters: int


class _Reading:
    """Reads one graph."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph, self._uses = graph, GraphUses(graph)
        self._sizes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
        self._external = {tensor.name for tensor in graph.initializer if tensor.external_data}
        self._packed = dict(self._find_packed())
        self._reads = _reads(graph)

    def tensors(self) -> list[StoredTensor]:
        places: dict[tuple[str, int], list[onnx.TensorProto]] = defaultdict(list)
        for tensor in self._graph.initializer:
            place = _place(tensor)
            if place:
                places[place["location"], int(place.get("offset", 0))].append(tensor)
        found = [self._stored(*place, tensors) for place, tensors in sorted(places.items())]
        layered = any(tensor.layer is not None for tensor in found)
        return [_outside(tensor) if layered and tensor.layer is None else tensor for tensor in found]

    def _stored(self, file: str, offset: int, tensors: list[onnx.TensorProto]) -> StoredTensor:
        first = tensors[0]
        size, dtype = int(_place(first)["length"]), _dtype(first)
        if min(first.dims, default=1) < 1 or size != WIDTHS[dtype] * prod(first.dims):
            raise ValueError(f"{first.name} has {size} bytes, which are not those of its shape")
        plain = _Packed(first.name, VALUES, dtype, 8, prod(first.dims))
        packed = self._packed.get(first.name, plain)
        reads = sum(max(1, self._reads[tensor.name]) for tensor in tensors)
        return StoredTensor(
            file=file,
            offset=offset,
            bytes=size,
            weight=packed.weight,
            part=packed.part,
            role=self._role(tensors),
            layer=_layer(packed.weight),
            scheme=packed.scheme,
            dtype=dtype,
            symbol_bits=packed.bits if dtype == "u8" else 8,
            shape=tuple(first.dims),
            parameters=packed.parameters,
            saved=size * (reads - 1),
        )

    def _role(self, tensors: Sequence[onnx.TensorProto]) -> str:
        """A table that embeds tokens and is the head as well is called an embedding."""
        roles = {self._uses.role(tensor.name) for tensor in tensors}
        return EMBEDDING if EMBEDDING in roles else min(roles - {OTHER}, default=OTHER)

    def _find_packed(self) -> Iterator[tuple[str, _Packed]]:
        for node in self._graph.node:
            for values, scales, zeros in _BLOCK_INPUTS.get(node.op_type, ()):
                if values < len(node.input):
                    yield from self._packing(node, values, scales, zeros)

    def _packing(
        self, node: onnx.NodeProto, values: int, scales: int, zeros: int
    ) -> Iterator[tuple[str, _Packed]]:
        blocks, scale = self._uses.stored(node.input[values]), self._uses.stored(node.input[scales])
        zero = self._uses.stored(node.input[zeros]) if len(node.input) > zeros else ""
        held = prod(self._sizes[scale]) * _BLOCK
        bits = prod(self._sizes[blocks]) * 8 // held
        if bits not in _BITS:
            raise ValueError(f"{blocks} has {bits} bits a number")
        scheme = f"q{bits}z" if zero in self._external else f"q{bits}"
        name, inner = _FORM.sub("", blocks), {a.name: a.i for a in node.attribute}.get("K")
        count = self._sizes[blocks][0] * inner if inner else held
        if not 0 < count <= held:
            raise ValueError(f"{blocks} stands for {count} numbers")
        yield blocks, _Packed(name, VALUES, scheme, bits, count)
        yield scale, _Packed(name, SCALES, scheme, 8, 0)
        if scheme.endswith("z"):
            yield zero, _Packed(name, ZEROS, scheme, bits, 0)


def _place(tensor: onnx.TensorProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in tensor.external_data}


def _dtype(tensor: onnx.TensorProto) -> str:
    kinds = {onnx.TensorProto.FLOAT: "f32", onnx.TensorProto.FLOAT16: "f16"}
    return next((name for kind, name in kinds.items() if kind == tensor.data_type), "u8")


def _layer(name: str) -> int | None:
    match = _LAYER.search(name)
    return int(match[1]) if match else None


def _outside(tensor: StoredTensor) -> StoredTensor:
    """Behind the layers what looks like an MLP is the head of a classifier or of a masked model."""
    return replace(tensor, role=HEAD) if tensor.role in (MLP, OTHER) else tensor


def _reads(graph: onnx.GraphProto) -> Counter[str]:
    """How many nodes read each value; what only changes a value's type is not one, but those that read its output."""
    reads = Counter(name for node in graph.node for name in node.input)
    for node in graph.node:
        if node.op_type == "Cast":
            reads[node.input[0]] += reads[node.output[0]] - 1
    return reads
