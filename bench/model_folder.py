"""What the bench reads of an artifact folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError

TASKS = ("text-generation", "sentence-embedding")


@dataclass(frozen=True)
class ModelFolder:
    """An artifact that can be measured."""

    path: Path
    manifest: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "ModelFolder":
        """Raises BenchError for a folder without a manifest, or a task that has no workload."""
        try:
            manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
            task = manifest["task"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            remedy = "Give a folder that `thistledown export` has written."
            raise BenchError("This is no artifact", str(path), remedy) from error
        if task not in TASKS:
            raise BenchError(
                f"There is no workload for {task}", str(path), f"There is one for {' and '.join(TASKS)}."
            )
        return cls(path.resolve(), manifest)

    @property
    def task(self) -> str:
        """What the model is for."""
        return str(self.manifest["task"])

    @property
    def address(self) -> str:
        """Where the server has it."""
        return f"/models/{self.path.name}/"

    def plan(self, tier: str) -> dict[str, Any]:
        """The plan of `tier`."""
        record = self.manifest["plans"][tier]
        plan: dict[str, Any] = json.loads((self.path / record["file"]).read_text(encoding="utf-8"))
        return plan

    def external_data(self) -> list[dict[str, str]]:
        """The shards, as onnxruntime-web wants to be told of them."""
        names = [shard["file"] for shard in self.manifest["shards"]]
        return [{"path": name, "data": self.address + name} for name in names]

    def facts(self) -> dict[str, Any]:
        """What a reader of the result wants to know."""
        keys = ("name", "title", "task", "architecture", "quantization", "parameters", "context")
        return {key: self.manifest[key] for key in (*keys, "vocabulary", "dimensions")}
