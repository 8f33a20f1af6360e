"""Which files of the site folder visitors get: an allow-list, made once at the start.

Where the site has a folder `built`, its scripts stand for those beside it: scripts/build_site.mjs makes them.
"""

import os
from pathlib import Path

from webapp.confinement import open_confined
from webapp.errors import WebappError
from webapp.media import media_type, safe_name
from webapp.runtime_files import RUNTIME

INDEX = "index.html"
MODELS = "/models/"  # belongs to the artifacts
BUILT = "built"

_SCRIPTS = frozenset({".js", ".mjs"})
_BUILT_KINDS = _SCRIPTS | {".css"}
_DEVELOPMENT_FOLDERS = frozenset({"node_modules", "test", "tests"})
_DEVELOPMENT_FILES = frozenset({"jsconfig.json", "package-lock.json", "package.json", "tsconfig.json"})
_DEVELOPMENT_MARKS = (".test.", ".spec.")


def site_files(site: Path, sources: bool = False) -> dict[str, Path]:
    """URL path -> file, sorted: "/engine/index.js" -> site/built/engine/index.js, "/index.html" -> site/index.html.

    Left out: dotfiles, names that a URL would have to escape, kinds without a media type, links out of the
    folder, and what only developers need. Raises WebappError if there is no start page.
    """
    root = site.resolve()
    built = root / BUILT
    found = {url: path for url, path in _addresses(root).items() if not path.is_relative_to(built)}
    small = {url: path for url, path in _addresses(built).items() if path.suffix in _BUILT_KINDS}
    if sources:
        found = small | found  # pages link to scripts that have no source of the same name
    elif small:
        found = {url: path for url, path in found.items() if path.suffix not in _SCRIPTS} | small
    found = {url: path for url, path in found.items() if not url.startswith((MODELS, RUNTIME))}
    if f"/{INDEX}" not in found:
        raise WebappError(
            f"There is no {INDEX}", str(site), "Give the folder of the site; a checkout has it as site/."
        )
    starts = {url.removesuffix(INDEX): path for url, path in found.items() if path.name == INDEX}
    return dict(sorted((found | starts).items()))


def _addresses(root: Path) -> dict[str, Path]:
    return {f"/{path.relative_to(root).as_posix()}": path for path in _walk(root)}


def _walk(root: Path) -> list[Path]:
    paths = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if safe_name(name) and name not in _DEVELOPMENT_FOLDERS]
        paths += [Path(folder, name) for name in names if _public(name)]
    return [path for path in paths if _inside(path, root)]


def _public(name: str) -> bool:
    known = safe_name(name) and media_type(name) is not None
    return known and name not in _DEVELOPMENT_FILES and not any(mark in name for mark in _DEVELOPMENT_MARKS)


def _inside(path: Path, root: Path) -> bool:
    opened = open_confined(path, root)
    if opened is not None:
        opened.close()
    return opened is not None
