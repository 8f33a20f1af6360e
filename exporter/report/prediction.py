"""What an export would make, foretold without weights: every file, the GPU memory of each tier, the first visit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exporter.artifact import Manifest, gpu_memory
from exporter.report.forms.columns import columns
from exporter.report.measure import Report
from exporter.sizes import human

FORMAT = "thistledown-prediction"
VERSION = 1
_TOKENIZER = "tokenizer.json"
# Written in decimal, the size of the tokenizer stands in the manifest, too.
_TELL_ITS_SIZE = (_TOKENIZER, "manifest.json", "report.json")
_MEMORY = ("weights", "states", "activations", "tables", "io", "readback", "total")


@dataclass(frozen=True)
class PredictedFile:
    """One file; `bytes` None where the checkpoint lacks what it is made from."""

    file: str
    role: str
    bytes: int | None


@dataclass(frozen=True)
class Prediction:
    """An export that did not happen. `sizes` are the bytes of all files but the shards, by name.

    Where weights will be `coded`, a visit fetches fewer bytes than the report says: how many, only the weights tell.
    """

    manifest: Manifest
    report: Report
    sizes: Mapping[str, int]
    has_tokenizer: bool
    coded: bool = False

    @property
    def files(self) -> Sequence[PredictedFile]:
        """Every file of the artifact; a shard's name will be the SHA-256 of bytes that nobody knows yet."""
        shards = self.manifest.shards
        weights = [
            PredictedFile(f"weights {index + 1} of {len(shards)}", "weights", shard.bytes)
            for index, shard in enumerate(shards)
        ]
        roles: dict[str, str] = {entry.file: entry.role for entry in self.manifest.files}
        roles |= {plan.file: "plan" for plan in self.manifest.plans.values()}
        others = [
            PredictedFile(name, roles.get(name, name.removesuffix(".json")), self._known(name, size))
            for name, size in sorted(self.sizes.items())
        ]
        return [*weights, *others]

    def _known(self, name: str, size: int) -> int | None:
        return size if self.has_tokenizer or name not in _TELL_ITS_SIZE else None

    @property
    def total(self) -> int:
        """Bytes of all files whose size is known."""
        return sum(file.bytes or 0 for file in self.files)

    @property
    def unknown(self) -> Sequence[str]:
        """The files whose size is not known."""
        return [file.file for file in self.files if file.bytes is None]

    def to_json(self) -> dict[str, Any]:
        made, report = self.manifest, self.report
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": made.name,
            "task": made.task,
            "architecture": made.architecture,
            "quantization": made.quantization,
            "parameters": made.parameters,
            "bits_per_weight": round(report.bits_per_weight, 3),
            "context": made.context,
            "files": [{"file": f.file, "role": f.role, "bytes": f.bytes} for f in self.files],
            "total": self.total,
            "unknown": list(self.unknown),
            "first_visit": report.first_visit,
            "coded": self.coded,
            "tiers": {
                name: {
                    "features": list(plan.features),
                    "memory": dict(gpu_memory(made, name)),
                    "limits": dict(plan.limits),
                }
                for name, plan in made.plans.items()
            },
        }


def render_prediction(prediction: Prediction) -> str:
    """The prediction for people."""
    made, report = prediction.manifest, prediction.report
    head = (
        f"{made.name}: {made.task}, {made.architecture}, {made.parameters:,} parameters, "
        f"{report.bits_per_weight:.2f} bits per weight, context {made.context}"
    )
    parts = [[head, "Nothing was written. An export would make:"], _files(prediction), _tiers(made)]
    return "\n\n".join("\n".join(part) for part in [*parts, _visit(prediction)])


def _files(prediction: Prediction) -> list[str]:
    shards = [shard.bytes for shard in prediction.manifest.shards]
    others = [file for file in prediction.files if file.role != "weights"]
    count = "1 file" if len(shards) == 1 else f"{len(shards)} files, the largest {human(max(shards))}"
    rows = [("weights", f"{sum(shards):,}", count)]
    rows += [(f.file, "unknown" if f.bytes is None else f"{f.bytes:,}", "") for f in others]
    rows.append(("all", f"{prediction.total:,}", human(prediction.total)))
    return columns([("file", "bytes", ""), *rows], 1)


def _tiers(made: Manifest) -> list[str]:
    heading = ("GPU memory, bytes", *made.plans)
    memory = [gpu_memory(made, tier) for tier in made.plans]
    rows = [(key, *(f"{uses[key]:,}" for uses in memory)) for key in _MEMORY]
    rows.append(("", *(human(uses["total"]) for uses in memory)))
    keys = next(iter(made.plans.values())).limits
    limits = [(key, *(f"{plan.limits[key]:,}" for plan in made.plans.values())) for key in keys]
    needs = ("features", *(", ".join(plan.features) or "none" for plan in made.plans.values()))
    return columns([heading, *rows, ("needs of the device", *[""] * len(made.plans)), *limits, needs], 1)


def _visit(prediction: Prediction) -> list[str]:
    visit = prediction.report.first_visit
    how = "at most" if prediction.coded else "about"
    lines = [f"first visit downloads {how} {visit:,} bytes ({human(visit)})"]
    if prediction.coded:
        lines.append(
            "how much fewer once they are entropy-coded, and whether a budget is kept, only the weights tell:"
        )
        lines.append("leave out --dry-run")
    if prediction.unknown:
        lines.append(
            f"the folder has no {_TOKENIZER}: unknown are {', '.join(prediction.unknown)}, not counted"
        )
    return lines
