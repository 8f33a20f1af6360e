"""Reads coded chunks back: the twin of the engine's reader, for tests and `verify`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .chunks import CODED, HEAD, LANE, PART, REPEATED
from .frequencies import Bytes, Table
from .rans import LANES, Lane, decode


def decode_chunk(chunk: bytes) -> tuple[int, Bytes]:
    """Where the chunk's stretch of the shard begins, and its bytes.

    Raises ValueError for a chunk that is not as it must be.
    """
    start, length, table_count, part_count = HEAD.unpack_from(chunk)
    cursor, stretch = _Cursor(chunk, HEAD.size), np.zeros(length, np.uint8)
    tables = [cursor.table() for _ in range(table_count)]
    for _ in range(part_count):
        kind, stride, last, offset, count = PART.unpack(cursor.take(PART.size))
        if kind == CODED:
            stretch[offset::stride][:count] = cursor.coded(tables[last], count)
        elif kind == REPEATED:
            words = np.frombuffer(cursor.take(2 * count), "<u2")
            stretch[offset:][: 2 * count * last] = np.repeat(words, last).view(np.uint8)
        else:
            stretch[offset::stride][:count] = np.frombuffer(cursor.take(count), np.uint8)
        cursor.at += cursor.at % 2
    return start, stretch


@dataclass(frozen=True)
class Extent:
    """A part of a chunk: where its first byte lies in the shard, and how many bytes of the chunk it takes."""

    place: int
    bytes: int


def extents_of(chunk: bytes) -> Sequence[Extent]:
    """The parts of a chunk. Raises ValueError for one that is not as it must be."""
    start, _, table_count, part_count = HEAD.unpack_from(chunk)
    cursor = _Cursor(chunk, HEAD.size)
    for _ in range(table_count):
        cursor.table()
    return [_extent(cursor, start) for _ in range(part_count)]


def _extent(cursor: "_Cursor", start: int) -> Extent:
    begin = cursor.at
    kind, _, _, offset, count = PART.unpack(cursor.take(PART.size))
    if kind == CODED:
        words = [LANE.unpack(cursor.take(LANE.size))[1] for _ in range(LANES)]
        cursor.take(2 * sum(words) + count % LANES)
    else:
        cursor.take(2 * count if kind == REPEATED else count)
    cursor.at += cursor.at % 2
    return Extent(start + offset, cursor.at - begin)


class _Cursor:
    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def take(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise ValueError("The chunk ends too early")
        self.at += size
        return piece

    def table(self) -> Table:
        used = np.unpackbits(np.frombuffer(self.take(32), np.uint8), bitorder="little").astype(bool)
        frequency = np.zeros(256, np.int64)
        frequency[used] = np.frombuffer(self.take(2 * int(used.sum())), "<u2")
        return Table(frequency)

    def coded(self, table: Table, count: int) -> Bytes:
        heads = [LANE.unpack(self.take(LANE.size)) for _ in range(LANES)]
        lanes = [Lane(state, np.frombuffer(self.take(2 * words), "<u2")) for state, words in heads]
        coded = decode(lanes, table, count // LANES * LANES)
        return np.concatenate([coded, np.frombuffer(self.take(count % LANES), np.uint8)])
