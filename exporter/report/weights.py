"""Each weight of the model: what it stands for, what it costs, and what its numbers would cost a perfect coder."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exporter.report.entropy import Contents, read_contents
from exporter.report.tensors import SCALES, VALUES, ZEROS, StoredTensor


@dataclass(frozen=True)
class Weight:
    """A weight with its scales and zero points; sizes in bytes, `entropy_bits` of all of them together.

    `shipped` are the bytes that a visit fetches of it, fewer where it is coded. `sha256` is that of its parts' SHA-256
    end to end: it tells whether a weight of another build is the same.
    """

    name: str
    role: str
    layer: int | None
    scheme: str
    parameters: int
    values: int
    scales: int
    zero_points: int
    saved: int
    shipped: int
    entropy_bits: float
    sha256: str

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.values + self.scales + self.zero_points

    @property
    def bits_per_weight(self) -> float:
        """What is shipped for each parameter."""
        return 8 * self.shipped / max(1, self.parameters)

    @property
    def entropy_per_weight(self) -> float:
        """What an order-0 coder would ship for each parameter."""
        return self.entropy_bits / max(1, self.parameters)

    @property
    def gap(self) -> float:
        """Bits for each parameter between what is shipped and its order-0 entropy."""
        return self.bits_per_weight - self.entropy_per_weight


def read_weights(
    folder: Path, tensors: Sequence[StoredTensor], shipped: Mapping[str, int] | None = None
) -> Sequence[Weight]:
    """Reads every byte of every tensor; the order is that of the shards.

    `shipped` is what a visit fetches of each weight, if not all.
    """
    parts: dict[str, list[tuple[StoredTensor, Contents]]] = defaultdict(list)
    for tensor in tensors:
        parts[tensor.weight].append((tensor, read_contents(folder, tensor)))
    whole = {name: sum(tensor.bytes for tensor, _ in found) for name, found in parts.items()}
    return [_weight(name, found, (shipped or whole)[name]) for name, found in parts.items()]


def _weight(name: str, parts: Sequence[tuple[StoredTensor, Contents]], shipped: int) -> Weight:
    first = next((tensor for tensor, _ in parts if tensor.part == VALUES), parts[0][0])
    sizes = {part: sum(t.bytes for t, _ in parts if t.part == part) for part in (VALUES, SCALES, ZEROS)}
    digests = "".join(contents.sha256 for _, contents in parts)
    return Weight(
        name=name,
        role=first.role,
        layer=first.layer,
        scheme=first.scheme,
        parameters=sum(tensor.parameters for tensor, _ in parts),
        values=sizes[VALUES],
        scales=sizes[SCALES],
        zero_points=sizes[ZEROS],
        saved=sum(tensor.saved for tensor, _ in parts),
        shipped=shipped,
        entropy_bits=sum(contents.entropy_bits for _, contents in parts),
        sha256=hashlib.sha256(digests.encode("ascii")).hexdigest(),
    )
