"""Range asymmetric numeral systems (Duda, 2013; in whole words as Giesen, "Interleaved entropy coders", 2014).

A part of n bytes has four lanes; byte i belongs to lane i % 4. A lane is a state in [2^15, 2^31) and 16-bit words. To
read a byte: its slot is state % 4096, the byte the one whose slots hold it; the state becomes frequency * (state >> 12)
+ slot - first slot; below 2^15 it takes in a word. States begin at 2^15 where coding began, which is where reading must
end. Four lanes, because a processor then works at four states at once. All lanes of many parts are coded side by side
here, and so in NumPy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .frequencies import TABLE_BITS, TOTAL, Bytes, Table

LANES = 4
LOWEST = 1 << 15
WORD_BITS = 16

Words = npt.NDArray[np.uint16]

# Lanes coded side by side: more are faster, and these take 80 MB for their bytes and words.
_AT_ONCE = 2048


@dataclass(frozen=True)
class Lane:
    """What reading starts with, and the words that it takes in."""

    state: int
    words: Words


@dataclass(frozen=True)
class Job:
    """Bytes whose number is a multiple of 4, and the table to code them by."""

    data: Bytes
    table: Table


def encode(jobs: Sequence[Job]) -> list[tuple[Lane, ...]]:
    """The four lanes of each job, in order."""
    order = sorted(range(len(jobs)), key=lambda index: -len(jobs[index].data))
    made: list[tuple[Lane, ...]] = [()] * len(jobs)
    step = _AT_ONCE // LANES
    for start in range(0, len(order), step):
        group = order[start : start + step]
        lanes = _encode_group([jobs[index] for index in group])
        for place, index in enumerate(group):
            made[index] = tuple(lanes[LANES * place : LANES * (place + 1)])
    return made


def _encode_group(jobs: Sequence[Job]) -> list[Lane]:
    """Lanes of `jobs`, which come longest first, so that those still at work are always the first ones."""
    tables = list({id(job.table): job.table for job in jobs}.values())
    numbers = {id(table): number for number, table in enumerate(tables)}
    lengths = np.array([len(job.data) // LANES for job in jobs])
    work = _Work(
        _rows(jobs, int(lengths.max(initial=0))),
        np.repeat([numbers[id(job.table)] << 8 for job in jobs], LANES),
        np.concatenate([table.frequency for table in tables]).astype(np.float64),
        np.concatenate([table.begins for table in tables]).astype(np.float64),
    )
    return work.run(np.repeat(lengths, LANES))


def _rows(jobs: Sequence[Job], longest: int) -> Bytes:
    """Byte t of each lane, side by side (longest, lanes); zeros where a lane has ended."""
    fours = np.zeros((longest, len(jobs)), np.uint32)
    for column, job in enumerate(jobs):
        fours[: len(job.data) // LANES, column] = job.data.view(np.uint32)
    return fours.view(np.uint8)


@dataclass(frozen=True)
class _Work:
    """Lanes side by side: row t has their bytes, and their tables begin at `table` (lanes,) of `frequency`.

    In float64, which holds whole numbers below 2^53 as they are, and is divided several at once.
    """

    rows: Bytes
    table: npt.NDArray[np.int64]
    frequency: npt.NDArray[np.float64]
    begins: npt.NDArray[np.float64]

    def run(self, lengths: npt.NDArray[np.int64]) -> list[Lane]:
        """Codes from the last byte to the first, as reading goes the other way."""
        room = len(self.rows) * TABLE_BITS // WORD_BITS + 2
        words = np.empty((room, len(lengths)), np.uint16)
        left = np.full(len(lengths), room)
        state = np.full(len(lengths), LOWEST, np.float64)
        busy = np.searchsorted(-lengths, -np.arange(len(self.rows)), side="left")
        for t in range(len(self.rows) - 1, -1, -1):
            self._step(t, state[: busy[t]], words, left)
        return [Lane(int(state[k]), words[left[k] :, k].copy()) for k in range(len(lengths))]

    def _step(self, t: int, x: npt.NDArray[np.float64], words: Words, left: npt.NDArray[np.int64]) -> None:
        """States that are full give a word, then each takes its byte in: `x`, `words` and `left` are changed."""
        symbol = self.table[: len(x)] + self.rows[t, : len(x)]
        frequency = self.frequency.take(symbol)
        full = (x >= frequency * (1 << (31 - TABLE_BITS))).nonzero()[0]
        before = x.take(full)
        after = np.floor(before * (1 / (1 << WORD_BITS)))
        x[full] = after
        at = left.take(full) - 1
        left[full] = at
        words[at, full] = before - after * (1 << WORD_BITS)
        whole = np.floor(x / frequency)
        x += whole * (TOTAL - frequency)
        x += self.begins.take(symbol)


def decode(lanes: Sequence[Lane], table: Table, length: int) -> Bytes:
    """The twin of the engine's reader: `length` bytes, a multiple of 4.

    Raises ValueError for lanes that do not end as they must.
    """
    symbols, begins = (
        np.repeat(np.arange(len(table.frequency), dtype=np.uint8), table.frequency),
        table.begins,
    )
    state = np.array([lane.state for lane in lanes], np.int64)
    words = [np.append(lane.words, np.uint16(0)) for lane in lanes]
    at = np.zeros(len(lanes), np.int64)
    data = np.empty((length // LANES, LANES), np.uint8)
    for row in data:
        slot = state & (TOTAL - 1)
        row[:] = symbols[slot]
        state = table.frequency[row] * (state >> TABLE_BITS) + slot - begins[row]
        for k in np.flatnonzero(state < LOWEST):
            state[k] = state[k] << WORD_BITS | int(words[k][min(at[k], len(words[k]) - 1)])
            at[k] += 1
    if (state != LOWEST).any() or any(at[k] != len(lane.words) for k, lane in enumerate(lanes)):
        raise ValueError("The lanes do not end where they began")
    return data.ravel()
