"""Writes tensors into weight shards slab by slab: aligned, hashed while they are written, large ones stored once."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import OutputError
from .manifest import Shard
from .shard_layout import COPY_BYTES, Location, ShardLayout

# What an interruption costs of each connection, at most, and what each holds in memory; a hash a chunk is 0.003 % more.
CHUNK_BYTES = 1024 * 1024
# Smaller tensors with equal bytes (norms that are all ones) are not looked for: `--dry-run` knows sizes, not bytes.
SHARED_BYTES = 16 * 1024

Slab = npt.NDArray[np.generic]


@dataclass
class _OpenShard:
    """A shard being written under a temporary name, and the hashes of what it holds so far."""

    path: Path
    chunk_bytes: int = CHUNK_BYTES
    size: int = 0
    chunks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._file = self.path.open("xb", buffering=0)
        self._whole = hashlib.sha256()
        self._chunk = hashlib.sha256()

    def append(self, data: memoryview) -> None:
        """Writes `data`, piece by piece so that no piece crosses the end of a chunk."""
        while len(data):
            piece = data[: self.chunk_bytes - self.size % self.chunk_bytes]
            written = self._file.write(piece)
            piece = piece[:written]
            self._whole.update(piece)
            self._chunk.update(piece)
            self.size += len(piece)
            if self.size % self.chunk_bytes == 0:
                self._end_chunk()
            data = data[len(piece) :]

    def pad(self, size: int) -> None:
        """Adds zeros until there are `size` bytes."""
        self.append(memoryview(bytes(size - self.size)))

    def close(self) -> Shard:
        """Pads to WebGPU's grain of 4 bytes and gives the file its name, the SHA-256 of its bytes."""
        self.pad(-(-self.size // COPY_BYTES) * COPY_BYTES)
        if self.size % self.chunk_bytes:
            self._end_chunk()
        self._file.close()
        digest = self._whole.hexdigest()
        self.path.replace(self.path.with_name(f"{digest}.bin"))
        return Shard(f"{digest}.bin", self.size, digest, self.chunk_bytes, tuple(self.chunks))

    def abandon(self) -> None:
        """Closes the file without a name."""
        self._file.close()

    def _end_chunk(self) -> None:
        self.chunks.append(self._chunk.hexdigest())
        self._chunk = hashlib.sha256()


class ShardWriter:
    """Packs tensors into shards of at most `shard_bytes` in `folder`; a larger tensor has a shard of its own.

    Use it as a context manager, so that files are closed when something fails.
    """

    def __init__(self, folder: Path, shard_bytes: int) -> None:
        self._folder = folder
        self._layout = ShardLayout(shard_bytes)
        self._alike: dict[tuple[int, bytes], Location] = {}
        self._open: dict[int, _OpenShard] = {}
        self._closed: dict[int, Shard] = {}

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, *_: object) -> None:
        for shard in self._open.values():
            shard.abandon()

    def add(self, size: int, slabs: Iterable[Slab]) -> Location:
        """Writes a tensor of `size` bytes that comes as arrays, row-major and little-endian.

        One of at least SHARED_BYTES with the bytes of an earlier one is stored once.
        """
        data: Iterator[memoryview] = map(_bytes_of, slabs)
        if size < SHARED_BYTES:
            return self._write(size, data)
        first = next(data)
        key = (size, hashlib.sha256(first).digest())
        data = chain([first], data)
        if key in self._alike:
            pieces = list(self._unlike(self._alike[key], data))
            if not pieces:
                return self._alike[key]
            data = chain(pieces, data)
        self._alike[key] = self._write(size, data)
        return self._alike[key]

    def close(self) -> tuple[Shard, ...]:
        """Ends all shards; their order is that of `Location.shard_index`."""
        self._end_all_but(None)
        return tuple(shard for _, shard in sorted(self._closed.items()))

    def _unlike(self, known: Location, data: Iterator[memoryview]) -> Iterator[memoryview]:
        """Nothing if `data` has the bytes at `known`, else what has been taken from `data` until they differed."""
        offset = known.offset
        with self._path(known.shard_index).open("rb", buffering=0) as file:
            for piece in data:
                file.seek(offset)
                if file.read(len(piece)) != piece:
                    yield from self._stored(known, offset)
                    yield piece
                    return
                offset += len(piece)

    def _stored(self, known: Location, end: int) -> Iterator[memoryview]:
        with self._path(known.shard_index).open("rb", buffering=0) as file:
            for start in range(known.offset, end, CHUNK_BYTES):
                file.seek(start)
                yield memoryview(file.read(min(CHUNK_BYTES, end - start)))

    def _path(self, index: int) -> Path:
        return self._open[index].path if index in self._open else self._folder / self._closed[index].file

    def _write(self, size: int, data: Iterable[memoryview]) -> Location:
        location = self._layout.place(size)
        index = location.shard_index
        if index not in self._open:
            self._end_all_but(self._layout.growing)
            self._open[index] = _OpenShard(self._folder / f"shard-{index}.partial")
        shard = self._open[index]
        shard.pad(location.offset)
        for piece in data:
            shard.append(piece)
        if shard.size != location.offset + size:
            raise OutputError(
                f"A tensor of {size} bytes came as {shard.size - location.offset}", "shard", "Report this."
            )
        self._end_all_but(self._layout.growing)
        return location

    def _end_all_but(self, growing: int | None) -> None:
        for index in [index for index in self._open if index != growing]:
            self._closed[index] = self._open.pop(index).close()


def write_chunks(folder: Path, chunks: Iterable[bytes], chunk_bytes: int) -> Shard:
    """Writes `chunks` of `chunk_bytes`, the last may be short, as one file of `folder`."""
    file = _OpenShard(folder / "coded.partial", chunk_bytes)
    try:
        for chunk in chunks:
            file.append(memoryview(chunk))
        return file.close()
    finally:
        file.abandon()


def planned_shard(index: int, size: int) -> Shard:
    """A shard of `size` bytes that nobody has written: its hashes are as long as true ones and as hard to compress."""
    digests = [
        hashlib.sha256(f"{index}.{n}".encode()).hexdigest() for n in range(-(-size // CHUNK_BYTES) + 1)
    ]
    return Shard(f"{digests[0]}.bin", size, digests[0], CHUNK_BYTES, tuple(digests[1:]))


def _bytes_of(array: Slab) -> memoryview:
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8).data
