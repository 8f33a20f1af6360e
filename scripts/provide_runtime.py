"""Bring what pages need where there is no WebGPU: onnxruntime-web's build for the CPU, as the web app serves it.

    python3 -m scripts.provide_runtime [-o build/runtime]

Three published files, each of the SHA-256 below: two modules as they are, and the WebAssembly binary packed by gzip and
named by its hash, so that every host sends it as it lies there, in ranges, and the engine can check each chunk.
"""

import argparse
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "build" / "runtime"
PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
MODULES = {
    "ort.wasm.min.mjs": "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b",
    "ort-wasm-simd-threaded.mjs": "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
}
BINARY = "ort-wasm-simd-threaded.wasm"
HASHES = {**MODULES, BINARY: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"}
CHUNK = 1024 * 1024
PATIENCE = 300
INSTALLED = tuple(ROOT / place / "node_modules" / PACKAGE / "dist" for place in (".", "bench/peers"))


class RuntimeFilesError(Exception):
    """The files could not be had; the text says why."""


def provide(folder: Path = DEFAULT) -> Path:
    """Write the runtime to `folder`, whole or not at all, unless it is there. Raises RuntimeFilesError."""
    if not is_provided(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as made:
            target = Path(made, "runtime")
            write(published_files(Path(made)), target)
            shutil.rmtree(folder, ignore_errors=True)
            target.rename(folder)
    return folder


def is_provided(folder: Path) -> bool:
    """Whether `folder` holds this version; it was written whole."""
    try:
        return bool(json.loads((folder / "runtime.json").read_text())["name"] == f"{PACKAGE} {VERSION}")
    except (OSError, ValueError, KeyError):
        return False


def published_files(scratch: Path) -> dict[str, bytes]:
    """The published files by name: those of an installed package, else fetched by npm into `scratch`."""
    for dist in INSTALLED:
        if all((dist / name).is_file() for name in HASHES):
            found = {name: (dist / name).read_bytes() for name in HASHES}
            if not _wrong(found):
                return found
    found = _fetched(scratch)
    if wrong := _wrong(found):
        raise RuntimeFilesError(f"npm gave another {wrong[0]} than {PACKAGE} {VERSION} has")
    return found


def write(files: dict[str, bytes], folder: Path) -> None:
    """Lay the published `files` out as they are served, with the runtime.json that says so."""
    packed = gzip.compress(files[BINARY], 9, mtime=0)
    chunks = [_sha256(packed[at : at + CHUNK]) for at in range(0, len(packed), CHUNK)]
    binary = {**_entry(f"{_sha256(packed)}.bin", packed), "chunk_bytes": CHUNK, "chunks": chunks}
    described = {
        "format": "thistledown-runtime",
        "version": 1,
        "name": f"{PACKAGE} {VERSION}",
        "binary": {**binary, "unpacked_bytes": len(files[BINARY])},
        "modules": [_entry(name, files[name]) for name in MODULES],
    }
    folder.mkdir()
    (folder / str(binary["file"])).write_bytes(packed)
    for name in MODULES:
        (folder / name).write_bytes(files[name])
    (folder / "runtime.json").write_text(json.dumps(described, separators=(",", ":")), encoding="utf-8")


def _entry(name: str, data: bytes) -> dict[str, object]:
    return {"file": name, "bytes": len(data), "sha256": _sha256(data)}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _wrong(files: dict[str, bytes]) -> list[str]:
    return [name for name, data in files.items() if _sha256(data) != HASHES[name]]


def _fetched(scratch: Path) -> dict[str, bytes]:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeFilesError("npm is not installed: it comes with Node, see nodejs.org")
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(scratch)]
    try:
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE)
        return _unpacked(next(scratch.glob("*.tgz")))
    except (subprocess.SubprocessError, StopIteration, KeyError, tarfile.TarError) as error:
        raise RuntimeFilesError(f"npm could not fetch {PACKAGE} {VERSION}: {error}") from error


def _unpacked(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as packed:
        found = {name: packed.extractfile(f"package/dist/{name}") for name in HASHES}
        return {name: file.read() for name, file in found.items() if file is not None}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=DEFAULT, help="default: build/runtime")
    try:
        print(provide(parser.parse_args().output))
    except RuntimeFilesError as error:
        sys.exit(f"no runtime for browsers without WebGPU: {error}")
