"""The folder of a run inside its output: what was begun there, and whether a command may go on with it."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from exporter.errors import ReductionError
from exporter.reduction.distillation.objectives import Objective
from exporter.reduction.training import checkpoints
from exporter.reduction.training.loop import LOG
from exporter.reduction.training.recipe import Recipe

RUN = "run"
_RECIPE, _MAKING = "recipe.json", "recipe.making"
# What a run may go on with changed; a lower learning rate is the remedy for a loss that is no number.
_FREE = {"log_every", "save_every", "workers", "compiled", "learning_rate"}


def identity(
    recipe: Recipe, objective: Objective, sizes: Mapping[str, int], files: Mapping[str, Iterable[Path]]
) -> Mapping[str, Any]:
    """Everything that decides what a run computes."""
    steps = {key: value for key, value in asdict(recipe).items() if key not in _FREE}
    digests = {name: _digest(paths) for name, paths in files.items()}
    return {**sizes, **steps, **asdict(objective), **digests}


def decisive(checkpoint: Path) -> list[Path]:
    """The files of a checkpoint that decide what it says."""
    named = [checkpoint / "config.json", checkpoint / "tokenizer.json"]
    return [*named, *sorted(checkpoint.glob("*.safetensors"))]


def require_place(output: Path, identity: Mapping[str, Any]) -> None:
    """Raises ReductionError where the output holds something else, or a checkpoint of another recipe."""
    run = output / RUN
    if (run / _RECIPE).is_file():
        if checkpoints.exists(run):
            _require_same(_noted(run / _RECIPE), identity, run)
    elif os.path.lexists(output) and not _hardly_begun(output):
        raise ReductionError("The output folder is not empty", str(output), "Give another one.")


def begin(run: Path, identity: Mapping[str, Any]) -> None:
    """Write the recipe down, unless a checkpoint is there to go on from; steps without one are computed again."""
    if checkpoints.exists(run):
        return
    run.mkdir(parents=True, exist_ok=True)
    (run / LOG).unlink(missing_ok=True)
    (run / _MAKING).write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
    os.replace(run / _MAKING, run / _RECIPE)


def end(run: Path) -> None:
    """Remove it; the recipe goes first, so that a kill in here does not begin a finished run anew."""
    (run / _RECIPE).unlink()
    shutil.rmtree(run)


def _hardly_begun(output: Path) -> bool:
    """Whether it holds at most what a run leaves that was killed before its recipe was written."""
    run = output / RUN
    return _holds_only(output, {RUN}) and (not os.path.lexists(run) or _holds_only(run, {_MAKING}))


def _holds_only(folder: Path, names: set[str]) -> bool:
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= names


def _noted(recipe: Path) -> Mapping[str, Any]:
    try:
        noted = json.loads(recipe.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        noted = None
    if not isinstance(noted, dict):
        raise ReductionError(
            "Nobody can tell which run was begun here: its recipe is damaged",
            str(recipe),
            "Give another output folder.",
        )
    return noted


def _require_same(noted: Mapping[str, Any], wanted: Mapping[str, Any], folder: Path) -> None:
    changed = [key for key in wanted if noted.get(key) != wanted[key]]
    if changed:
        raise ReductionError(
            f"A run with another recipe was begun here: {', '.join(changed)} differ",
            str(folder),
            "Go on with the same recipe, or give another output folder.",
        )


def _digest(files: Iterable[Path]) -> str:
    """The SHA-256 of those of the files that are there, in this order."""
    whole = hashlib.sha256()
    for path in files:
        if path.is_file():
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
