"""A model of three files: two shards of many chunks, and a small file of one."""

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FOLDER = "/models/tiny/"


@dataclass(frozen=True)
class SmallModel:
    """`files` as the engine knows them; `contents` as a server has them, by path."""

    version: int
    files: tuple[Mapping[str, Any], ...]
    contents: Mapping[str, bytes]

    @property
    def total(self) -> int:
        return sum(map(len, self.contents.values()))

    def order(self) -> dict[str, Any]:
        names = [file["sha256"] for file in self.files]
        return {
            "files": list(self.files),
            "total": self.total,
            "manifest": {"version": self.version, "files": names},
        }


def small_model(version: int = 1, chunks: int = 40, chunk_bytes: int = 128) -> SmallModel:
    """Versions share their first shard."""
    seeds = (1, 10 + version, 20 + version)
    sizes = (chunks * chunk_bytes, chunks * chunk_bytes - chunk_bytes // 3, 300)
    bodies = [random.Random(seed).randbytes(size) for seed, size in zip(seeds, sizes, strict=True)]
    files = [
        _record(body, piece) for body, piece in zip(bodies, (chunk_bytes, chunk_bytes, 300), strict=True)
    ]
    contents = {FOLDER + file["file"]: body for file, body in zip(files, bodies, strict=True)}
    return SmallModel(version, tuple(files), contents)


def _record(body: bytes, chunk_bytes: int) -> dict[str, Any]:
    name = hashlib.sha256(body).hexdigest()
    pieces = [body[at : at + chunk_bytes] for at in range(0, len(body), chunk_bytes)]
    chunks = [hashlib.sha256(piece).hexdigest() for piece in pieces]
    return {
        "file": f"{name}.bin", "bytes": len(body), "sha256": name, "chunkBytes": chunk_bytes, "chunks": chunks,
    }  # fmt: skip
