"""What lies in each shard, read from model.onnx: element types and how many weights the bytes stand for."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from exporter.errors import ArtifactError

_NAMES = {onnx.TensorProto.FLOAT: "f32", onnx.TensorProto.FLOAT16: "f16"}


@dataclass
class ShardContents:
    """Element types in a shard with their bytes, the number of weights stored, and where the last tensor ends.

    `saved` are the bytes that it would have more if each tensor were stored as often as the graph reads it.
    """

    bytes_of: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    weights: int = 0
    saved: int = 0
    end: int = 0

    @property
    def dtypes(self) -> str:
        """Element types, the largest share first: "q4 + f32"."""
        return " + ".join(sorted(self.bytes_of, key=lambda name: -self.bytes_of[name]))


def shard_contents(model_file: Path, shards: Mapping[str, int]) -> Mapping[str, ShardContents]:
    """Shard file name to contents; a tensor that several initializers share is counted once.

    `shards` are the names and bytes of all shards. Raises ArtifactError if the file is no graph over them.
    """
    try:
        contents = _contents(onnx.load(model_file, load_external_data=False).graph)
        outside = [name for name, shard in contents.items() if shard.end > shards[name]]
    except Exception as problem:  # protobuf's errors have no base of their own
        raise _damaged(model_file, f"cannot be read: {type(problem).__name__} {problem}") from problem
    if outside or set(contents) != set(shards):
        raise _damaged(model_file, f"does not fit the shards {', '.join(shards)}")
    return contents


def _damaged(model_file: Path, problem: str) -> ArtifactError:
    return ArtifactError(f"{model_file.name} {problem}", str(model_file.parent), "Export the model again.")


def _contents(graph: onnx.GraphProto) -> dict[str, ShardContents]:
    blocks = _block_weights(graph)
    reads = _reads(graph)
    contents: dict[str, ShardContents] = defaultdict(ShardContents)
    seen: set[tuple[str, int]] = set()
    for tensor in graph.initializer:
        place = {entry.key: entry.value for entry in tensor.external_data}
        key = (place.get("location", ""), int(place.get("offset", 0)))
        if not place:
            continue
        times = max(1, reads[tensor.name])
        contents[key[0]].saved += int(place["length"]) * (times if key in seen else times - 1)
        if key in seen:
            continue
        seen.add(key)
        dtype, weights = blocks.get(tensor.name, (_NAMES.get(tensor.data_type, "u8"), _count(tensor.dims)))
        shard = contents[key[0]]
        shard.bytes_of[dtype] += int(place["length"])
        shard.weights += weights
        shard.end = max(shard.end, key[1] + int(place["length"]))
    return contents


def _reads(graph: onnx.GraphProto) -> Counter[str]:
    """How many nodes read each value; what only changes a value's type is not one, but those that read its output."""
    reads = Counter(name for node in graph.node for name in node.input)
    for node in graph.node:
        if node.op_type == "Cast":
            reads[node.input[0]] += reads[node.output[0]] - 1
    return reads


def _count(dims: object) -> int:
    total = 1
    for dim in dims:  # type: ignore[attr-defined]  # protobuf's repeated field
        total *= dim
    return total


def _block_weights(graph: onnx.GraphProto) -> dict[str, tuple[str, int]]:
    """Initializers that hold blocks or scales: their format and the weights they stand for (scales: none)."""
    sizes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    casts = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"}
    found: dict[str, tuple[str, int]] = {}
    for node in graph.node:
        if node.op_type not in ("MatMulNBits", "GatherBlockQuantized"):
            continue
        attributes = {a.name: a.i for a in node.attribute}
        packed, scales = node.input[1 if node.op_type == "MatMulNBits" else 0], casts[node.input[2]]
        rows, *_ = sizes[packed]
        inner = attributes.get("K") or sizes[packed][-1] * 8 // attributes["bits"]
        found[packed] = (f"q{attributes['bits']}", rows * inner)
        found[scales] = ("f16 scales", 0)
    return found
