"""The engines that ours is measured against: which there are, and how they come here."""

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

FOLDER = Path(__file__).parent / "peers"
WRITERS = frozenset({"text-generation"})
EMBEDDERS = frozenset({"sentence-embedding"})
PATIENCE = 600


@dataclass(frozen=True)
class Peer:
    """`driver` is a module of page/, `package` what npm calls it, `tasks` what its driver can be asked for."""

    name: str
    driver: str
    package: str
    tasks: frozenset[str]
    about: str
    rounds_activations: bool = False
    """Whether it multiplies with activations of 8 bits, so that its logits are near and its tokens may be others."""


PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "onnxruntime-web",
            "onnxruntime.js",
            "onnxruntime-web",
            WRITERS,
            "WebGPU provider on the artifact's own model.onnx, which gives the logits of every token",
        ),
        Peer(
            "onnxruntime-web-last",
            "onnxruntime.js",
            "onnxruntime-web",
            WRITERS,
            "the same with one Gather more, so that only the last token's logits are computed",
        ),
        Peer(
            "transformers.js",
            "transformers.js",
            "@huggingface/transformers",
            EMBEDDERS,
            "its feature-extraction pipeline on WebGPU; quantized models as it makes them",
        ),
        Peer(
            "wllama",
            "wllama.js",
            "@wllama/wllama",
            WRITERS,
            "llama.cpp on a GGUF of the artifact's own weights: on WebGPU as far as settings.gpuLayers says, "
            "else on threads of the CPU, where it rounds activations to 8 bits before it multiplies blocks",
            rounds_activations=True,
        ),
    )
}


def chosen(names: Iterable[str], task: str) -> tuple[list[Peer], dict[str, str]]:
    """The peers of those `names` that do `task`, and why the others are not measured."""
    fit, unfit = [], {}
    for name in names:
        if name not in PEERS:
            raise BenchError(f"There is no peer {name!r}", "--peers", f"There are {', '.join(PEERS)}.")
        if task in PEERS[name].tasks:
            fit.append(PEERS[name])
        else:
            unfit[name] = f"it is not measured with models for {task}"
    return fit, unfit


def fetched(folder: Path = FOLDER) -> bool:
    """Whether the packages are there, as package.json has them."""
    lock = folder / "node_modules" / ".package-lock.json"
    return lock.is_file() and lock.stat().st_mtime >= (folder / "package.json").stat().st_mtime


def fetch(folder: Path = FOLDER) -> str | None:
    """Install the peers' packages into `folder` unless they are there; returns why they could not be, else None."""
    if fetched(folder):
        return None
    modules = folder / "node_modules"
    if modules.is_symlink():
        return f"{modules} is a link, and npm would empty the folder that it leads to: remove the link"
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed: install Node 20 or newer"
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"npm did not fetch the packages within {PATIENCE} s"
    if ran.returncode != 0:
        return f"npm could not fetch the packages: {ran.stderr.strip().splitlines()[-1:] or ran.returncode}"
    (modules / ".package-lock.json").touch()
    return None


def version(package: str, folder: Path = FOLDER) -> str:
    """The version that is installed."""
    described = json.loads((folder / "node_modules" / package / "package.json").read_text(encoding="utf-8"))
    return str(described["version"])


def runtime_bytes(files: Iterable[Path]) -> dict[str, int]:
    """Bytes of those of the files that are there, as they are and as gzip sends them."""
    data = [path.read_bytes() for path in sorted(set(files)) if path.is_file()]
    return {
        "files": len(data),
        "raw": sum(map(len, data)),
        "gzip": sum(len(gzip.compress(part, 9, mtime=0)) for part in data),
    }
