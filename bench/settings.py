"""What a measurement is told."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

OURS = "thistledown"


@dataclass(frozen=True)
class BenchSettings:
    """Lengths in tokens; those that the model's context does not hold are left out, and the result says so."""

    peers: tuple[str, ...] = ("onnxruntime-web", "onnxruntime-web-last", "transformers.js", "wllama")
    prefill: tuple[int, ...] = (32, 128, 512, 2048)
    decode: tuple[int, ...] = (0, 1024, 4096)
    scan: tuple[int, ...] = ()
    tokens: int = 32
    rounds: int = 5
    texts: int = 64
    tier: str | None = None
    arguments: tuple[str, ...] = ()
    onnxruntime_build: str = "asyncify"
    float_folder: Path | None = None
    kernels: bool = False

    def described(self) -> dict[str, Any]:
        """As JSON has it; of a folder its name, which is all that another machine knows of it."""
        found = asdict(self)
        return found | {"float_folder": self.float_folder.name if self.float_folder else None}
