"""`thistledown distill`: trains a student beside its teacher, resumes after a kill, leaves an ordinary checkpoint."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.checkpoints import Origin
from exporter.checkpoints.confined_folder import ConfinedFolder
from exporter.checkpoints.origin import read_origin
from exporter.errors import ReductionError
from exporter.reduction.distillation import run_folder
from exporter.reduction.distillation.objectives import Objective, distillation_loss, new_student
from exporter.reduction.distillation.sampling import Sampling
from exporter.reduction.distillation.text_file import open_text_file
from exporter.reduction.tokenizer_file import open_tokenizer
from exporter.reduction.training import checkpoints, granite
from exporter.reduction.training.begun import begin, decisive
from exporter.reduction.training.fast_mamba import fast_mamba
from exporter.reduction.training.loading import load_decoder
from exporter.reduction.training.loop import LOG, Run
from exporter.reduction.training.plots import plot_losses
from exporter.reduction.training.recipe import Recipe

# What a checkpoint has beside its weights, taken over from the student, else from the teacher.
_CARRIED = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "generation_config.json",
)
_WEIGHTS, _CURVE = "model.safetensors", "loss.svg"
_WIDTH = 512


@dataclass(frozen=True)
class Distillation:
    """Checkpoint folders of teacher and student, the data, the folder to make, and how a step is made up."""

    teacher: Path
    student: Path
    data: Path
    output: Path
    batch: int = 64
    tokens: int = 4096
    longest: int = 1024


def distill(
    task: Distillation, recipe: Recipe, objective: Objective, say: Callable[[str], None]
) -> Mapping[str, Any]:
    """Train; the same call after a kill goes on. Returns steps, tokens read, seconds and the last loss.

    Raises ReductionError where tokenizers or vocabularies differ, the data is unfit, a loss is no number, or the
    output folder holds something else or a run with another recipe.
    """
    import torch

    tokenizer = _common_tokenizer(task.teacher, task.student)
    file = open_text_file(task.data)
    identity = _identity(task, recipe, objective)
    run_folder.require_place(task.output, identity)
    teacher, student = load_decoder(task.teacher), load_decoder(task.student)
    _require_vocabulary(teacher, student, tokenizer)
    origin = read_origin(ConfinedFolder(task.student))
    packs = granite.packs(teacher) and granite.packs(student)
    width = min(_WIDTH, task.tokens) if packs else None
    sampling = Sampling(file, tokenizer, task.batch, task.tokens, task.longest, recipe.seed, width)
    _require_targets(sampling, task)
    # The projection of hidden states is drawn; all processes draw the same.
    torch.manual_seed(recipe.seed)
    with fast_mamba():
        folder = task.output / run_folder.RUN
        run = Run(new_student(student, teacher, objective), recipe, folder, few_shapes=packs)
        teacher.to(run.accelerator.device).eval().requires_grad_(False)
        granite.set_options(teacher, granite.Options(run.compiled))
        begin(run, identity)
        run.train(sampling, distillation_loss(teacher, objective), say, _plotter(folder))
    if run.accelerator.is_main_process:
        _finish(student, task, origin, folder)
    run.accelerator.wait_for_everyone()
    return _summary(task.output / LOG)


def _identity(task: Distillation, recipe: Recipe, objective: Objective) -> Mapping[str, Any]:
    sizes = {"batch": task.batch, "tokens": task.tokens, "longest": task.longest}
    models = {"teacher": decisive(task.teacher), "student": decisive(task.student)}
    return run_folder.identity(recipe, objective, sizes, {"data": [task.data], **models})


def _common_tokenizer(teacher: Path, student: Path) -> Path:
    """The tokenizer's file. Raises ReductionError where the two are not the same."""
    found = [folder / "tokenizer.json" for folder in (student, teacher)]
    there = [path for path in found if path.is_file()]
    if not there:
        raise ReductionError("There is no tokenizer.json", str(teacher), "Distilling needs the teacher's.")
    if len(there) == 2 and _meaning(there[0]) != _meaning(there[1]):
        raise ReductionError(
            "Teacher and student have different tokenizers",
            f"{found[1]} and {found[0]}",
            "Their logits are about different tokens: take a student that was pruned from this teacher, "
            "or one with its tokenizer.",
        )
    return there[0]


def _meaning(path: Path) -> Any:
    """All of a tokenizer that decides which tokens a text becomes."""
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        return {key: whole.get(key) for key in ("added_tokens", "normalizer", "pre_tokenizer", "model")}
    except (ValueError, AttributeError, OSError) as problem:
        raise ReductionError(f"The tokenizer cannot be read: {problem}", str(path), "Copy it anew.") from None


def _require_vocabulary(teacher: Any, student: Any, tokenizer: Path) -> None:
    sizes = teacher.config.vocab_size, student.config.vocab_size
    if sizes[0] != sizes[1]:
        raise ReductionError(
            f"The teacher's vocabulary has {sizes[0]:,} tokens, the student's {sizes[1]:,}",
            "config.json",
            "Distilling compares logits token by token: both need the same vocabulary.",
        )
    named = open_tokenizer(tokenizer).get_vocab_size()
    if named > sizes[0]:
        raise ReductionError(
            f"The tokenizer has {named:,} tokens, the models {sizes[0]:,}", str(tokenizer), "Copy it anew."
        )


def _require_targets(sampling: Sampling, task: Distillation) -> None:
    if not sampling.teaches:
        raise ReductionError(
            f"No line has anything to foretell in its first {task.longest:,} tokens",
            f"--data {task.data}, --longest",
            "Give texts of two tokens or more, and a --longest that reaches past the prompts.",
        )


def _plotter(folder: Path) -> Callable[[int, Any], Mapping[str, Any]]:
    def plot(step: int, model: Any) -> Mapping[str, Any]:
        if (folder / LOG).is_file():
            plot_losses({"student": folder / LOG}, folder.parent / _CURVE)
        return {}

    return plot


def _finish(student: Any, task: Distillation, origin: Origin | None, run: Path) -> None:
    """Leave the checkpoint: config, tokenizer and weights, which come last; then the state of the run goes."""
    making = run / "finished"
    with checkpoints.writing(run):
        student.save_pretrained(making)
    for name in _CARRIED:
        sources = [folder / name for folder in (task.student, task.teacher) if (folder / name).is_file()]
        if sources:
            shutil.copyfile(sources[0], making / name)
    if origin is not None:
        origin.write(making)
    shutil.copyfile(run / LOG, making / LOG)
    for path in sorted(making.iterdir(), key=lambda path: path.name == _WEIGHTS):
        os.replace(path, task.output / path.name)
    run_folder.end(run)


def _summary(log: Path) -> Mapping[str, Any]:
    rows = [row for row in map(json.loads, log.read_text(encoding="utf-8").splitlines()) if "loss" in row]
    return {key: rows[-1][key] for key in ("step", "tokens", "seconds", "loss")}
