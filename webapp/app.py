"""The route table and the middleware list."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from webapp.files import Files
from webapp.headers import SECURITY_HEADERS, SecurityHeaders
from webapp.hosts import HostGuard
from webapp.not_found import not_found
from webapp.runtime_files import RUNTIME
from webapp.service_worker import WORKER_URL
from webapp.settings import Settings
from webapp.tree import CATALOGUE_URL, Tree


def create_app(settings: Settings) -> Starlette:
    """The site, the engine and the artifacts of `settings`. Raises WebappError if they cannot be served."""
    files = Files(Tree(settings))
    app = Starlette(
        routes=[
            Route(CATALOGUE_URL, files.catalogue),
            Route(WORKER_URL, files.service_worker),
            Route("/models/{folder}/{name}", files.artifact_file),
            Route(f"{RUNTIME}{{name}}", files.runtime_file),
            Route("/{path:path}", files.site_file),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(HostGuard, host=settings.host)],
        exception_handlers={404: not_found, Exception: _failed},
    )
    app.router.redirect_slashes = False
    app.state.compress_ahead = files.compress_ahead
    return app


async def _failed(_request: Request, _error: Exception) -> Response:
    """Starlette answers a fault outside the middleware, so this answer carries the headers itself."""
    return PlainTextResponse("Internal Server Error", 500, headers=SECURITY_HEADERS)
