"""From what the user typed to an opened checkpoint: a folder, the bundled model or a hub id."""

import os
from pathlib import Path

from ..errors import CheckpointError
from . import bundled, hub
from .checkpoint import Checkpoint


def open_checkpoint(source: str, *, values: bool = True) -> Checkpoint:
    """Opens `source`: a local folder, "minilm" (bundled), or a hub id `owner/name[@revision]`.

    Without `values` config.json alone will do: no weights are fetched, and tensors cannot be read.
    Raises CheckpointError, ConfigError or WeightsError. What is worth telling about the origin is in `.note`.
    """
    if source == bundled.NAME:
        return Checkpoint(bundled.bundled_folder(), bundled.HUB_ID, values=values)
    # os.path answers False where pathlib raises: for names too long, or empty ones taken as ".".
    if os.path.isdir(source):
        path = Path(source)
        return Checkpoint(path, _source_of_folder(path.resolve()), values=values)
    if os.path.exists(source):
        raise CheckpointError("This is a file", source, "Give the folder that holds it.")
    if not hub.is_hub_id(source):
        remedy = "Give a folder, a hub id such as owner/name, or minilm."
        raise CheckpointError("There is no such folder", source or "an empty name", remedy)
    return _open_from_hub(source, values)


def _source_of_folder(folder: Path) -> str:
    """The folder's name, or the hub id if `folder` is a snapshot in the hub's cache."""
    repo = folder.parent.parent.name
    if folder.parent.name == "snapshots" and repo.startswith("models--"):
        return repo.removeprefix("models--").replace("--", "/", 1)
    return folder.name


def _open_from_hub(source: str, values: bool) -> Checkpoint:
    try:
        return Checkpoint(hub.fetch(source, weights=values), source, values=values)
    except CheckpointError as problem:
        if source != bundled.HUB_ID:
            raise
        note = f"{problem.what}; the copy in the installed package is used."
        return Checkpoint(bundled.bundled_folder(), source, note, values=values)
