"""From a checkpoint to the smaller one: what is asked is fitted, measured, chosen and written, or only told."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from exporter.artifact import atomic_folder
from exporter.checkpoints import Checkpoint, open_checkpoint
from exporter.errors import CalibrationError, OutputError
from exporter.progress import Progress
from exporter.reduction.pruning.anatomy import (
    PRUNABLE,
    Anatomy,
    parameters,
    read_config,
    stored_bytes,
    take_apart,
)
from exporter.reduction.pruning.choosing import Importance, choose, keep_layers
from exporter.reduction.pruning.fitting import fit
from exporter.reduction.pruning.goals import Goals, parse_goals
from exporter.reduction.pruning.layouts import Sizes
from exporter.reduction.pruning.measuring import measure
from exporter.reduction.pruning.texts import MOST_TOKENS, read_texts, tokens_of
from exporter.reduction.pruning.writing import write
from exporter.sizes import human


@dataclass(frozen=True)
class Amounts:
    """A count before and after."""

    before: int
    after: int


@dataclass(frozen=True)
class Pruned:
    """What pruning did or would do: `dimensions` by name; `layers_removed` None where only texts can tell."""

    folder: str | None
    dimensions: Mapping[str, Amounts]
    layers_removed: Sequence[int] | None
    parameters: Amounts
    bytes: Amounts

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def table(self) -> str:
        """For people."""
        rows = [
            (name, f"{row.before:,}", f"{row.after:,}", _left(row)) for name, row in self.dimensions.items()
        ]
        rows.append(
            (
                "parameters",
                f"{self.parameters.before:,}",
                f"{self.parameters.after:,}",
                _left(self.parameters),
            )
        )
        rows.append(("bytes", human(self.bytes.before), human(self.bytes.after), _left(self.bytes)))
        lines = [f"{name:<16}{before:>16}  ->{after:>16}{left:>8}" for name, before, after, left in rows]
        return "\n".join([*lines, self._layers()])

    def _layers(self) -> str:
        if self.layers_removed is None:
            return "layers that go: decided with --calibration; counted here as if they were the last"
        return f"layers that go: {', '.join(map(str, self.layers_removed)) or 'none'}"


def _left(row: Amounts) -> str:
    return f"{row.after / row.before:.1%}"


def prune(
    source: str,
    output: Path | None,
    to: str,
    calibration: Path | None,
    seed: int,
    progress: Progress,
) -> Pruned:
    """Writes the pruned checkpoint into the new folder `output`, or only foretells it if that is None.

    Raises ReductionError, CalibrationError, OutputError and what opening a checkpoint raises; nothing is then written.
    """
    goals = parse_goals(to)
    if output is not None:
        _require_absent(output)
        _require_calibration(calibration)
    checkpoint = open_checkpoint(source)
    anatomy = take_apart(checkpoint)
    fit(
        anatomy, goals, partial(keep_layers, anatomy.kinds, None)
    )  # what cannot be is said before the long work
    importance = _measure(checkpoint, anatomy, calibration, seed, progress) if calibration else None
    sizes = _fit(anatomy, goals, importance)
    if output is not None and importance is not None:
        _write(output, checkpoint, anatomy, sizes, importance, progress)
    return _told(output, anatomy, sizes, importance)


def _require_absent(output: Path) -> None:
    if os.path.lexists(output) and not (output.is_dir() and not any(output.iterdir())):
        raise OutputError("There is something already", str(output), "Give another --output.")


def _require_calibration(calibration: Path | None) -> None:
    if calibration is None:
        raise CalibrationError(
            "There are no texts to tell by what matters",
            "--calibration",
            "Give a file of texts like those that the model will read; what goes blindly is as often what is needed.",
        )


def _measure(
    checkpoint: Checkpoint, anatomy: Anatomy, calibration: Path, seed: int, progress: Progress
) -> Importance:
    texts = read_texts(calibration, seed)
    vocabulary = anatomy.sizes.get("vocabulary", checkpoint.config.get("vocab_size", 0))
    tokens = tokens_of(texts, checkpoint.tokenizer()["tokenizer.json"], vocabulary, _most_tokens(checkpoint))
    return measure(checkpoint.folder, anatomy, tokens, progress.say)


def _most_tokens(checkpoint: Checkpoint) -> int:
    """As many of a text are read, and no more than the model has places for."""
    places = getattr(read_config(checkpoint), "max_position_embeddings", None)
    return min(places, MOST_TOKENS) if isinstance(places, int) and places > 0 else MOST_TOKENS


def _fit(anatomy: Anatomy, goals: Goals, importance: Importance | None) -> dict[str, int]:
    scores = importance.layers if importance else None
    return fit(anatomy, goals, partial(keep_layers, anatomy.kinds, scores))


def _write(
    output: Path,
    checkpoint: Checkpoint,
    anatomy: Anatomy,
    sizes: Sizes,
    importance: Importance,
    progress: Progress,
) -> None:
    choice = choose(anatomy, sizes, importance)
    total = stored_bytes(anatomy.stored(choice.layers), sizes)
    with atomic_folder(output, needed_bytes=total) as folder, progress.bytes("writing", total) as advance:
        write(folder, checkpoint, anatomy, sizes, choice, advance)


def _told(output: Path | None, anatomy: Anatomy, sizes: Sizes, importance: Importance | None) -> Pruned:
    every, scores = range(anatomy.sizes["layers"]), importance.layers if importance else None
    layers = keep_layers(anatomy.kinds, scores, sizes["layers"])
    unknown = importance is None and len(layers) < len(every)
    before, after = anatomy.stored(every), anatomy.stored(layers)
    return Pruned(
        folder=None if output is None else str(output),
        dimensions={
            name: Amounts(anatomy.sizes[name], sizes[name]) for name in PRUNABLE if name in anatomy.prunable
        },
        layers_removed=None if unknown else sorted(set(every) - set(layers)),
        parameters=Amounts(parameters(before, anatomy.sizes), parameters(after, sizes)),
        bytes=Amounts(stored_bytes(before, anatomy.sizes), stored_bytes(after, sizes)),
    )
