"""The endpoints: which file a request asks for."""

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from webapp.contents import Contents
from webapp.responses import joined, response
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
        _plain_path(request)
        accept = joined(request, "accept-encoding")
        data = await run_in_threadpool(self._tree.catalogue, self._contents.transfer_bytes)
        made = await run_in_threadpool(self._contents.represent_text, data, accept)
        return response(request, made, CATALOGUE_URL)

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
