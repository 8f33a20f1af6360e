"""The security headers, and the middleware that puts them on every response.

The policy admits no foreign source, no inline or evaluated script and no WebAssembly; isolation gives the
page its own process. The Trusted Types policies are "app", for the engine's worker, and "offline", for the site's.
Where there is no WebGPU the models run in WebAssembly, and in a worker: workers have the policy of their own script's
response, so only theirs admits it. A report that came with a model is in a sandbox.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.media import NO_CACHE
from webapp.reports import PAGE_POLICY, REPORT_PAGE
from webapp.runtime_files import RUNTIME
from webapp.site_files import MODELS

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types app offline",
    )
)
WASM_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "connect-src 'self'",
        "worker-src 'self'",
        "require-trusted-types-for 'script'",
        "trusted-types default",
    )
)
# The engine's worker for the CPU, and the threads that it starts.
WASM_WORKERS = ("/engine/wasm/worker.js", f"{RUNTIME}ort-wasm-simd-threaded.mjs")
POLICY = "Content-Security-Policy"
SECURITY_HEADERS = {
    POLICY: CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


def policy_of(url: str) -> str:
    """The content security policy of what is at the path `url`."""
    if url.startswith(MODELS) and url.endswith(f"/{REPORT_PAGE}"):
        return PAGE_POLICY
    return WASM_POLICY if url in WASM_WORKERS else CONTENT_SECURITY_POLICY


class SecurityHeaders:
    """ASGI middleware: `SECURITY_HEADERS` on every response, and `no-cache` where nothing else is said."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**SECURITY_HEADERS, POLICY: policy_of(scope["path"])})
                headers.setdefault("Cache-Control", NO_CACHE)
            await send(message)

        await self.app(scope, receive, send_with_headers)
