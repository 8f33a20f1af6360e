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

# Lanes coded side by side: more are faster, until their words no longer fit into a few dozen megabytes.
_AT_ONCE = 1024


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
    data = np.concatenate([job.data for job in jobs])
    starts = np.cumsum([0, *(len(job.data) for job in jobs)])[:-1]
    lengths = np.repeat([len(job.data) // LANES for job in jobs], LANES)
    work = _Work(
        data,
        (starts[:, None] + np.arange(LANES)).ravel(),
        np.repeat([numbers[id(job.table)] << 8 for job in jobs], LANES),
        np.concatenate([table.frequency for table in tables]),
        np.concatenate([table.begins for table in tables]),
    )
    return work.run(lengths)


@dataclass(frozen=True)
class _Work:
    """Lanes side by side: byte t of lane k is data[first[k] + 4 t], its table begins at `table[k]` of `frequency`."""

    data: Bytes
    first: npt.NDArray[np.int64]
    table: npt.NDArray[np.int64]
    frequency: npt.NDArray[np.int64]
    begins: npt.NDArray[np.int64]

    def run(self, lengths: npt.NDArray[np.int64]) -> list[Lane]:
        """Codes from the last byte to the first, as reading goes the other way."""
        longest = int(lengths.max(initial=0))
        room = longest * TABLE_BITS // WORD_BITS + 2
        words = np.zeros((len(lengths), room), np.uint16)
        left = np.full(len(lengths), room)
        state = np.full(len(lengths), LOWEST, np.int64)
        busy = np.searchsorted(-lengths, -np.arange(longest), side="left")
        for t in range(longest - 1, -1, -1):
            self._step(t, int(busy[t]), words, left, state)
        return [Lane(int(state[k]), words[k, left[k] :].copy()) for k in range(len(lengths))]

    def _step(
        self, t: int, busy: int, words: Words, left: npt.NDArray[np.int64], state: npt.NDArray[np.int64]
    ) -> None:
        symbol = self.table[:busy] + self.data[self.first[:busy] + LANES * t]
        frequency = self.frequency[symbol]
        x = state[:busy]
        full = np.flatnonzero(x >= frequency << (31 - TABLE_BITS))
        left[full] -= 1
        words[full, left[full]] = x[full] & 0xFFFF
        x[full] >>= WORD_BITS
        whole, rest = np.divmod(x, frequency)
        x[:] = (whole << TABLE_BITS) + rest + self.begins[symbol]


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
