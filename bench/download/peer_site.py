"""A page of Transformers.js as its documentation shows it, served by the rules of our own server."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench import peers
from bench.errors import BenchError
from webapp import compress

NAME = "transformers.js"
MODEL = "/models/peer/"
PAGE = "/index.html"
QUANTIZED = "onnx/model_quantized.onnx"
_SOURCES = Path(__file__).parents[1] / "page"
_PACKAGE = "@huggingface/transformers"
_RUNTIME = "ort-wasm-simd-threaded.asyncify"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
}
# Weights travel as they are, ours and theirs; a WebAssembly binary is worth compressing, as content networks do.
_AS_IT_IS = ".onnx"


def peer_files(model: Path) -> Mapping[str, Path]:
    """What the page and its model consist of, by path. Raises BenchError where npm cannot bring the packages."""
    trouble = peers.fetch()
    if trouble:
        raise BenchError(f"{NAME} cannot be measured: {trouble}", "--beside", "Try again with a network.")
    package = peers.FOLDER / "node_modules" / _PACKAGE
    runtime = package / "node_modules" / "onnxruntime-web" / "dist"
    return {
        PAGE: _SOURCES / "visit.html",
        "/visit.js": _SOURCES / "visit.js",
        "/transformers.js": package / "dist" / "transformers.min.js",
        **{f"/{_RUNTIME}{suffix}": runtime / f"{_RUNTIME}{suffix}" for suffix in (".mjs", ".wasm")},
        **{MODEL + name: model / name for name in _model_files(model)},
    }


def _model_files(model: Path) -> list[str]:
    return [path.relative_to(model).as_posix() for path in sorted(model.rglob("*")) if path.is_file()]


def write_peer_model(source: Path, folder: Path) -> str:
    """The model at 8 bits as the peer wants it, into `folder`; returns whose file it is.

    `source` is a folder of the hub that has it, else an f32 artifact of ours, of which it is made.
    """
    from bench.onnx_for_pipelines import write_pipeline_folder

    if (source / QUANTIZED).is_file():
        whose = f"the {QUANTIZED} of {source.name}"
        (folder / "onnx").mkdir(parents=True)
        shutil.copy(source / QUANTIZED, folder / QUANTIZED)
        shutil.copy(source / "config.json", folder)
    else:
        manifest = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
        try:
            write_pipeline_folder(source / "model.onnx", folder, quantize=True)
        except ValueError as error:
            remedy = "Export the model with --quantize f32, and give that folder."
            raise BenchError(f"{NAME} cannot be given this model: {error}", str(source), remedy) from error
        (folder / "onnx" / "model.onnx").unlink()
        (folder / "config.json").write_text(json.dumps({"model_type": manifest["architecture"]}))
        whose = f"made from {manifest['name']} by onnxruntime's quantize_dynamic"
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(source / name, folder)
    return whose


def peer_application(files: Mapping[str, Path]) -> Starlette:
    """Serves `files`: brotli where it pays, and like ours each is asked for again at a later visit."""

    @cache
    def packed(path: Path) -> tuple[bytes, bool]:
        data = path.read_bytes()
        smaller = None if path.suffix == _AS_IT_IS else compress(data, "br")
        return (data, False) if smaller is None else (smaller, True)

    def answer(request: Request) -> Response:
        path = files.get(request.url.path)
        if path is None:
            return Response(status_code=404)
        data, is_packed = packed(path)
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        if is_packed:
            headers["Content-Encoding"] = "br"
        return Response(data, headers=headers, media_type=_TYPES[path.suffix])

    return Starlette(routes=[Route("/{path:path}", answer)])
