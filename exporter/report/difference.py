"""Two builds of a model beside each other: every byte that came or went, and what an update fetches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from exporter.report.attribution import PADDING, Attribution, Piece, require_sum
from exporter.report.weights import Weight

Key = tuple[str, str]


@dataclass(frozen=True)
class Mover:
    """What has another size in the new build, or other contents; sizes in bytes, 0 where it is not there.

    `travels` is the change of a first visit's bytes.
    """

    name: str
    role: str
    old: int
    new: int
    travels: int

    @property
    def bytes(self) -> int:
        """How many bytes came (or, below 0, went)."""
        return self.new - self.old


@dataclass(frozen=True)
class Difference:
    """From an older build to the one that is reported; `fetched` are the files that an update downloads, in bytes.

    The movers' bytes sum to the change of the folder with the site, and their `travels` to that of the first visit.
    """

    old_name: str
    old_folder: int
    new_folder: int
    old_visit: int
    new_visit: int
    movers: Sequence[Mover]
    roles: Sequence[Mover]
    changed_weights: Sequence[str]
    fetched: Mapping[str, int]

    @property
    def update(self) -> int:
        """Bytes that an update downloads."""
        return sum(self.fetched.values())


@dataclass(frozen=True)
class Build:
    """One of the two: its name, the bytes of a first visit, its pieces and its weights."""

    name: str
    first_visit: int
    attribution: Attribution
    weights: Sequence[Weight]


def compare(old: Build, new: Build, fetched: Mapping[str, int]) -> Difference:
    """The difference; raises ArtifactError if it did not sum to the byte."""
    movers = _movers(old.attribution.pieces, new.attribution.pieces, _key)
    roles = _movers(old.attribution.pieces, new.attribution.pieces, lambda piece: (piece.role, piece.role))
    for found in (movers, roles):
        _require_exact(old, new, found)
    return Difference(
        old_name=old.name,
        old_folder=old.attribution.folder_bytes,
        new_folder=new.attribution.folder_bytes,
        old_visit=old.first_visit,
        new_visit=new.first_visit,
        movers=[mover for mover in movers if mover.bytes or mover.travels],
        roles=roles,
        changed_weights=_changed(old.weights, new.weights),
        fetched=fetched,
    )


def _require_exact(old: Build, new: Build, movers: Sequence[Mover]) -> None:
    for build, sizes in ((old, [m.old for m in movers]), (new, [m.new for m in movers])):
        require_sum(build.name, sum(piece.bytes for piece in build.attribution.pieces), sizes)
    travels = sum(mover.travels for mover in movers)
    require_sum("first visits", new.first_visit, [old.first_visit + travels])


def _key(piece: Piece) -> Key:
    """Shards are named by their contents, so a weight is known by its own name, whichever shard it lies in."""
    if piece.role == PADDING:
        return PADDING, PADDING
    if piece.scheme:
        return piece.role, piece.name
    return piece.role, f"{piece.file} {piece.name}" if piece.name != piece.file else piece.name


def _movers(old: Sequence[Piece], new: Sequence[Piece], key: Callable[[Piece], Key]) -> list[Mover]:
    """What changes a first visit most stands first, then what changes the folder; what has not changed stands last."""
    sums: dict[Key, list[int]] = {}
    for pieces, at in ((old, 0), (new, 1)):
        for piece in pieces:
            row = sums.setdefault(key(piece), [0, 0, 0])
            row[at] += piece.bytes
            row[2] += piece.travels if at else -piece.travels
    movers = [Mover(name, role, *row) for (role, name), row in sums.items()]
    return sorted(movers, key=lambda mover: (-abs(mover.travels), -abs(mover.bytes), mover.name))


def _changed(old: Sequence[Weight], new: Sequence[Weight]) -> list[str]:
    """Names of the weights with other numbers, new ones and those that are gone among them."""
    before, after = ({weight.name: weight.sha256 for weight in weights} for weights in (old, new))
    return [name for name in {**after, **before} if before.get(name) != after.get(name)]
