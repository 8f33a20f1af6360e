"""Training: steps of many sequences, saved now and then, resumed exactly, ended where a loss is no number."""

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.errors import ReductionError
from exporter.reduction.training import checkpoints, granite
from exporter.reduction.training.batches import Batch
from exporter.reduction.training.hardest import hardest
from exporter.reduction.training.optimizers import make_optimizers, restore_state, state_tensors
from exporter.reduction.training.reading import Data, read
from exporter.reduction.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor

LOG = "log.jsonl"
# A loss gives that of each target of a batch (N).
Loss = Callable[[Any, Batch], "Tensor"]
Watch = Callable[[int, Any], Mapping[str, Any]]


class Run:
    """One run in `folder`, which holds its checkpoint and its log.

    With several processes (`accelerate launch`) each computes its share of a step's batches, and gradients are summed:
    the step is the same, whatever their number.
    """

    def __init__(self, model: Any, recipe: Recipe, folder: Path, few_shapes: bool = True) -> None:
        """Layers are compiled, on a GPU or where the recipe says so, only if batches have `few_shapes`."""
        import torch
        from accelerate import Accelerator

        self.recipe, self.folder = recipe, folder
        self.accelerator = Accelerator(mixed_precision=recipe.mixed_precision)
        on_gpu = self.accelerator.device.type == "cuda"
        if on_gpu:
            torch.set_float32_matmul_precision("high")
        elif recipe.compiled:
            _require_compiler()
        self.compiled = few_shapes and (on_gpu or recipe.compiled)
        self.model = model.to(self.accelerator.device)
        granite.set_options(self.model, granite.Options(self.compiled, recipe.dropout))
        self.trained = [one for one in model.parameters() if one.requires_grad]
        self.optimizers = make_optimizers(model, recipe)
        self.tokens, self.seconds = 0, 0.0
        self.last = 0.0, 0.0

    def resume(self) -> int:
        """Go on where the folder's checkpoint ends; returns the number of the next step.

        Raises ReductionError where it is damaged, or of another model.
        """
        found = checkpoints.load(self.folder)
        if found is None:
            return 0
        if found.weights.keys() != {name for name, _ in self.model.named_parameters()}:
            raise checkpoints.damaged(self.folder, "its weights have other names than the model's")
        try:
            self.model.load_state_dict(dict(found.weights), strict=False)
            restore_state(self.optimizers, found.optimizers)
            self.tokens, self.seconds = int(found.notes["tokens"]), float(found.notes["seconds"])
        except (RuntimeError, ValueError, KeyError, TypeError) as problem:
            raise checkpoints.damaged(self.folder, str(problem)) from None
        return found.step

    def train(self, data: Data, loss: Loss, say: Callable[[str], None], watch: Watch | None = None) -> None:
        """All steps that are left. Raises ReductionError where a loss or the norm of its gradients is no number."""
        self.model.train()
        began = time.monotonic()
        first = self.resume()
        if first >= self.recipe.steps and self.accelerator.is_main_process:
            say(f"all {self.recipe.steps} steps were done before: nothing is left to do")
        for step, parts in read(data, first, self.recipe.steps, self.recipe.workers):
            mean, norm = self._step(step, parts, loss)
            self.seconds += time.monotonic() - began
            done = step + 1
            if done % self.recipe.log_every == 0 or done == self.recipe.steps:
                self._log(done, mean, norm, say)
            if done % self.recipe.save_every == 0 or done == self.recipe.steps:
                self._save(done)
                if watch and self.accelerator.is_main_process:
                    self._watch(done, watch)
            began = time.monotonic()

    def _watch(self, done: int, watch: Watch) -> None:
        found = watch(done, self.model)
        if found:
            self._note({"step": done, **found})
        self.model.train()

    def _step(self, step: int, parts: Sequence[Batch], loss: Loss) -> tuple[float, float]:
        """The mean loss over the step's targets, and the norm of the gradients; those of the last step where this one
        has no targets, which changes nothing."""
        import torch

        # Chance depends on the step alone, so that a run that is resumed leaves out the same.
        torch.manual_seed(self.recipe.seed * 1_000_003 + step)
        total = sum(part.targets for part in parts)
        if not total:
            return self.last
        own = parts[self.accelerator.process_index :: self.accelerator.num_processes]
        summed = self._learn(own, total, loss)
        mean = float(self._summed(summed)) / total
        self._share_gradients()
        norm = float(torch.nn.utils.clip_grad_norm_(self.trained, self.recipe.clip))
        for what, found in (("loss", mean), ("norm of the gradients", norm)):
            if not math.isfinite(found):
                raise self._stopped(step, what)
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = self.recipe.rate(step)
            optimizer.step()
            optimizer.zero_grad()
        self.tokens += sum(part.ids.numel() for part in parts)
        self.last = mean, norm
        return self.last

    def _learn(self, parts: Sequence[Batch], total: int, loss: Loss) -> "Tensor":
        """Add up the gradients of the mean over `total` targets; returns the sum of the losses of all parts."""
        import torch

        summed = torch.zeros((), device=self.accelerator.device)
        chosen = parts
        if self.recipe.hardest < 1 and parts:
            with torch.no_grad():
                losses = [self._losses(part, loss) for part in parts]
            summed = torch.cat(losses).sum()
            chosen = hardest(parts, losses, self.recipe.hardest)
        for part in chosen:
            value = self._losses(part, loss).sum()
            if chosen is parts:
                summed += value.detach()
            (value / total).backward()
        return summed

    def _losses(self, part: Batch, loss: Loss) -> "Tensor":
        with self.accelerator.autocast():
            return loss(self.model, part.to(self.accelerator.device))

    def _share_gradients(self) -> None:
        """The sum of all processes' gradients; a process that had no batch adds zeros."""
        import torch

        if self.accelerator.num_processes > 1:
            for one in self.trained:
                one.grad = self._summed(torch.zeros_like(one) if one.grad is None else one.grad)

    def _summed(self, value: "Tensor") -> "Tensor":
        found: Tensor = self.accelerator.reduce(value, "sum")
        return found

    def _stopped(self, step: int, what: str) -> ReductionError:
        kept = checkpoints.load(self.folder)
        where = f"the checkpoint of step {kept.step} is kept" if kept else "no checkpoint was written yet"
        return ReductionError(
            f"the {what} of step {step} is no number",
            str(self.folder),
            f"{where}: lower the learning rate and run it again; if it ends there once more, begin in another folder.",
        )

    def _log(self, step: int, loss: float, norm: float, say: Callable[[str], None]) -> None:
        if self.accelerator.is_main_process:
            rate = self.tokens / max(self.seconds, 1e-9)
            self._note(
                {"step": step, "loss": loss, "norm": norm, "tokens": self.tokens, "seconds": self.seconds}
            )
            left = (self.recipe.steps - step) * self.seconds / max(1, step)
            say(
                f"step {step} of {self.recipe.steps}: loss {loss:.4f}, {rate:,.0f} tokens/s, {left / 60:.0f} min left"
            )

    def _note(self, row: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")

    def _save(self, step: int) -> None:
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            weights = {name: one.detach() for name, one in self.model.named_parameters()}
            notes = {"tokens": self.tokens, "seconds": self.seconds}
            checkpoints.save(
                self.folder, checkpoints.Checkpoint(weights, state_tensors(self.optimizers), step, notes)
            )


def _require_compiler() -> None:
    """Raises ReductionError where layers cannot be compiled on a CPU."""
    compiler = os.environ.get("CXX", "g++")
    if not shutil.which(compiler):
        raise ReductionError(
            f"Layers cannot be compiled without a C++ compiler: there is no {compiler}",
            "--compile",
            "Install one, name it in CXX, or train without --compile.",
        )
