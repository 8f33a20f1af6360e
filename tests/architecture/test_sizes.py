"""House numbers: short functions, short files, names that say something, nothing left undone."""

import ast
import re
from pathlib import PurePosixPath
from statistics import median

import pytest

from tests.architecture.tree import files, own_files, read

LONGEST_FUNCTION = 60
MEDIAN_FUNCTION = 10
LONGEST_FILE = 400
SAYS_NOTHING = re.compile(r"(?:^|_)(utils?|helpers?|commons?|misc|stuff)$")

# Spelled in pieces so that this file does not find itself.
UNDONE = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b|raise NotImplemented[E]rror(\(\s*\))?\s*$", re.MULTILINE)


def _functions(path: PurePosixPath) -> list[tuple[str, int]]:
    """(place, lines without the docstring) of every function and method."""
    nodes = ast.walk(ast.parse(read(path), str(path)))
    defined = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [(f"{path}:{node.lineno} {node.name}", _lines(node)) for node in defined]


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    last = node.end_lineno or node.lineno
    docstring = node.body[0] if ast.get_docstring(node) is not None else None
    words = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
    return last - node.lineno + 1 - words


def test_no_python_function_is_longer_than_a_screen() -> None:
    found = [function for path in own_files(".py") for function in _functions(path)]
    wrong = [f"{place}: {lines} lines" for place, lines in found if lines > LONGEST_FUNCTION]
    assert not wrong, f"split into parts that a name can explain: {wrong}"


@pytest.mark.parametrize("room", ["bench", "exporter", "webapp", "wgsl_kernels"])
def test_the_usual_python_function_is_short(room: str) -> None:
    lengths = [lines for path in own_files(".py", under=room) for _, lines in _functions(path)]
    assert median(lengths) < MEDIAN_FUNCTION


def test_no_file_is_long() -> None:
    lengths = {path: len(read(path).splitlines()) for path in own_files(".py", ".js", ".wgsl", ".css")}
    wrong = [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > LONGEST_FILE]
    assert not wrong, f"over {LONGEST_FILE} lines: give each purpose its own file: {wrong}"


def test_every_name_says_what_is_inside() -> None:
    places = {part for path in files() if "vendor" not in path.parts for part in (path, *path.parents)}
    wrong = sorted(str(place) for place in places if SAYS_NOTHING.search(place.stem))
    assert not wrong, f"name it after the one thing that it does: {wrong}"


def test_nothing_is_left_undone() -> None:
    wrong = [
        f"{path}: {match[0]}"
        for path in own_files(".py", ".js", ".wgsl", ".css", ".html", ".md", ".toml")
        for match in UNDONE.finditer(read(path))
    ]
    assert not wrong, f"do it, or file an issue: {wrong}"
