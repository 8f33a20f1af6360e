"""Coded chunks: each is read by itself and holds one stretch of a shard (exporter/artifact/FORMAT.md)."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from .frequencies import Bytes, Table
from .planes import Content, Plane, Span, content_of
from .rans import LANES, Job, Lane, encode

CHUNK_BYTES = 2 << 20
# What a reader must have memory for at once.
STRETCH_BYTES = 8 << 20

PLAIN, CODED, REPEATED = 0, 1, 2
HEAD = struct.Struct("<IIHH")  # start, length, tables, parts
PART = struct.Struct("<BBHII")  # kind, stride, table or run, offset, count
LANE = struct.Struct("<II")  # state, words

_PART_SYMBOLS = 1 << 16
# Coding takes a little more than the tables say: a word a lane, and what a state of 31 bits loses.
_SLACK_BYTES = 2 * LANES
_SLACK = 1.0005
# Chunks coded side by side.
_BATCH = 16


@dataclass
class _Part:
    kind: int
    stride: int
    offset: int
    data: Bytes
    run: int = 0
    table: Table | None = None


@dataclass
class _Chunk:
    """A chunk that is being filled."""

    start: int
    room: int
    end: int = 0
    tables: list[Table] = field(default_factory=list)
    parts: list[_Part] = field(default_factory=list)

    def has(self, table: Table) -> bool:
        return any(table is known for known in self.tables)


def coded_chunks(shard: Bytes, spans: Iterable[Span], chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Chunks of `chunk_bytes`, the last may be short, that hold the `spans` of `shard`, which come in order."""
    batch: list[_Chunk] = []
    for chunk in _filled(shard, spans, chunk_bytes):
        batch.append(chunk)
        if len(batch) == _BATCH:
            yield from (data.ljust(chunk_bytes, b"\0") for data in _written(batch[:-1]))
            batch = batch[-1:]
    *whole, last = _written(batch)
    yield from (data.ljust(chunk_bytes, b"\0") for data in whole)
    yield last


def _filled(shard: Bytes, spans: Iterable[Span], chunk_bytes: int) -> Iterator[_Chunk]:
    chunk: _Chunk | None = None
    for span in spans:
        content, at = content_of(span, shard), 0
        while at < span.bytes:
            chunk = chunk or _Chunk(span.offset + at, chunk_bytes - HEAD.size)
            size = _fitting(chunk, content, at)
            if size:
                _put(chunk, content, at, size)
                at += size
            else:
                yield chunk
                chunk = None
    if chunk:
        yield chunk


def _fitting(chunk: _Chunk, content: Content, at: int) -> int:
    """How many bytes of `content` from `at` on go into `chunk`: as many as there are, or a number of whole words."""
    left = min(
        content.span.bytes - at,
        STRETCH_BYTES - (content.span.offset + at - chunk.start),
        _PART_SYMBOLS * content.unit,
    )
    units = left // content.unit
    overhead = sum(_overhead(chunk, plane) for plane in content.planes) if content.planes else PART.size
    room = (chunk.room - overhead) / _SLACK
    costs = _costs(content, at, units)
    if costs.sum() > room:
        units = int(np.searchsorted(np.cumsum(costs), room, side="right"))
    if at + units * content.unit < content.span.bytes:
        units -= units % 4
    return units * content.unit


def _overhead(chunk: _Chunk, plane: Plane) -> int:
    """Bytes of a part beside its symbols."""
    if plane.table is None:
        return PART.size + 1
    table = 0 if chunk.has(plane.table) else len(_table_bytes(plane.table))
    return PART.size + LANES * LANE.size + LANES + 1 + table + _SLACK_BYTES


def _costs(content: Content, at: int, units: int) -> np.ndarray:
    """Bytes that each of the next `units` numbers takes (units,)."""
    if content.run:
        return np.full(units, float(content.span.width))
    costs = np.zeros(units)
    data = content.data[at : at + units * content.unit]
    for plane in content.planes:
        symbols = data[plane.first :: plane.stride]
        costs += 1.0 if plane.table is None else plane.table.bits[symbols] / 8
    return costs


def _put(chunk: _Chunk, content: Content, at: int, size: int) -> None:
    data, offset = content.data[at : at + size], content.span.offset + at - chunk.start
    if content.run:
        parts = [
            _Part(
                REPEATED,
                1,
                offset,
                data.reshape(-1, content.unit)[:, : content.span.width].ravel(),
                content.run,
            )
        ]
    else:
        parts = [_plane_part(plane, offset, data) for plane in content.planes]
    for part in parts:
        if part.table is not None and not chunk.has(part.table):
            chunk.tables.append(part.table)
            chunk.room -= len(_table_bytes(part.table))
        chunk.parts.append(part)
        chunk.room -= int(np.ceil(_size_of(part)))
    chunk.end = offset + size


def _plane_part(plane: Plane, offset: int, data: Bytes) -> _Part:
    symbols = np.ascontiguousarray(data[plane.first :: plane.stride])
    kind = PLAIN if plane.table is None else CODED
    return _Part(kind, plane.stride, offset + plane.first, symbols, table=plane.table)


def _size_of(part: _Part) -> float:
    """At most so many bytes does `part` take, without its table."""
    if part.table is None:
        return PART.size + len(part.data) + 1
    return (
        PART.size
        + LANES * LANE.size
        + LANES
        + 1
        + _SLACK_BYTES
        + _SLACK * float(part.table.bits[part.data].sum()) / 8
    )


def _written(chunks: Sequence[_Chunk]) -> list[bytes]:
    jobs = [
        Job(part.data[: len(part.data) // LANES * LANES], part.table)
        for chunk in chunks
        for part in chunk.parts
        if part.table is not None
    ]
    lanes = iter(encode(jobs))
    return [_chunk_bytes(chunk, lanes) for chunk in chunks]


def _chunk_bytes(chunk: _Chunk, lanes: Iterator[tuple[Lane, ...]]) -> bytes:
    length = -(-chunk.end // 4) * 4
    pieces = [HEAD.pack(chunk.start, length, len(chunk.tables), len(chunk.parts))]
    pieces += [_table_bytes(table) for table in chunk.tables]
    for part in chunk.parts:
        last = part.run
        if part.table is not None:
            last = next(index for index, table in enumerate(chunk.tables) if table is part.table)
        count = len(part.data) // (2 if part.kind == REPEATED else 1)
        pieces.append(PART.pack(part.kind, part.stride, last, part.offset, count))
        pieces.append(_even(part.data.tobytes() if part.table is None else _body(part, next(lanes))))
    return b"".join(pieces)


def _body(part: _Part, lanes: tuple[Lane, ...]) -> bytes:
    heads = b"".join(LANE.pack(lane.state, len(lane.words)) for lane in lanes)
    words = b"".join(lane.words.astype("<u2").tobytes() for lane in lanes)
    return heads + words + part.data[len(part.data) // LANES * LANES :].tobytes()


def _table_bytes(table: Table) -> bytes:
    """A bit for each byte that comes, the first in the lowest bit; then how often each of them comes, uint16."""
    used = table.frequency > 0
    return np.packbits(used, bitorder="little").tobytes() + table.frequency[used].astype("<u2").tobytes()


def _even(data: bytes) -> bytes:
    return data + bytes(len(data) % 2)
