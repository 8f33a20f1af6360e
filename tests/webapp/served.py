"""A small site, hand-made artifacts, and a real server on a free loopback port."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from webapp import Settings
from webapp.server import listen, prepare

WEIGHTS = bytes(range(256)) * 16


def entry(path: Path, **more: Any) -> dict[str, Any]:
    """What a manifest says of the file `path`."""
    data = path.read_bytes()
    return {"file": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), **more}


def add_file(folder: Path, name: str, data: bytes, **more: Any) -> dict[str, Any]:
    (folder / name).write_bytes(data)
    return entry(folder / name, **more)


def manifest_of(folder: Path, weights: bytes = WEIGHTS) -> dict[str, Any]:
    """Writes the files of a tiny embedding model to `folder` and returns its manifest."""
    name = f"{hashlib.sha256(weights).hexdigest()}.bin"
    plan = json.dumps({"format": "thistledown-plan", "padding": "x" * 2000}).encode()
    facts = {"features": [], "memory": {"total": 4096}, "limits": {"maxBufferSize": 4096}}
    return {
        "format": "thistledown",
        "version": 1,
        "name": "tiny",
        "title": "Tiny embedding – für Tests",
        "task": "sentence-embedding",
        "architecture": "bert",
        "source": "tiny",
        "license": "apache-2.0",
        "languages": ["en"],
        "quantization": "f32",
        "parameters": 1024,
        "context": 128,
        "dimensions": 32,
        "vocabulary": 100,
        "generation": None,
        "shards": [add_file(folder, name, weights, chunk_bytes=4194304, chunks=[])],
        "plans": {"base": add_file(folder, "plan.base.json", plan, **facts)},
        "files": [
            add_file(folder, "model.onnx", b"\x08\x0a" * 500, role="onnx"),
            add_file(folder, "tokenizer.json", b'{"model":{"vocab":{}}}' * 40, role="tokenizer"),
            add_file(folder, "README.md", b"# Tiny\n", role="card"),
        ],
    }


SITE = {
    "index.html": '<!doctype html><title>Tiny</title><link rel=icon href="data:,">'
    "<link rel=stylesheet href=app/main.css><script type=module src=app/main.js></script>",
    "app/main.js": "document.title = 'ready'\n" * 100,
    "app/main.css": "body { margin: 0 }\n" * 100,
    "engine/index.js": "export const load = () => null\n",
    "engine/kernels/copy.wgsl": "alias Elem = f32;\n" * 50,
    "bench/index.html": "<!doctype html><title>Bench</title>",
    "jsconfig.json": "{}",
    "engine/tests/index.test.js": "secret",
    "engine/index.test.js": "secret",
    ".env": "secret",
    ".git/config.json": "secret",
    "notes.py": "secret",
    "../secret.json": "secret",
}


def write_site(root: Path) -> Path:
    """A site with a page, scripts and styles; in it and beside it what visitors must not get."""
    for name, text in SITE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def write_artifact(folder: Path, weights: bytes = WEIGHTS, **changes: Any) -> Path:
    """An artifact folder; `changes` replace values of its manifest."""
    folder.mkdir(parents=True)
    manifest = manifest_of(folder, weights) | changes
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@contextmanager
def running(settings: Settings) -> Iterator[httpx.Client]:
    """A client of a server that runs `settings` in a thread, on a free port."""
    server = prepare(settings)
    with listen(settings.host, 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.005)  # polls: the server tells nobody that it has started
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            # A busy machine compresses a real tokenizer for the list of models in more than the usual five seconds.
            with httpx.Client(base_url=address, timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
