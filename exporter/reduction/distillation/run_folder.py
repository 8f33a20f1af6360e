"""The folder of a run inside its output: what was begun there, and whether a command may go on with it."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from exporter.errors import ReductionError
from exporter.reduction.distillation.objectives import Objective
from exporter.reduction.training.begun import MAKING, RECIPE, digest, require_same_run
from exporter.reduction.training.recipe import Recipe

RUN = "run"
# What a run may go on with changed; a lower learning rate is the remedy for a loss that is no number.
_FREE = {"log_every", "save_every", "workers", "compiled", "learning_rate"}


def identity(
    recipe: Recipe, objective: Objective, sizes: Mapping[str, int], files: Mapping[str, Iterable[Path]]
) -> Mapping[str, Any]:
    """Everything that decides what a run computes."""
    steps = {key: value for key, value in asdict(recipe).items() if key not in _FREE}
    digests = {name: digest(paths) for name, paths in files.items()}
    return {**sizes, **steps, **asdict(objective), **digests}


def require_place(output: Path, identity: Mapping[str, Any]) -> None:
    """Raises ReductionError where the output holds something else, or a checkpoint of another recipe."""
    run = output / RUN
    if (run / RECIPE).is_file():
        require_same_run(run, identity)
    elif os.path.lexists(output) and not _hardly_begun(output):
        raise ReductionError("The output folder is not empty", str(output), "Give another one.")


def end(run: Path) -> None:
    """Remove it; the recipe goes first, so that a kill in here does not begin a finished run anew."""
    (run / RECIPE).unlink()
    shutil.rmtree(run)


def _hardly_begun(output: Path) -> bool:
    """Whether it holds at most what a run leaves that was killed before its recipe was written."""
    run = output / RUN
    return holds_only(output, {RUN}) and (not os.path.lexists(run) or holds_only(run, {MAKING}))


def holds_only(folder: Path, names: set[str]) -> bool:
    """Whether it is a folder with nothing else in it."""
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= names
