"""Writes the URL tree into a folder that any static host can serve."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from webapp.bundle_folder import bundle_folder
from webapp.confinement import open_confined
from webapp.errors import WebappError
from webapp.headers import POLICY, SECURITY_HEADERS, WASM_POLICY, WASM_WORKERS
from webapp.media import IMMUTABLE, cache_control
from webapp.runtime_files import FILE_NAME, RUNTIME
from webapp.service_worker import WORKER_URL, service_worker
from webapp.settings import Settings, default_site
from webapp.tree import CATALOGUE_URL, Resource, Tree

CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Bundle:
    """What was written: number of files and their bytes."""

    files: int
    bytes: int


@dataclass(frozen=True)
class _Copy:
    bytes: int
    sha256: str


def write_bundle(
    folders: Sequence[Path],
    out: Path,
    overwrite: bool = False,
    site: Path | None = None,
    runtime: Path | None = None,
) -> Bundle:
    """Writes site, engine and the artifacts in `folders` to the folder `out`, whole or not at all.

    Every artifact file is checked against its hash on the way. With `runtime` the pages also work where there is no
    WebGPU. `overwrite` replaces an earlier bundle, and nothing else. Raises WebappError.
    """
    settings = Settings(folders=tuple(folders), site=site or default_site(), runtime=runtime)
    tree = Tree(settings)
    sources = [settings.site, *settings.folders, *filter(None, [runtime])]
    _check_apart(out, sources)
    try:
        with bundle_folder(out, overwrite) as folder:
            return _write(tree, folder)
    except OSError as error:
        raise WebappError(
            f"The bundle cannot be written: {error}", str(out), "Make room, or choose another folder."
        ) from error


def _check_apart(out: Path, sources: Sequence[Path]) -> None:
    target = out.resolve()
    for source in (path.resolve() for path in sources):
        if target.is_relative_to(source) or source.is_relative_to(target):
            raise WebappError(f"The bundle would mix with {source}", str(out), "Choose another folder.")


def _write(tree: Tree, folder: Path) -> Bundle:
    copies = {url: _copy(resource, folder / url[1:]) for url, resource in tree.resources()}
    made = {
        CATALOGUE_URL[1:]: tree.catalogue(),
        "_headers": _headers_file(list(copies)),
        ".nojekyll": b"",
        **_worker(tree, copies),
    }
    for name, data in made.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    copied = sum(copy.bytes for copy in copies.values())
    return Bundle(len(copies) + len(made), copied + sum(map(len, made.values())))


def _worker(tree: Tree, copies: Mapping[str, _Copy]) -> dict[str, bytes]:
    """The worker that keeps the site on a visitor's device, if the site has one."""
    source = tree.worker_source()
    if source is None:
        return {}
    hashes = [(url, copies[url].sha256) for url, _ in tree.site_resources()]
    return {WORKER_URL[1:]: service_worker(b"".join(_chunks(source)), hashes)}


def _copy(resource: Resource, target: Path) -> _Copy:
    """Copies. Raises WebappError if the hash is not the manifest's."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as copy:
        for chunk in _chunks(resource):
            digest.update(chunk)
            size += copy.write(chunk)
    if resource.sha256 not in (None, digest.hexdigest()):
        raise WebappError(
            "The file is not the one that the manifest lists", str(resource.path), "Export the model again."
        )
    return _Copy(size, digest.hexdigest())


def _chunks(resource: Resource) -> Iterator[bytes]:
    opened = open_confined(resource.path, resource.root)
    if opened is None:
        raise WebappError("The file went away", str(resource.path), "Try again.")
    with opened as file:
        yield from iter(lambda: file.read(CHUNK), b"")


def _headers_file(urls: Sequence[str]) -> bytes:
    """`_headers`, which many static hosts read; they join the rules that match, so each shard has its own.

    A joined policy forbids what either forbids. "!" takes the one of all pages away first, on hosts that know it; on
    others there is no WebAssembly, which the engine says.
    """
    everywhere = [f"  {name}: {value}" for name, value in SECURITY_HEADERS.items()]
    shards = [url for url in urls if cache_control(url.rpartition("/")[2]) == IMMUTABLE]
    for_ever = [line for url in shards for line in (url, f"  Cache-Control: {IMMUTABLE}")]
    workers = [url for url in WASM_WORKERS if RUNTIME + FILE_NAME in urls]
    wasm = [line for url in workers for line in (url, f"  ! {POLICY}", f"  {POLICY}: {WASM_POLICY}")]
    return "".join(f"{line}\n" for line in ("/*", *everywhere, *for_ever, *wasm)).encode("utf-8")
