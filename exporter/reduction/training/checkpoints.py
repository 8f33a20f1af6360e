"""The state of a run on disk: whole or not at all, and nothing in it is executed when it is read."""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.artifact import flush
from exporter.errors import ReductionError

if TYPE_CHECKING:
    from torch import Tensor

_STATE, _OPTIMIZERS, _WEIGHTS = "state.json", "optimizers.safetensors", "weights.safetensors"
_LAST = "last"
_NAME = re.compile(r"step-[0-9]+")


@dataclass(frozen=True)
class Checkpoint:
    """What a run goes on from: the steps that are done, and what the caller noted."""

    weights: "Mapping[str, Tensor]"
    optimizers: "Mapping[str, Tensor]"
    step: int
    notes: Mapping[str, Any]


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write it into `folder`; a kill or a loss of power at any time leaves the one before it or this one.

    Raises ReductionError where weights cannot be written.
    """
    from safetensors.torch import save_file

    made = folder / "making"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    with writing(folder):
        save_file({name: one.contiguous() for name, one in checkpoint.weights.items()}, made / _WEIGHTS)
        save_file({name: one.contiguous() for name, one in checkpoint.optimizers.items()}, made / _OPTIMIZERS)
    state = {"step": checkpoint.step, "notes": checkpoint.notes}
    (made / _STATE).write_text(json.dumps(state), encoding="utf-8")
    named = folder / f"step-{checkpoint.step}"
    shutil.rmtree(named, ignore_errors=True)
    made.rename(named)
    pointer = folder / f"{_LAST}.making"
    pointer.write_text(named.name, encoding="utf-8")
    flush(folder)
    os.replace(pointer, folder / _LAST)
    flush(folder)
    for other in folder.glob("step-*"):
        if other.name != named.name:
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Within, weights that safetensors cannot write raise ReductionError."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as problem:
        raise ReductionError(
            f"The weights cannot be written: {problem}", str(folder), "Make room there, and run it again."
        ) from None


def exists(folder: Path) -> bool:
    """Whether there is one to go on from."""
    return (folder / _LAST).is_file()


def load(folder: Path) -> Checkpoint | None:
    """The last one that was written whole; None where there is none. Raises ReductionError where it is damaged."""
    from safetensors import SafetensorError

    if not exists(folder):
        return None
    try:
        return _read(folder, (folder / _LAST).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as problem:
        raise damaged(folder, f"{type(problem).__name__}: {problem}") from None


def damaged(folder: Path, why: str) -> ReductionError:
    """What a run says whose checkpoint cannot be gone on from."""
    return ReductionError(
        f"The run cannot go on from its last checkpoint: {why}",
        str(folder),
        "If the model is the one that the run began with, the checkpoint is damaged: run it in another folder.",
    )


def _read(folder: Path, name: str) -> Checkpoint:
    from safetensors.torch import load_file

    if not _NAME.fullmatch(name):
        raise ValueError(f"{_LAST} names no checkpoint of this folder")
    named = folder / name
    state = json.loads((named / _STATE).read_text(encoding="utf-8"))
    step, notes = state["step"], state["notes"]
    if type(step) is not int or name != f"step-{step}" or not isinstance(notes, dict):
        raise ValueError(f"{_STATE} is of another step")
    return Checkpoint(load_file(named / _WEIGHTS), load_file(named / _OPTIMIZERS), step, notes)
