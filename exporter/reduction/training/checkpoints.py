"""The state of a run on disk: whole or not at all, and nothing in it is executed when it is read."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

_STATE, _OPTIMIZERS, _WEIGHTS = "state.json", "optimizers.safetensors", "weights.safetensors"
_LAST = "last"


@dataclass(frozen=True)
class Checkpoint:
    """What a run goes on from: the steps that are done, and what the caller noted."""

    weights: "Mapping[str, Tensor]"
    optimizers: "Mapping[str, Tensor]"
    step: int
    notes: Mapping[str, Any]


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write it into `folder`; a kill at any time leaves the one before it or this one."""
    from safetensors.torch import save_file

    made = folder / "making"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    save_file({name: one.contiguous() for name, one in checkpoint.weights.items()}, made / _WEIGHTS)
    save_file({name: one.contiguous() for name, one in checkpoint.optimizers.items()}, made / _OPTIMIZERS)
    state = {"step": checkpoint.step, "notes": checkpoint.notes}
    (made / _STATE).write_text(json.dumps(state), encoding="utf-8")
    named = folder / f"step-{checkpoint.step}"
    shutil.rmtree(named, ignore_errors=True)
    made.rename(named)
    pointer = folder / f"{_LAST}.making"
    pointer.write_text(named.name, encoding="utf-8")
    os.replace(pointer, folder / _LAST)
    for other in folder.glob("step-*"):
        if other.name != named.name:
            shutil.rmtree(other, ignore_errors=True)


def load(folder: Path) -> Checkpoint | None:
    """The last one that was written whole; None where there is none."""
    from safetensors.torch import load_file

    if not (folder / _LAST).is_file():
        return None
    named = folder / (folder / _LAST).read_text(encoding="utf-8")
    state = json.loads((named / _STATE).read_text(encoding="utf-8"))
    return Checkpoint(
        load_file(named / _WEIGHTS), load_file(named / _OPTIMIZERS), state["step"], state["notes"]
    )
