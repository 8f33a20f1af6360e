"""What was begun in the folder of a run: a run goes on only with what decides what it computes as it was."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from exporter.errors import ReductionError
from exporter.reduction.training import checkpoints
from exporter.reduction.training.loop import LOG, Run

RECIPE, MAKING = "recipe.json", "recipe.making"


def decisive(checkpoint: Path) -> list[Path]:
    """The files of a checkpoint that decide what it says."""
    named = [checkpoint / "config.json", checkpoint / "tokenizer.json"]
    return [*named, *sorted(checkpoint.glob("*.safetensors"))]


def require_same_run(folder: Path, identity: Mapping[str, Any]) -> None:
    """Raises ReductionError where the folder has a checkpoint to go on from, of a run with another identity."""
    if checkpoints.exists(folder):
        require_same(folder / RECIPE, identity)


def require_same(recipe: Path, identity: Mapping[str, Any]) -> None:
    """Raises ReductionError where another identity is noted in the file `recipe`, or nobody can tell which."""
    noted = _noted(recipe)
    changed = [key for key in identity if noted.get(key) != identity[key]]
    if changed:
        raise ReductionError(
            f"A run with another recipe was begun here: {', '.join(changed)} differ",
            str(recipe.parent),
            "Go on with the same recipe, or give another output folder.",
        )


def begin(run: Run, identity: Mapping[str, Any]) -> None:
    """Write the recipe down, unless a checkpoint is there to go on from; steps without one are computed again.

    With several processes the first one writes, and all wait for it.
    """
    if run.accelerator.is_main_process and not checkpoints.exists(run.folder):
        run.folder.mkdir(parents=True, exist_ok=True)
        (run.folder / LOG).unlink(missing_ok=True)
        note(run.folder / RECIPE, identity)
    run.accelerator.wait_for_everyone()


def note(recipe: Path, identity: Mapping[str, Any]) -> None:
    """Write it into the file `recipe`, whole or not at all; a kill may leave the same name with .making."""
    making = recipe.with_suffix(".making")
    making.write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
    os.replace(making, recipe)


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


def digest(files: Iterable[Path]) -> str:
    """The SHA-256 of those of the files that are there, in this order."""
    whole = hashlib.sha256()
    for path in files:
        if path.is_file():
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
