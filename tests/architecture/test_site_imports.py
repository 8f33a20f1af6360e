"""The browser side's arrows, and what no page does: reach third parties, turn text into code or markup."""

import re
from pathlib import PurePosixPath

import pytest

from tests.architecture.tree import own_files, read

SPECIFIER = re.compile(
    r"""(?:^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*|^\s*import\s*|\bimport\(\s*|\bnew\s+URL\(\s*)(['"`])(.+?)\1""",
    re.MULTILINE,
)
JSDOC_OR_COMMENT = re.compile(r"/\*.*?\*/|(?<![:'\"`])//[^\n]*", re.DOTALL)

# folder -> the paths that its modules may import
MAY_IMPORT = {
    "site/engine": ("site/engine",),
    "site/app": ("site/app", "site/engine/index.js", "site/service_worker.js"),
    "site/bench": (
        "site/bench",
        "site/engine/index.js",
        *(f"site/app/{name}.js" for name in ("format", "problems", "texts")),
    ),
    "site/element": ("site/element", "site/engine/index.js"),
}

SINKS = {
    r"\.(inner|outer)HTML\b": "use textContent or build elements",
    r"\binsertAdjacentHTML\b": "use append",
    r"\bdocument\.write(ln)?\b": "use append",
    r"\beval\s*\(": "parse the text instead",
    r"\bnew\s+Function\b": "parse the text instead",
    r"\bset(Timeout|Interval)\s*\(\s*['\"`]": "pass a function",
}

# The SVG namespace is a name, not an address; localhost is not another host.
THIRD_PARTY = re.compile(r"""['"`(](?:https?:)?//(?!www\.w3\.org/|localhost\b|127\.)[\w.-]+""")
LOADED = re.compile(
    r"""(?:\bsrc|<link[^>]*\bhref|@import|url)\s*[=(]?\s*['"]?((?:https?:)?//[^'")\s>]+)""", re.IGNORECASE
)


def _code(path: PurePosixPath) -> str:
    """The text with comments blanked, line numbers kept."""
    return JSDOC_OR_COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), read(path))


def _resolve(path: PurePosixPath, specifier: str) -> str:
    """The path in the repository that a relative or root-relative specifier means; others as they are."""
    if specifier.startswith("/"):
        return "site" + specifier
    if not specifier.startswith("."):
        return specifier
    parts = list(path.parent.parts)
    for part in specifier.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _imports(path: PurePosixPath) -> list[str]:
    return [_resolve(path, match[2]) for match in SPECIFIER.finditer(_code(path))]


def _allowed(target: str, places: tuple[str, ...]) -> bool:
    return any(target == place or target.startswith(place + "/") for place in places)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_modules_import_only_what_the_table_allows(folder: str) -> None:
    places = MAY_IMPORT[folder]
    wrong = [
        f"{path} imports {target}"
        for path in own_files(".js", ".mjs", under=folder)
        for target in _imports(path)
        if not _allowed(target, places)
    ]
    assert not wrong, f"{folder} may import {places}; see Rooms in ARCHITECTURE.md: {wrong}"


@pytest.mark.parametrize("sink", SINKS)
def test_no_text_becomes_code_or_markup(sink: str) -> None:
    pages = own_files(".js", ".mjs", ".html", under="site")
    wrong = [str(path) for path in pages if re.search(sink, _code(path))]
    assert not wrong, f"{SINKS[sink]}: {wrong}"


def test_the_engine_knows_no_dom() -> None:
    wrong = [
        str(path)
        for path in own_files(".js", ".mjs", under="site/engine")
        if re.search(r"\b(document|window)\.|\blocalStorage\b", _code(path))
    ]
    assert not wrong, f"the engine runs in a worker; site/app touches the page: {wrong}"


def test_scripts_name_no_other_host() -> None:
    wrong = [str(path) for path in own_files(".js", ".mjs", under="site") if THIRD_PARTY.search(_code(path))]
    assert not wrong, f"nothing leaves the visitor's tab, and nothing comes from elsewhere: {wrong}"


def test_pages_load_nothing_from_other_hosts() -> None:
    wrong = [
        f"{path}: {match[1]}"
        for path in own_files(".html", ".css", ".svg", under="site")
        for match in LOADED.finditer(read(path))
    ]
    assert not wrong, f"serve it from site/ instead: {wrong}"


def test_the_specifier_pattern_sees_every_form() -> None:
    """The rules above are worth nothing if an import slips past the pattern."""
    forms = """
import a from './a.js'
import './b.js'
import { c,
  d } from "./c.js"
export * from './d.js'
export { e } from './e.js'
const f = await import('./f.js')
const g = new Worker(new URL('./g.js', import.meta.url), { type: 'module' })
"""
    assert [match[2] for match in SPECIFIER.finditer(forms)] == [f"./{name}.js" for name in "abcdefg"]
