"""The files that a visit fetches in place of weight shards: the same bytes, coded."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx_ir as ir

from exporter.artifact import Location, Shard, write_chunks
from exporter.coding import CHUNK_BYTES, Span, coded_chunks
from exporter.passes import tensor_of, weights

# A file that is hardly smaller is not worth its decoding.
_WORTH = 0.98
# Places in a shard are told in 32 bits.
_MOST = 1 << 32


def code_shards(
    folder: Path,
    model: ir.Model,
    places: Mapping[str, Location],
    shards: Sequence[Shard],
    advance: Callable[[int], None],
) -> tuple[Shard | None, ...] | None:
    """Writes a coded file for each of `shards` that is worth one; None if none is. `advance` hears of bytes done."""
    spans = _spans(model, places)
    coded = tuple(_coded(folder, shard, spans[index], advance) for index, shard in enumerate(shards))
    return coded if any(coded) else None


def _coded(folder: Path, shard: Shard, spans: Sequence[Span], advance: Callable[[int], None]) -> Shard | None:
    if shard.bytes >= _MOST:
        advance(shard.bytes)
        return None
    data = np.memmap(folder / shard.file, np.uint8, "r")
    written = write_chunks(folder, coded_chunks(data, spans), CHUNK_BYTES)
    advance(shard.bytes)
    if written.bytes <= _WORTH * shard.bytes:
        return written
    (folder / written.file).unlink()
    return None


def _spans(model: ir.Model, places: Mapping[str, Location]) -> Mapping[int, list[Span]]:
    """What lies in each shard, in order; tensors that share their bytes once."""
    found: dict[int, set[Span]] = defaultdict(set)
    for value in weights(model):
        place = places[str(value.name)]
        found[place.shard_index].add(Span(place.offset, place.bytes, _width(tensor_of(value))))
    return {index: sorted(spans, key=lambda span: span.offset) for index, spans in found.items()}


def _width(tensor: ir.TensorProtocol) -> int:
    size = tensor.dtype.itemsize
    return int(size) if size in (1, 2, 4) else 1
