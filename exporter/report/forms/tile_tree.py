"""The tree that the page's treemap shows, as nested lists: groups, layers or files, weights, and their parts."""

from collections.abc import Callable, Sequence
from typing import Any

from exporter.report.attribution import Piece
from exporter.report.forms.words import layer_of, short_name

# A leaf is [name, role, bytes, travels], a branch [name, role, [children]]; browser/tiles.js reads them.
Node = list[Any]
_GROUPS = {
    "tokenizer": "tokenizer",
    "manifest": "plan and kernels",
    "plan": "plan and kernels",
    "kernels": "plan and kernels",
    "engine": "engine",
    "page": "page",
}
_NOT_FETCHED = "not fetched"
# So many weights may be shown with their values, scales and zero points; else the page would be too large.
_MOST_WITH_PARTS, _MOST_WEIGHTS = 300, 900


def tile_tree(pieces: Sequence[Piece]) -> Node:
    """The tree of all pieces."""
    return _branch("everything", _split(pieces, _group, _of_group))


def _group(piece: Piece) -> str:
    if piece.part or piece.role == "padding":
        return "weights"
    return _GROUPS.get(piece.role, _NOT_FETCHED)


def _split(
    pieces: Sequence[Piece],
    key: Callable[[Piece], str],
    node: Callable[[str, Sequence[Piece]], Node],
) -> list[Node]:
    found: dict[str, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(key(piece), []).append(piece)
    return [node(name, group) for name, group in found.items()]


def _branch(name: str, children: list[Node]) -> Node:
    """A branch has a role where all below it have the same."""
    roles = {child[1] for child in children}
    return [name, roles.pop() if len(roles) == 1 else "several", children]


def _leaf(name: str, pieces: Sequence[Piece]) -> Node:
    roles = {piece.role for piece in pieces}
    role = roles.pop() if len(roles) == 1 else "several"
    return [name, role, sum(p.bytes for p in pieces), sum(p.travels for p in pieces)]


def _of_group(name: str, pieces: Sequence[Piece]) -> Node:
    if name != "weights":
        return _branch(name, _split(pieces, _folder, _of_folder))
    count = len({piece.name for piece in pieces})
    return _branch(name, _split(pieces, _layer, lambda layer, held: _of_layer(layer, held, count)))


def _layer(piece: Piece) -> str:
    return "padding" if piece.role == "padding" else layer_of(piece).removeprefix("weights ")


def _of_layer(name: str, pieces: Sequence[Piece], count: int) -> Node:
    if name == "padding":
        return _leaf(name, pieces)
    if count > _MOST_WEIGHTS:
        return _branch(name, _split(pieces, lambda piece: piece.role, _leaf))
    cut = _common_start({piece.name for piece in pieces})
    parts = count <= _MOST_WITH_PARTS

    def node(weight: str, held: Sequence[Piece]) -> Node:
        shown = short_name(weight[cut:])
        return _branch(shown, _split(held, _part, _leaf)) if parts and len(held) > 1 else _leaf(shown, held)

    return _branch(name, _split(pieces, lambda piece: piece.name, node))


def _part(piece: Piece) -> str:
    return piece.part


def _common_start(names: set[str]) -> int:
    """Where names that begin alike begin to differ, at a dot."""
    first, last = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return first.rfind(".", 0, same) + 1


def _folder(piece: Piece) -> str:
    """Files of the site by folder, all others by themselves."""
    return piece.file.rpartition("/")[0] + "/" if piece.of_site else piece.file


def _of_folder(name: str, pieces: Sequence[Piece]) -> Node:
    if len(pieces) == 1 and name == pieces[0].file:
        return _leaf(name, pieces)
    return _branch(name.removeprefix("site/") or "/", _split(pieces, _file_name, _leaf))


def _file_name(piece: Piece) -> str:
    return piece.name.rpartition("/")[2]
