"""The commands that make models smaller, as the command line takes them: prune, distill."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from exporter.errors import OutputError
from exporter.reduction.training.recipe import share

# Makes a command of a name, its purpose and examples.
MakeCommand = Callable[[str, str, Sequence[str]], argparse.ArgumentParser]


def add_commands(make: MakeCommand) -> None:
    """Add them all to the command line."""
    _add_prune(make)
    _add_distill(make)


def _add_prune(make: MakeCommand) -> None:
    examples = [
        "build/model -o build/half --to 50% --calibration texts.txt",
        "build/model --to hidden=192,mlp=75%,layers=6 --dry-run",
    ]
    command = make("prune", "Cut out of a checkpoint what matters least. Needs `make setup`.", examples)
    command.add_argument("source", help="checkpoint folder, hub id (owner/name) or minilm")
    command.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="new checkpoint folder; needed unless --dry-run"
    )
    command.add_argument(
        "--to",
        required=True,
        metavar="SIZES",
        help="what to keep: 50%% keeps half of all parameters; or by name, each as a number or a share of what is "
        "there: layers, hidden, mlp, heads, kv_heads, mamba_heads, mamba_channels, experts, expert_mlp (of encoders "
        "layers and mlp alone): hidden=192,mlp=75%% keeps 192 channels and three quarters of the neurons",
    )
    command.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="texts like those that the model will read, some hundreds: one a line, or in a file named .jsonl "
        'JSON with "text" in each line; needed unless --dry-run',
    )
    command.add_argument(
        "--seed", type=int, default=0, help="which texts are drawn where there are over 1,024 (default: 0)"
    )
    command.add_argument(
        "--dry-run", action="store_true", help="write nothing: say what would go and what it saves"
    )
    command.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def _add_distill(make: MakeCommand) -> None:
    command = make(
        "distill",
        "Train a smaller checkpoint to say what a larger one says. Needs `make setup`.",
        [
            "--teacher build/model --student build/half --data texts.jsonl -o build/student --steps 2000",
            "--teacher build/model --student build/half --data texts.txt -o build/student --hidden-loss 0.5",
        ],
    )
    student = "smaller checkpoint folder to begin with, such as prune makes; it stays as it is"
    for name, text in (("--teacher", "checkpoint folder to learn from"), ("--student", student)):
        command.add_argument(name, type=Path, required=True, metavar="DIR", help=text)
    command.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FILE",
        help='texts, one a line; or in a file named .jsonl JSON in each line, with "text", or "prompt" and '
        '"completion", which alone is learnt, each as it stands (chat template and end token included)',
    )
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="checkpoint folder to make; the same command goes on there after it was stopped",
    )
    _add_recipe(command)
    command.add_argument(
        "--temperature",
        type=_number,
        default=1.0,
        help="of both distributions; above 1 unlikely tokens count more (default: %(default)s)",
    )
    command.add_argument(
        "--label-loss",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="from 0 to 1: how much the data's own tokens count in the teacher's place (default: 0)",
    )
    command.add_argument(
        "--hidden-loss",
        type=_weight,
        default=0.0,
        metavar="WEIGHT",
        help="above 0, layers become like the teacher's, too; 0.5 is usual (default: 0)",
    )
    command.add_argument("--json", action="store_true", help="print one JSON document at the end")


def _add_recipe(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--steps", type=_positive, default=1000, help="updates of the weights (default: %(default)s)"
    )
    command.add_argument("--batch", type=_positive, default=64, help="texts a step (default: %(default)s)")
    command.add_argument(
        "--tokens",
        type=_positive,
        default=4096,
        help="computed at a time; fewer need less memory and change nothing else (default: %(default)s)",
    )
    command.add_argument(
        "--longest",
        type=_positive,
        default=1024,
        help="tokens, after which a text is cut (default: %(default)s)",
    )
    command.add_argument(
        "--learning-rate", type=_number, default=1e-3, help="at its highest (default: %(default)s)"
    )
    command.add_argument(
        "--warm-up",
        type=_count,
        default=100,
        metavar="STEPS",
        help="in which the rate rises from 0 (default: %(default)s)",
    )
    command.add_argument(
        "--cool-down",
        type=_count,
        metavar="STEPS",
        help="in which it falls to 0 at the end (default: a third of the steps)",
    )
    command.add_argument("--mixed-precision", choices=("no", "bf16"), default="no", help="(default: no)")
    command.add_argument(
        "--compile",
        action="store_true",
        help="dense Granite hybrids on a CPU, too, which pays in long runs; needs a C++ compiler",
    )
    command.add_argument(
        "--workers", type=_count, default=0, help="processes that read ahead (default: none)"
    )
    command.add_argument(
        "--save-every",
        type=_positive,
        default=100,
        metavar="STEPS",
        help="keep a checkpoint to go on from, after a stop or a kill (default: %(default)s)",
    )
    command.add_argument(
        "--seed", type=_count, default=0, help="of the order of texts (default: %(default)s)"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


def _number(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0")
    return number


def _weight(text: str) -> float:
    return float(text) if float(text) == 0 else _number(text)


def _prune(arguments: argparse.Namespace) -> int:
    from exporter.progress import Progress
    from exporter.reduction.pruning import prune

    if arguments.output is None and not arguments.dry_run:
        raise OutputError("There is no folder to write to", "--output", "Give one, or say --dry-run.")
    output = None if arguments.dry_run else arguments.output
    progress = Progress(quiet=arguments.json)
    done = prune(arguments.source, output, arguments.to, arguments.calibration, arguments.seed, progress)
    print(json.dumps(done.to_json()) if arguments.json else done.table())
    return 0


def _distill(arguments: argparse.Namespace) -> int:
    from accelerate import PartialState

    from exporter.progress import Progress
    from exporter.reduction.distillation.distill import Distillation, distill
    from exporter.reduction.distillation.objectives import Objective
    from exporter.reduction.training.recipe import Recipe

    steps = arguments.steps
    recipe = Recipe(
        steps=steps,
        learning_rate=arguments.learning_rate,
        warm_up=arguments.warm_up,
        cool_down=steps // 3 if arguments.cool_down is None else arguments.cool_down,
        save_every=arguments.save_every,
        seed=arguments.seed,
        mixed_precision=arguments.mixed_precision,
        workers=arguments.workers,
        compiled=arguments.compile,
    )
    objective = Objective(arguments.temperature, arguments.label_loss, arguments.hidden_loss)
    names = ("teacher", "student", "data", "output", "batch", "tokens", "longest")
    task = Distillation(**{name: getattr(arguments, name) for name in names})
    done = distill(task, recipe, objective, Progress(quiet=arguments.json).say)
    if not PartialState().is_main_process:
        return 0
    if arguments.json:
        print(json.dumps({"folder": str(arguments.output), **done}))
        return 0
    print(f"{arguments.output}: {done['step']:,} steps, {done['tokens']:,} tokens, loss {done['loss']:.4f}")
    print(f"next: thistledown export {arguments.output} -o ARTIFACT")
    return 0


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {"distill": _distill, "prune": _prune}
