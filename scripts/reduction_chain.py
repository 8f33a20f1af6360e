"""Takes the extraction model through prune, distill, LoRA and quantize, and measures every step.

python -m scripts.reduction_chain build/chain [--write]

Data and checkpoints that were made before in the folder are not made again, so a run that was stopped goes on; with
another teacher or other settings it is refused there. --write puts the table and the curves into docs/reduction.md;
--short is a rehearsal of a few steps and messages, as the test runs it.
"""

import argparse
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from exporter.adapters import make_adapter, merge_lora
from exporter.errors import exit_code_of
from exporter.export_options import ExportOptions
from exporter.pipeline import export
from exporter.progress import Progress
from exporter.reduction.distillation.distill import Distillation, distill
from exporter.reduction.distillation.objectives import Objective
from exporter.reduction.extraction import train_adapter, write_data
from exporter.reduction.extraction.model import write_fresh
from exporter.reduction.extraction.schema import ADDED_KINDS, KINDS
from exporter.reduction.pruning import prune
from exporter.reduction.training.plots import plot_losses
from exporter.reduction.training.recipe import Recipe, share
from exporter.report import measure_artifact
from scripts.chain_identity import begin, identity_of
from scripts.extraction_scores import measure, speed
from scripts.reduction_table import rewritten

ROOT = Path(__file__).resolve().parents[1]
PAGE, TABLE = ROOT / "docs" / "reduction.md", ROOT / "docs" / "reduction.json"
# Half of the parameters, and no layer goes; of three shapes the fastest, and it learns as well (ARCHITECTURE.md).
HALF = "mamba_heads=8,kv_heads=3,mlp=48"
NEW_KIND = next(iter(ADDED_KINDS))
# Thin enough for 2 % of the base: the matrices that mix tokens.
ADAPTED = ("q_proj", "k_proj", "v_proj", "o_proj", "in_proj", "out_proj")


@dataclass(frozen=True)
class Settings:
    """Sizes of a run; `messages` of each language's held-out templates, and at most as many by hand, are measured,
    and of a wrong answer `longest` tokens."""

    teacher: Path
    folder: Path
    to: str = HALF
    examples: int = 400_000
    steps: int = 400
    batch: int = 512
    tokens: int = 4096
    rank: int = 2
    adapter_steps: int = 300
    adapter_batch: int = 128
    messages: int = 150
    longest: int = 200
    workers: int = 0
    mixed_precision: str = "no"
    compile: bool = False
    hardest: float = 1.0
    calm: float = 0.6


# What may change when a chain goes on: places, of which nothing is told; how fast it is made, and what is measured.
_PLACES = ("teacher", "folder")
_FREE = ("messages", "longest", "workers", "compile")
# Of each language: wgpu on a CPU decodes slowly.
_AT_RUN_TIME = 10

SHORT: Mapping[str, Any] = {
    "examples": 40,
    "steps": 2,
    "batch": 4,
    "adapter_steps": 2,
    "adapter_batch": 4,
    "messages": 1,
    "longest": 8,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(argv)
    if options.short and options.write:
        parser.error("--write is not for --short, whose few steps and messages tell nothing")
    given = {name: value for name, value in vars(options).items() if name not in ("short", "write")}
    settings = Settings(**given)
    if options.short:
        settings = replace(settings, **SHORT)
    return exit_code_of("reduction_chain", lambda: _make_table(settings, options.write))


def _make_table(settings: Settings, write: bool) -> None:
    """Leave it in the folder, and with `write` in docs/, too."""
    table = run(settings, Progress())
    text = json.dumps(table, indent=1) + "\n"
    (settings.folder / "table.json").write_text(text, encoding="utf-8")
    if write:
        TABLE.write_text(text, encoding="utf-8")
        PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), table), encoding="utf-8")
        logs = {name: settings.folder / name / "log.jsonl" for name in ("distilled", "scratch")}
        plot_losses(logs, PAGE.parent / "reduction-loss.svg")


def run(settings: Settings, progress: Progress) -> Mapping[str, Any]:
    """Make what is missing, and measure it all. Raises ReductionError where the folder holds something else."""
    given = {name: value for name, value in asdict(settings).items() if name not in _PLACES}
    free = {name: given.pop(name) for name in _FREE}
    identity = identity_of(settings.teacher, given)
    begin(settings.folder, identity)
    steps = {"teacher": settings.teacher, **_smaller(settings, progress)}
    # Quickly made anew, so that rows are of the checkpoints that are there now.
    for name in ("artifacts", "merged"):
        shutil.rmtree(settings.folder / name, ignore_errors=True)
    shown = [(name, path, "f16") for name, path in steps.items()]
    shown += [("distilled", steps["distilled"], scheme) for scheme in ("q8", "q4")]
    return {
        "settings": {**identity, **free},
        "rows": [_timed_row(*each, settings, progress) for each in shown],
        "adapter": _adapter(steps["distilled"], settings, progress),
    }


def _smaller(settings: Settings, progress: Progress) -> dict[str, Path]:
    """The checkpoints between the teacher and the adapter: pruned, distilled, and the same shape from scratch."""
    names = ("pruned", "distilled", "scratch")
    made = {name: settings.folder / name for name in names}
    data, texts, fresh = (settings.folder / name for name in ("data.jsonl", "texts.jsonl", "fresh"))
    made_of = ["--count", str(settings.examples), "--calm", str(settings.calm)]
    _once(data, lambda: write_data.main([str(data), *made_of]))
    _once(texts, lambda: write_data.main([str(texts), "--count", "400", "--seed", "5", "--text"]))
    teacher = str(settings.teacher)
    _once(made["pruned"], lambda: prune(teacher, made["pruned"], settings.to, texts, 0, progress))
    _once(fresh, lambda: write_fresh(made["pruned"], fresh))
    _distilled(settings, made["pruned"], data, made["distilled"], Objective(), progress)
    _distilled(settings, fresh, data, made["scratch"], Objective(cross_entropy=1.0), progress)
    return made


