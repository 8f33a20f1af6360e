"""Teaches one more kind of message: `python -m exporter.reduction.extraction.train_adapter BASE FOLDER --kind trip`.

A LoRA adapter of peft's on every matrix of the layers; the base does not change. FOLDER/adapter is the adapter.
"""

import argparse
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from exporter.artifact import atomic_folder
from exporter.errors import exit_code_of
from exporter.reduction.extraction.examine import loaded
from exporter.reduction.extraction.schema import ADDED_KINDS, KINDS
from exporter.reduction.extraction.sequences import step_batches
from exporter.reduction.extraction.train import add_run_options, recipe_of
from exporter.reduction.training import begun
from exporter.reduction.training.loop import Run
from exporter.reduction.training.losses import cross_entropy

_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "in_proj", "out_proj", "input_linear", "output_linear"]
# Of the new kind so many for each of the known, so that those are not forgotten.
_NEW = 3 * len(KINDS)


def main(argv: Sequence[str] | None = None) -> int:
    return exit_code_of("train_adapter", lambda: teach(argv))


def teach(argv: Sequence[str] | None) -> None:
    """Train it. Raises ReductionError where the folder has a run on another base, or of another kind."""
    import torch
    from peft import LoraConfig, get_peft_model

    options = _parser().parse_args(argv)
    decides = {name: getattr(options, name) for name in ("kind", "rank", "targets", "seed")}
    identity = {"base": begun.digest(begun.decisive(options.base)), **decides}
    begun.require_same_run(options.folder, identity)
    model, tokenizer = loaded(options.base)
    torch.manual_seed(options.seed)
    config = LoraConfig(r=options.rank, lora_alpha=2 * options.rank, target_modules=options.targets)
    adapted = get_peft_model(model, config)
    kinds = (*(options.kind,) * _NEW, *KINDS)
    run = Run(adapted.base_model.model, recipe_of(options), options.folder)
    begun.begin(run, identity)
    data = partial(step_batches, tokenizer, options.tokens, options.batch, kinds=kinds)
    run.train(data, cross_entropy, lambda line: print(line, flush=True))
    if run.accelerator.is_main_process:
        write_adapter(adapted, options.folder / "adapter")


def write_adapter(adapted: Any, folder: Path) -> None:
    """Save the adapter of a model of peft's, whole or not at all, in place of what an earlier call left there."""
    # The run's own checkpoint stays, so that a kill after this loses nothing.
    shutil.rmtree(folder, ignore_errors=True)
    with atomic_folder(folder) as making:
        adapted.save_pretrained(making)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base", type=Path, help="checkpoint folder")
    parser.add_argument("folder", type=Path, help="of the run")
    parser.add_argument("--kind", choices=ADDED_KINDS, default=next(iter(ADDED_KINDS)))
    parser.add_argument("--rank", type=int, default=4, help="(default: %(default)s)")
    parser.add_argument("--targets", nargs="+", choices=_TARGETS, default=_TARGETS, help="(default: all)")
    add_run_options(parser)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
