"""What every byte is: of the artifact folder, and of the page and the engine that play it. Nothing is left over.

A file of weights is cut into its tensors and the room between them, a plan into its shaders and the rest; any other
file is one piece.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.artifact import compact_json
from exporter.errors import ArtifactError
from exporter.report.coded_files import coded_sizes
from exporter.report.measure import Report, ReportFile
from exporter.report.sharing_out import apportion
from exporter.report.tensors import StoredTensor
from exporter.strict_json import parse_object

PADDING, KERNELS, UNLISTED = "padding", "kernels", "unlisted"
# What a visit fetches or a folder holds, the order of all lists: weights first, then what plays them.
ROLES = (
    "embedding",
    "attention",
    "mixer",
    "mlp",
    "expert",
    "norm",
    "head",
    "other",
    PADDING,
    "tokenizer",
    "original",
    "manifest",
    "plan",
    KERNELS,
    "engine",
    "page",
    "onnx",
    "generation",
    "card",
    "report",
    UNLISTED,
)


@dataclass(frozen=True)
class Piece:
    """A run of `bytes` bytes of one file, `travels` of which a first visit fetches (0: the visit does not need it).

    Of a file that travels compressed, `travels` is the piece's share by bytes; shares sum to the file's.
    """

    file: str
    role: str
    name: str
    part: str
    layer: int | None
    scheme: str
    dtype: str
    bytes: int
    travels: int

    @property
    def of_site(self) -> bool:
        """Whether it belongs to the page or the engine rather than to the artifact folder."""
        return self.role in ("engine", "page")


@dataclass(frozen=True)
class Share:
    """What belongs together: bytes in the folder or the site, and bytes that a first visit fetches."""

    name: str
    bytes: int
    travels: int


@dataclass(frozen=True)
class Attribution:
    """All pieces; those of the folder sum to `folder_bytes`, and what travels to the first visit."""

    folder_bytes: int
    pieces: Sequence[Piece]

    def by(self, key: Callable[[Piece], str]) -> Sequence[Share]:
        """Sums of the pieces that `key` gives the same name, in the order in which names come first."""
        found: dict[str, list[Piece]] = defaultdict(list)
        for piece in self.pieces:
            found[key(piece)].append(piece)
        return [_share(name, pieces) for name, pieces in found.items()]

    @property
    def roles(self) -> Sequence[Share]:
        """Sums by role, in the order of ROLES; roles without a byte are left out."""
        return sorted(self.by(lambda piece: piece.role), key=lambda share: ROLES.index(share.name))

    @property
    def largest(self) -> Sequence[Piece]:
        """All pieces, what travels most first."""
        return sorted(self.pieces, key=lambda piece: (-piece.travels, -piece.bytes, piece.file, piece.name))


def _share(name: str, pieces: Sequence[Piece]) -> Share:
    return Share(name, sum(piece.bytes for piece in pieces), sum(piece.travels for piece in pieces))


def attribute(folder: Path, report: Report) -> Attribution:
    """Cuts all files of `report`, which is about `folder`, into pieces.

    Raises ArtifactError if a byte were left over, or counted twice: then this program is wrong.
    """
    pieces: list[Piece] = []
    for file in report.files:
        made = list(_pieces_of(folder, file, report.tensors))
        require_sum(file.file, file.raw, [piece.bytes for piece in made])
        pieces += made
    sizes = _sizes(folder)
    unlisted = sorted(set(sizes) - {file.file for file in report.files})
    pieces += [_whole(name, _role_of_unlisted(name), sizes[name], 0) for name in unlisted]
    attribution = Attribution(sum(sizes.values()), tuple(pieces))
    held = [piece.bytes for piece in pieces if not piece.of_site]
    require_sum(str(folder), attribution.folder_bytes, held)
    require_sum("first visit", report.first_visit, [piece.travels for piece in pieces])
    return attribution


def require_sum(where: str, total: int, parts: Sequence[int]) -> None:
    """Raises ArtifactError unless `parts` are all positive or 0 and sum to `total`."""
    if min(parts, default=0) < 0 or sum(parts) != total:
        what = f"{total:,} bytes are explained as {sum(parts):,}"
        raise ArtifactError(what, where, "Report this: the size report must explain each byte once.")


def _sizes(folder: Path) -> Mapping[str, int]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def _role_of_unlisted(name: str) -> str:
    return "report" if name == "report.json" else UNLISTED


def _pieces_of(folder: Path, file: ReportFile, tensors: Sequence[StoredTensor]) -> Iterator[Piece]:
    travels = file.travels if file.visit else 0
    if file.stands_for:
        yield from _coded_pieces(
            folder, file, [tensor for tensor in tensors if tensor.file == file.stands_for]
        )
    elif file.role == "weights":
        yield from _shard_pieces(file, [tensor for tensor in tensors if tensor.file == file.file])
    elif file.role == "plan":
        yield from _plan_pieces(file.file, (folder / file.file).read_bytes(), travels)
    else:
        yield _whole(file.file, file.role, file.raw, travels)


def _whole(name: str, role: str, size: int, travels: int) -> Piece:
    return Piece(name, role, name, "", None, "", "", size, travels)


def _shard_pieces(file: ReportFile, tensors: Sequence[StoredTensor]) -> Iterator[Piece]:
    """Weights travel as they are, so that each byte that lies there travels, or none where a coded file does."""
    end = 0
    for tensor in tensors:
        if tensor.offset > end:
            yield _padding(file, tensor.offset - end)
        yield _tensor_piece(file, tensor, tensor.bytes)
        end = tensor.end
    if file.raw > end:
        yield _padding(file, file.raw - end)


def _coded_pieces(folder: Path, file: ReportFile, tensors: Sequence[StoredTensor]) -> Iterator[Piece]:
    sizes = coded_sizes(folder / file.file, file.chunk_bytes, tensors)
    for tensor, size in zip(tensors, sizes, strict=True):
        yield _tensor_piece(file, tensor, size)


def _tensor_piece(file: ReportFile, tensor: StoredTensor, size: int) -> Piece:
    facts = (tensor.part, tensor.layer, tensor.scheme, tensor.dtype)
    return Piece(file.file, tensor.role, tensor.weight, *facts, size, size if file.visit else 0)


def _padding(file: ReportFile, size: int) -> Piece:
    return Piece(file.file, PADDING, PADDING, "", None, "", "", size, size if file.visit else 0)


def _plan_pieces(name: str, data: bytes, travels: int) -> Iterator[Piece]:
    """Each shader with its name, and the rest, which says what is dispatched."""
    plan: Mapping[str, Any] = parse_object(data, len(data))
    # A plan is compact JSON, in which a value's bytes are those of the value written by itself.
    sizes = {key: len(compact_json({key: text})) - len("{}") for key, text in plan["shaders"].items()}
    rest = len(data) - sum(sizes.values())
    shares = apportion(travels, [rest, *sizes.values()])
    yield _whole(name, "plan", rest, shares[0])
    for (shader, size), share in zip(sizes.items(), shares[1:], strict=True):
        yield Piece(name, KERNELS, shader, "", None, "", "", size, share)


def group_by(pieces: Sequence[Piece], *names: str) -> Mapping[tuple[Hashable, ...], list[Piece]]:
    """The pieces with equal values of the fields `names`."""
    found: dict[tuple[Hashable, ...], list[Piece]] = defaultdict(list)
    for piece in pieces:
        found[tuple(getattr(piece, name) for name in names)].append(piece)
    return found