def _once(path: Path, make: Callable[[], object]) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        make()


def _distilled(
    settings: Settings, student: Path, data: Path, output: Path, objective: Objective, progress: Progress
) -> None:
    if (output / "model.safetensors").exists():
        return
    recipe = Recipe(
        steps=settings.steps,
        learning_rate=2e-3,
        warm_up=min(50, settings.steps // 4),
        cool_down=settings.steps // 2,
        workers=settings.workers,
        mixed_precision=settings.mixed_precision,
        compiled=settings.compile,
        hardest=settings.hardest,
    )
    task = Distillation(settings.teacher, student, data, output, settings.batch, settings.tokens)
    distill(task, recipe, objective, progress.say)


def _timed_row(
    name: str, checkpoint: Path, scheme: str, settings: Settings, progress: Progress
) -> Mapping[str, Any]:
    row = _row(name, checkpoint, scheme, tuple(KINDS), settings, progress)
    folder = _artifact(name, checkpoint, scheme, settings, progress)
    return {**row, "tokens_per_second": speed(folder, checkpoint)}


def _row(
    name: str, checkpoint: Path, scheme: str, kinds: Sequence[str], settings: Settings, progress: Progress
) -> Mapping[str, Any]:
    folder = _artifact(name, checkpoint, scheme, settings, progress)
    found = measure(folder, checkpoint, kinds, settings.messages, settings.longest)
    report = measure_artifact(folder)
    row = {"step": name, "scheme": scheme, "parameters": report.parameters, "bytes": report.model_visit}
    return {**row, **asdict(found)}


def _artifact(name: str, checkpoint: Path, scheme: str, settings: Settings, progress: Progress) -> Path:
    folder = settings.folder / "artifacts" / f"{name}-{scheme}"
    options = ExportOptions(str(checkpoint), folder, scheme, context=1024)
    _once(folder, lambda: export(options, progress))
    return folder


def _adapter(base: Path, settings: Settings, progress: Progress) -> Mapping[str, Any]:
    """The new kind: the base alone, the merged checkpoint, and the adapter put over the q8 base at run time."""
    run_folder, merged = settings.folder / "adapter", settings.folder / "merged"
    peft = run_folder / "adapter"
    _once(peft, lambda: train_adapter.teach(_asked_of_adapter(base, run_folder, settings)))
    _once(merged, lambda: merge_lora(str(base), peft, merged))
    artifact, over = (settings.folder / "artifacts" / name for name in ("distilled-q8", "adapter"))
    _once(over, lambda: make_adapter(artifact, peft, over))
    shard = _manifest(over)["shard"]["bytes"]
    few = replace(settings, messages=min(_AT_RUN_TIME, settings.messages))
    return {
        "kind": NEW_KIND,
        "bytes": shard,
        "share": shard / sum(one["bytes"] for one in _manifest(artifact)["shards"]),
        "before": _row("distilled", base, "f16", [NEW_KIND], settings, progress),
        "merged": _row("merged", merged, "f16", [NEW_KIND], settings, progress),
        "merged q8": _row("merged", merged, "q8", [NEW_KIND], few, progress),
        "at run time": asdict(measure(artifact, base, [NEW_KIND], few.messages, few.longest, over)),
    }


def _asked_of_adapter(base: Path, run_folder: Path, settings: Settings) -> list[str]:
    """The words of the command that trains it."""
    return [
        str(base),
        str(run_folder),
        f"--rank={settings.rank}",
        f"--steps={settings.adapter_steps}",
        f"--batch={settings.adapter_batch}",
        f"--tokens={settings.tokens}",
        f"--workers={settings.workers}",
        f"--mixed-precision={settings.mixed_precision}",
        f"--hardest={settings.hardest}",
        "--learning-rate=1e-2",
        *(["--compile"] if settings.compile else []),
        "--targets",
        *ADAPTED,
    ]


def _manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    model = ROOT / "exporter" / "reduction" / "extraction" / "thistledown-extract"
    parser.add_argument("folder", type=Path, help="where everything is made")
    parser.add_argument("--teacher", type=Path, default=model, metavar="DIR", help="checkpoint to begin with")
    for name in ("examples", "steps", "batch", "tokens", "rank", "messages", "longest", "workers"):
        parser.add_argument(
            f"--{name}", type=int, default=getattr(Settings, name), help="(default: %(default)s)"
        )
    for name in ("adapter_steps", "adapter_batch"):
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=int, default=getattr(Settings, name), help="(default: %(default)s)")
    parser.add_argument(
        "--to", default=HALF, metavar="SIZES", help="what to prune to, as of prune (default: %(default)s)"
    )
    for name, what in (("hardest", "of a step's batches"), ("calm", "of messages")):
        default = getattr(Settings, name)
        parser.add_argument(
            f"--{name}",
            type=share,
            default=default,
            metavar="SHARE",
            help=f"{what}, as of train (%(default)s)",
        )
    parser.add_argument("--mixed-precision", choices=("no", "bf16"), default="no")
    parser.add_argument("--compile", action="store_true", help="on a CPU, too: pays in runs of some hours")
    parser.add_argument("--short", action="store_true", help="a rehearsal: a few steps and messages")
    parser.add_argument("--write", action="store_true", help="rewrite docs/reduction.md")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
