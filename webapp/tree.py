"""The URL tree: which file each address stands for. The server and the bundle both come from it.

| address                            | what                                                 |
|------------------------------------|------------------------------------------------------|
| `/`, `/app/...`, `/engine/...`     | the site folder's files                              |
| `/service_worker.js`               | made of the site's worker and the list of its files  |
| `/models/catalogue.json`           | the list of models                                   |
| `/models/<folder>/<file>`          | what that artifact's manifest lists, manifest.json   |
| `/models/<folder>/report.json`     | its size report, which no manifest lists             |
| `/models/<folder>/report.html`     | the same as a page, if there is one; not in a bundle |
| `/runtime/<file>`                  | what a browser without WebGPU needs besides          |
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webapp.catalogue import FILE_NAME, catalogue
from webapp.manifest import FILE_NAME as MANIFEST
from webapp.manifest import WASM, ListedFile, Manifest
from webapp.reports import REPORT, REPORT_PAGE, REPORTS, report_size
from webapp.runtime_files import RUNTIME, runtime_files
from webapp.service_worker import WORKER_URL
from webapp.settings import Settings
from webapp.shelf import Shelf
from webapp.site_files import MODELS, site_files

CATALOGUE_URL = MODELS + FILE_NAME


@dataclass(frozen=True)
class Resource:
    """A file that may be served if it lies in the resolved folder `root`.

    `sha256` and `bytes` are what a manifest says of it; None for the site's own files.
    """

    path: Path
    root: Path
    sha256: str | None = None
    bytes: int | None = None


class Tree:
    """Raises WebappError if the site or an artifact cannot be served."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.site.resolve()
        self._site = site_files(settings.site, settings.sources)
        self._worker = self._site.pop(WORKER_URL, None)
        self._shelf = Shelf(settings.folders)
        self._runtime = {} if settings.runtime is None else _runtime(settings.runtime.resolve())

    def site_file(self, url: str) -> Resource | None:
        """The site's file at the path `url`, such as "/engine/index.js"."""
        path = self._site.get(url)
        return None if path is None else Resource(path, self._root)

    def runtime_file(self, name: str) -> Resource | None:
        """The file of the runtime for browsers without WebGPU, if there is one."""
        return self._runtime.get(name)

    def worker_source(self) -> Resource | None:
        """The worker before it has the list of files; None for a site that has none."""
        return None if self._worker is None else Resource(self._worker, self._root)

    def artifact_file(self, folder: str, name: str) -> Resource | None:
        """The file that the artifact's manifest lists as `name`, or a size report that lies beside it."""
        manifest = self._shelf.manifest(folder)
        if manifest is None:
            return None
        if name in REPORTS:
            return _report(self._shelf.folder(folder), name)
        listed = manifest.files.get(name)
        return None if listed is None else self._resource(folder, listed)

    def catalogue(self, transfer_bytes: Callable[[Resource], int] | None = None) -> bytes:
        """The content of /models/catalogue.json.

        `transfer_bytes` gives the bytes of body that travel for a file; without it, as in a bundle, whose host
        may or may not compress, the catalogue states unpacked sizes only, and no report.html, which bundles lack.
        """
        return catalogue(
            (
                folder,
                manifest.files[MANIFEST].sha256,
                {**manifest.facts, **self._costs(folder, manifest, transfer_bytes)},
                transfer_bytes is not None and _report(self._shelf.folder(folder), REPORT_PAGE) is not None,
            )
            for folder, manifest in self._shelf.manifests()
            if manifest.facts
        )

    def site_resources(self) -> Iterator[tuple[str, Resource]]:
        """(path, file) of the site's own; a folder's "/" is one with its index.html."""
        for url, path in self._site.items():
            if not url.endswith("/"):
                yield url, Resource(path, self._root)

    def resources(self) -> Iterator[tuple[str, Resource]]:
        """Every (path, file), without what is made: the catalogue and the worker."""
        yield from self.site_resources()
        yield from ((RUNTIME + name, resource) for name, resource in self._runtime.items())
        for folder, manifest in self._shelf.manifests():
            for name in (*manifest.files, REPORT):
                resource = self.artifact_file(folder, name)
                if resource is not None:
                    yield f"{MODELS}{folder}/{name}", resource

    def _costs(
        self, folder: str, manifest: Manifest, transfer_bytes: Callable[[Resource], int] | None
    ) -> dict[str, Any]:
        """Bytes of a first visit, by tier and for `WASM`: of the files, and of the bodies that travel."""
        visits = {visit: self._visited(folder, manifest, visit) for visit in self._visits(manifest)}
        costs = {"downloadBytes": {visit: sum(map(_size, files)) for visit, files in visits.items()}}
        if transfer_bytes is None:
            return costs
        sizes = {file: transfer_bytes(file) for file in {file for files in visits.values() for file in files}}
        travels = {visit: sum(sizes[file] for file in files) for visit, files in visits.items()}
        return {**costs, "transferBytes": travels}

    def _visits(self, manifest: Manifest) -> list[str]:
        return [visit for visit in manifest.visits if visit != WASM or self._runtime]

    def _visited(self, folder: str, manifest: Manifest, visit: str) -> list[Resource]:
        files = [self._resource(folder, manifest.files[name]) for name in manifest.visits[visit]]
        return [*files, *self._runtime.values()] if visit == WASM else files

    def _resource(self, folder: str, listed: ListedFile) -> Resource:
        root = self._shelf.folder(folder)
        return Resource(root / listed.name, root, listed.sha256, listed.bytes)


def _runtime(folder: Path) -> dict[str, Resource]:
    """The files of the resolved `folder` by name. Raises WebappError."""
    listed = runtime_files(folder)
    return {name: Resource(folder / name, folder, file.sha256, file.bytes) for name, file in listed.items()}


def _report(root: Path, name: str) -> Resource | None:
    size = report_size(root, name)
    return None if size is None else Resource(root / name, root, bytes=size)


def _size(resource: Resource) -> int:
    return resource.bytes or 0
