"""What a coded file holds of each tensor: of every chunk its parts, and a share of its tables."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from exporter.artifact import Manifest
from exporter.coding import extents_of
from exporter.errors import ArtifactError
from exporter.report.sharing_out import apportion
from exporter.report.tensors import StoredTensor


def coded_of(manifest: Manifest) -> Mapping[str, str]:
    """The shard that each coded file stands for, by their names."""
    pairs = zip(manifest.coded or (), manifest.shards, strict=False)
    return {coded.file: shard.file for coded, shard in pairs if coded}


def coded_sizes(path: Path, chunk_bytes: int, tensors: Sequence[StoredTensor]) -> Sequence[int]:
    """Bytes of the coded file at `path` for each of `tensors`, which are those of its shard in order; they sum to all.

    Raises ArtifactError if the file is damaged.
    """
    starts = [tensor.offset for tensor in tensors]
    sizes = [0] * len(tensors)
    for chunk in _chunks(path, chunk_bytes):
        held = [0] * len(tensors)
        try:
            for extent in extents_of(chunk):
                held[bisect_right(starts, extent.place) - 1] += extent.bytes
            if not any(held):
                raise ValueError("it holds nothing")
        except ValueError as problem:
            raise ArtifactError(
                f"A coded chunk is damaged: {problem}", str(path), "Export the model again."
            ) from None
        rest = apportion(len(chunk) - sum(held), held)
        sizes = [size + own + more for size, own, more in zip(sizes, held, rest, strict=True)]
    return sizes


def _chunks(path: Path, chunk_bytes: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(chunk_bytes):
            yield chunk
