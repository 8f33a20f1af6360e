"""Checkpoints of runs: damage is named and touched no further; another model's weights are not taken."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from exporter.errors import ReductionError
from exporter.reduction.training.checkpoints import Checkpoint, save
from exporter.reduction.training.loop import Run
from exporter.reduction.training.optimizers import make_optimizers, state_tensors
from exporter.reduction.training.recipe import Recipe

RECIPE = Recipe(steps=4)
WEIGHTS, OPTIMIZERS = "step-2/weights.safetensors", "step-2/optimizers.safetensors"
STATE = "step-2/state.json"


def model(width: int = 4) -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(width, 4), torch.nn.Linear(4, width))


def one_of(folder: Path) -> None:
    """A checkpoint after two steps of that model."""
    made = model()
    optimizers = make_optimizers(made, RECIPE)
    for parameter in made.parameters():
        parameter.grad = torch.ones_like(parameter)
    for optimizer in optimizers.values():
        optimizer.step()
    weights = {name: one.detach() for name, one in made.named_parameters()}
    save(folder, Checkpoint(weights, state_tensors(optimizers), 2, {"tokens": 80, "seconds": 1.5}))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def overwritten(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def stretched(file: Path) -> None:
    """Each matrix in it has a row more."""
    tensors = load_file(file)
    save_file(
        {name: torch.cat([one, one[:1]]) if one.ndim == 2 else one for name, one in tensors.items()}, file
    )


def test_a_run_goes_on_from_one(tmp_path: Path) -> None:
    one_of(tmp_path)
    run = Run(model(), RECIPE, tmp_path, few_shapes=False)
    assert (run.resume(), run.tokens, run.seconds) == (2, 80, 1.5)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (overwritten("last", b"../elsewhere"), "names no checkpoint"),
        (overwritten("last", b"\xff"), "UnicodeDecodeError"),
        (overwritten("last", b"step-4"), "FileNotFoundError"),
        (overwritten(STATE, b"{"), "JSONDecodeError"),
        (overwritten(STATE, b"[]"), "TypeError"),
        (overwritten(STATE, b'{"step": 3, "notes": {}}'), "of another step"),
        (overwritten(STATE, b'{"step": 2, "notes": {}}'), "tokens"),
        (overwritten(WEIGHTS, b"half"), "SafetensorError"),
        (lambda folder: (folder / OPTIMIZERS).unlink(), "No such file|FileNotFound"),
        (lambda folder: shutil.copyfile(folder / OPTIMIZERS, folder / WEIGHTS), "other names"),
        (lambda folder: shutil.copyfile(folder / WEIGHTS, folder / OPTIMIZERS), "no state of an optimizer"),
        (lambda folder: stretched(folder / OPTIMIZERS), "fits no parameter"),
    ],
)
def test_damage_is_named_and_the_checkpoint_left_as_it_is(
    tmp_path: Path, damage: Callable[[Path], object], told: str
) -> None:
    one_of(tmp_path)
    damage(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(ReductionError, match=told):
        Run(model(), RECIPE, tmp_path, few_shapes=False).resume()
    assert contents(tmp_path) == before


def test_a_model_of_another_size_does_not_go_on_from_it(tmp_path: Path) -> None:
    one_of(tmp_path)
    with pytest.raises(ReductionError, match="size mismatch"):
        Run(model(width=6), RECIPE, tmp_path, few_shapes=False).resume()
