"""Where tensors lie in shards: told from their sizes alone, so that an export can be foretold to the byte."""

from dataclasses import dataclass

from ..errors import OutputError

# WebGPU's minStorageBufferOffsetAlignment.
ALIGNMENT = 256
# WebGPU writes to a buffer in units of 4 bytes, so a shard's size is a multiple of it.
COPY_BYTES = 4


@dataclass(frozen=True)
class Location:
    """Where a tensor lies: bytes [offset, offset + bytes) of the shard with that index."""

    shard_index: int
    offset: int
    bytes: int


class ShardLayout:
    """Places tensors one after the other into shards of at most `shard_bytes`; a larger one has its own shard.

    `growing` is the shard that takes further tensors, if there is one.
    """

    def __init__(self, shard_bytes: int) -> None:
        if shard_bytes < ALIGNMENT:
            raise OutputError(
                f"A shard of {shard_bytes} bytes is too small", "--shard-size", "Use 1MB or more."
            )
        self._most = _rounded_down(shard_bytes, COPY_BYTES)
        self._ends: list[int] = []
        self.growing: int | None = None

    @property
    def sizes(self) -> list[int]:
        """Bytes of each shard, as it is when no more tensors come."""
        return [_rounded_up(end, COPY_BYTES) for end in self._ends]

    def place(self, size: int) -> Location:
        """Where the next tensor, of `size` bytes, lies."""
        if size < 1:
            raise OutputError("A tensor holds no bytes", "shard", "Leave it out.")
        if size > self._most:
            return self._start(size)
        if self.growing is not None:
            offset = _rounded_up(self._ends[self.growing], ALIGNMENT)
            if offset + size <= self._most:
                self._ends[self.growing] = offset + size
                return Location(self.growing, offset, size)
        self.growing = len(self._ends)
        return self._start(size)

    def _start(self, size: int) -> Location:
        self._ends.append(size)
        return Location(len(self._ends) - 1, 0, size)


def _rounded_down(size: int, unit: int) -> int:
    return size // unit * unit


def _rounded_up(size: int, unit: int) -> int:
    return -(-size // unit) * unit
