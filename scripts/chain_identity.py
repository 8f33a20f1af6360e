"""Which chain a folder of scripts/reduction_chain.py holds: the teacher, and all settings that decide what is made."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exporter.errors import ReductionError
from exporter.reduction.distillation.run_folder import holds_only
from exporter.reduction.training.begun import decisive, digest, note, require_same

IDENTITY = "identity.json"
_MAKING = "identity.making"


def identity_of(teacher: Path, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings, the SHA-256 of the teacher's weights, as sha256sum tells it, and one of all its decisive files.

    Raises ReductionError where there is no teacher.
    """
    weights = sorted(teacher.glob("*.safetensors"))
    if not weights or not (teacher / "config.json").is_file():
        remedy = "Give a --teacher with config.json and weights in safetensors."
        raise ReductionError("There is no checkpoint", str(teacher), remedy)
    whole = hashlib.sha256()
    for path in weights:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: whole)
    return {"teacher": whole.hexdigest(), "teacher_files": digest(decisive(teacher)), **settings}


def begin(folder: Path, identity: Mapping[str, Any]) -> None:
    """Note the identity in a new folder. Raises ReductionError where another is noted, or something else is there."""
    recipe = folder / IDENTITY
    if recipe.is_file():
        require_same(recipe, identity)
        return
    if os.path.lexists(folder) and not holds_only(folder, {_MAKING}):
        what = "The folder is not empty, and nothing in it says which chain it holds"
        raise ReductionError(what, str(folder), "Give another one.")
    folder.mkdir(parents=True, exist_ok=True)
    note(recipe, identity)
