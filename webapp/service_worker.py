"""The worker that keeps the site on a visitor's device: its source, with the list of files and their hashes in front.

| what                                              | when a browser fetches it to keep          |
|---------------------------------------------------|--------------------------------------------|
| pages, scripts, styles, pictures, English texts   | once the first page has nothing else to do |
| what starts with a word of `ON_USE`               | when a page has used it                    |
| other kinds: documents, licences, icons of an app | never                                      |
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from webapp.headers import POLICY, SECURITY_HEADERS, WASM_POLICY

WORKER_URL = "/service_worker.js"
KINDS = frozenset({".css", ".html", ".js", ".json", ".mjs", ".svg", ".webmanifest"})
TEXTS, FALLBACK = "/app/texts/", "/en.json"
ON_USE = (TEXTS, "/element/", "/engine/wasm/")
HEADERS = {**SECURITY_HEADERS, f"{POLICY} of a worker": WASM_POLICY}
HASH_BYTES = 12  # of SHA-256: it tells versions apart, and authenticates nothing


def service_worker(source: bytes, hashes: Iterable[tuple[str, str]]) -> bytes:
    """The script for a site of the files (path from the root, SHA-256 in hex). Other files, other bytes."""
    kept = {path[1:]: _short(sha256) for path, sha256 in sorted(hashes) if PurePath(path).suffix in KINDS}
    core = {path: value for path, value in kept.items() if not _on_use(f"/{path}")}
    on_use = {path: value for path, value in kept.items() if path not in core}
    shell = {"headers": _headers_tag(), "core": core, "onUse": on_use}
    return b"self.SHELL = %s;\n%s" % (json.dumps(shell, separators=(",", ":")).encode("ascii"), source)


def _on_use(url: str) -> bool:
    return url.startswith(ON_USE) and not (url.startswith(TEXTS) and url.endswith(FALLBACK))


def _short(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)[:HASH_BYTES]).decode("ascii")


def _headers_tag(headers: Mapping[str, str] = HEADERS) -> str:
    """Kept answers have the headers that they came with, so that other headers make other entries."""
    return _short(hashlib.sha256(repr(sorted(headers.items())).encode("utf-8")).hexdigest())[:8]
