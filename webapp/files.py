"""The endpoints: which file a request asks for."""

from collections.abc import Iterator

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from webapp.contents import Contents
from webapp.responses import joined, response
from webapp.service_worker import WORKER_URL, service_worker
from webapp.tree import CATALOGUE_URL, Resource, Tree


class Files:
    """The endpoints. An address has one spelling: whatever is percent-encoded is on no list."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._contents = Contents()

    async def site_file(self, request: Request) -> Response:
        """A file of the site folder, or the way to a folder's start page."""
        url = _plain_path(request)
        if self._tree.site_file(f"{url}/") is not None:
            return RedirectResponse(f"{url}/", 308)
        return await self._respond(request, self._tree.site_file(url))

    async def artifact_file(self, request: Request) -> Response:
        """A file that an artifact's manifest lists."""
        _plain_path(request)
        folder, name = request.path_params["folder"], request.path_params["name"]
        resource = await run_in_threadpool(self._tree.artifact_file, folder, name)
        return await self._respond(request, resource)

    async def runtime_file(self, request: Request) -> Response:
        """A file of the runtime for browsers without WebGPU."""
        _plain_path(request)
        return await self._respond(request, self._tree.runtime_file(request.path_params["name"]))

    async def catalogue(self, request: Request) -> Response:
        """The list of models."""
        data = await run_in_threadpool(self._tree.catalogue, self._contents.transfer_bytes)
        return await self._respond_made(request, data, CATALOGUE_URL)

    def compress_ahead(self) -> None:
        """Compresses what pages ask for first, before anybody waits for it: the site, then what models cost."""
        for _, resource in self._tree.site_resources():
            self._contents.transfer_bytes(resource)
        self._tree.catalogue(self._contents.transfer_bytes)

    async def service_worker(self, request: Request) -> Response:
        """The worker that keeps the site on the visitor's device."""
        script = await run_in_threadpool(self._worker_script)
        if script is None:
            raise HTTPException(404)
        return await self._respond_made(request, script, WORKER_URL)

    def _worker_script(self) -> bytes | None:
        source = self._tree.worker_source()
        found = None if source is None else self._contents.text(source)
        return None if found is None else service_worker(found[0], self._site_hashes())

    def _site_hashes(self) -> Iterator[tuple[str, str]]:
        for url, resource in self._tree.site_resources():
            found = self._contents.text(resource)
            if found is not None:
                yield url, found[1]

    async def _respond_made(self, request: Request, data: bytes, url: str) -> Response:
        _plain_path(request)
        accept = joined(request, "accept-encoding")
        made = await run_in_threadpool(self._contents.represent_text, data, accept)
        return response(request, made, url)

    async def _respond(self, request: Request, resource: Resource | None) -> Response:
        if resource is None:
            raise HTTPException(404)
        accept = joined(request, "accept-encoding")
        found = await run_in_threadpool(self._contents.represent, resource, accept)
        if found is None:
            raise HTTPException(404)
        return response(request, found, resource.path.name)


def _plain_path(request: Request) -> str:
    path: str = request.scope["path"]
    if request.scope.get("raw_path") not in (None, path.encode()):
        raise HTTPException(404)
    return path
