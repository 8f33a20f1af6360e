"""What other schemes would cost and keep: each is exported into a temporary folder, measured there and thrown away."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from exporter.artifact import Manifest, gpu_memory, read_manifest
from exporter.calibration import Distances, StoredGraph, read_texts, tokens_of
from exporter.checkpoints import open_checkpoint
from exporter.errors import CheckFailedError, CheckpointError, SchemeError
from exporter.export_options import ExportOptions
from exporter.progress import Progress
from exporter.quantization import mixture
from exporter.report import Alternative, Report, WhatIf

DEFAULT = (
    "f16",
    "q8",
    "q8 coded",
    "e6",
    "e5",
    "e4.5",
    "q4-mixed",
    "hybrid",
    "q4",
    "q4 coded",
    "e4",
    "e3.5",
    "e3",
    "q2",
)
_FLOAT = "f32"


class Made(Protocol):
    """What an export made."""

    @property
    def folder(self) -> Path: ...
    @property
    def manifest(self) -> Manifest: ...
    @property
    def report(self) -> Report: ...


Export = Callable[[ExportOptions, Progress], Made]


def parse_schemes(text: str | None) -> Sequence[str]:
    """The schemes in a list with commas, such as "q8, q4 coded, auto 0.01"; DEFAULT for None.

    Raises SchemeError that names the one that is wrong.
    """
    if text is None:
        return DEFAULT
    names = [" ".join(name.split()) for name in text.split(",")]
    for name in names:
        options_for(ExportOptions("", Path()), name)
    return list(dict.fromkeys(names))


def options_for(given: ExportOptions, name: str) -> ExportOptions:
    """`given` for a scheme: what --quantize takes, "q4 coded" with coded weights, "auto 0.01" with a target."""
    scheme, _, more = name.partition(" ")
    plain = replace(given, quantize=scheme, code_weights=False, target_kl=None, budget=None)
    if scheme == "auto":
        return replace(plain, target_kl=_target(more))
    if more not in ("", "coded"):
        raise SchemeError(f'There is no "{name}"', "--schemes", "Write q4, q4 coded or auto 0.01.")
    mixture(scheme, [])
    return replace(plain, code_weights=more == "coded")


def _target(text: str) -> float:
    try:
        target = float(text)
    except ValueError:
        target = 0.0
    if not 0 < target < math.inf:
        raise SchemeError("auto has no target", "--schemes", "Write it behind, as in auto 0.01.")
    return target


def alternatives_to(
    folder: Path, source: str, names: Sequence[str], export: Export, progress: Progress
) -> WhatIf:
    """What the artifact in `folder` would be in the schemes `names`; `source` is the checkpoint that it was made from.

    Raises what `export` raises, CheckpointError for another model.
    """
    manifest = read_manifest(folder)
    task = None if manifest.task == "text-generation" else manifest.task
    given = ExportOptions(source, folder.resolve(), context=manifest.context, task=task)
    return alternatives(given, names, export, progress, manifest)


def alternatives(
    given: ExportOptions,
    names: Sequence[str],
    export: Export,
    progress: Progress,
    of: Manifest | None = None,
) -> WhatIf:
    """Each of `names` next to the float model on the bundled texts; those that come out alike are told once.

    `of` is what `given` must be the source of. Raises what `export` raises.
    """
    trial = _Trial(given, export, progress)
    with TemporaryDirectory(prefix="thistledown-") as name:
        exact = trial.export(_FLOAT, Path(name))
        if of:
            _require_alike(given.source, exact.manifest, of)
        texts = tokens_of(read_texts(), exact.folder / "tokenizer.json", exact.manifest.context)
        distances = Distances(StoredGraph(exact.folder), texts)
        found = [trial.measured(each, distances) for each in names]
    size, values = _checkpoint(given.source)
    by_size = sorted(_different(found), key=lambda each: each.first_visit)
    return WhatIf(distances.unit, len(texts), sum(map(len, texts)), size, values, by_size)


@dataclass(frozen=True)
class _Trial:
    """Exports what `given` says in other schemes."""

    given: ExportOptions
    make: Export
    progress: Progress

    def export(self, name: str, home: Path) -> Made:
        """The folder has the name that it is asked for: the model card tells it."""
        self.progress.say(f"what if: {name}")
        folder = home / self.given.output.resolve().name
        return self.make(replace(options_for(self.given, name), output=folder), Progress(quiet=True))

    def measured(self, name: str, distances: Distances) -> Alternative:
        """The scheme `name`; CheckFailedError if its answers are no numbers."""
        with TemporaryDirectory(prefix="thistledown-") as home:
            made = self.export(name, Path(home))
            distance = distances.of(StoredGraph(made.folder))
            if not math.isfinite(distance):
                raise CheckFailedError(
                    f"{name} gives no numbers", self.given.source, "Leave it out: --schemes."
                )
            return Alternative(
                name=name,
                coded=made.manifest.coded is not None,
                first_visit=made.report.first_visit,
                weights=sum(shard.bytes for shard in made.manifest.fetched),
                memory={tier: gpu_memory(made.manifest, tier)["total"] for tier in made.manifest.plans},
                distance=max(0.0, distance),  # rounding may make a cosine larger than 1
            )


def _require_alike(source: str, made: Manifest, wanted: Manifest) -> None:
    facts = [(each.architecture, each.task, each.parameters) for each in (made, wanted)]
    if facts[0] != facts[1]:
        raise CheckpointError(
            f"{made.architecture} of {made.parameters:,} parameters is not what {wanted.name} was made from",
            source,
            "Give the checkpoint that the artifact was exported from.",
        )


def _different(found: Sequence[Alternative]) -> Sequence[Alternative]:
    """The first of those that have the same weights under other names."""
    return list({(each.weights, each.distance): each for each in reversed(found)}.values())


def _checkpoint(source: str) -> tuple[int | None, int | None]:
    """Bytes and values of all tensors of a checkpoint; an .onnx file is as it is."""
    if source.endswith(".onnx"):
        return None, None
    whole = open_checkpoint(source).as_origin()
    return whole.bytes, whole.values
