"""Trains the extraction model: `python -m exporter.reduction.extraction.train FOLDER [--steps N] [--batch N]`.

A run that was killed goes on where its last checkpoint ends, exactly: what a step reads depends on its number alone.
`accelerate launch -m exporter.reduction.extraction.train ...` runs it in many processes, or on many GPUs.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from exporter.errors import exit_code_of
from exporter.reduction.extraction.evaluate import answers, scores
from exporter.reduction.extraction.examine import loaded
from exporter.reduction.extraction.examples import held_out_examples, written_examples
from exporter.reduction.extraction.model import new_model
from exporter.reduction.extraction.schema import LANGUAGES
from exporter.reduction.extraction.sequences import end_of, step_batches
from exporter.reduction.extraction.tokenizer import null_of, train_tokenizer, write_tokenizer
from exporter.reduction.training import begun
from exporter.reduction.training.fast_mamba import fast_mamba
from exporter.reduction.training.loop import Loss, Run
from exporter.reduction.training.losses import cross_entropy
from exporter.reduction.training.recipe import Recipe, margin, share


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    return exit_code_of("train", lambda: _train(options))


def _train(options: argparse.Namespace) -> None:
    identity = {"begin": options.begin and begun.digest(begun.decisive(options.begin)), "seed": options.seed}
    begun.require_same_run(options.folder, identity)
    model, tokenizer = _begun(options.folder / "model", options.begin, options.seed)
    drawn = {name: getattr(options, name) for name in ("calm", "plain", "languages")}
    data = partial(step_batches, tokenizer, options.tokens, options.batch, skipped=options.skip, **drawn)
    watch = partial(_watched, tokenizer, options.watch) if options.watch else None
    with fast_mamba():
        run = Run(model, recipe_of(options), options.folder)
        begun.begin(run, identity)
        run.train(data, _loss(tokenizer, options), lambda line: print(line, flush=True), watch)
    if run.accelerator.is_main_process:
        model.save_pretrained(options.folder / "model")


def _loss(tokenizer: Any, options: argparse.Namespace) -> Loss:
    """Cross-entropy, in which null counts as the options say."""
    if options.null_weight == 1 and options.null_margin == 0:
        return cross_entropy
    null = null_of(tokenizer)
    return partial(cross_entropy, weights={null: options.null_weight}, margins={null: options.null_margin})


def recipe_of(options: argparse.Namespace) -> Recipe:
    """The recipe that `add_run_options` asked for."""
    return Recipe(
        steps=options.steps,
        learning_rate=options.learning_rate,
        cool_down=options.steps // 3 if options.cool_down is None else options.cool_down,
        save_every=options.save_every,
        seed=options.seed,
        mixed_precision=options.mixed_precision,
        workers=options.workers,
        compiled=options.compile,
        dropout=options.dropout,
        hardest=options.hardest,
    )


def _begun(target: Path, begin: Path | None, seed: int) -> tuple[Any, Any]:
    """Model and tokenizer of the checkpoint `begin`, or random weights and a new tokenizer, which `target` keeps."""
    from tokenizers import Tokenizer

    target.mkdir(parents=True, exist_ok=True)
    if begin:
        model, tokenizer = loaded(begin)
        write_tokenizer(tokenizer, target)
        return model, tokenizer
    if not (target / "tokenizer.json").exists():
        write_tokenizer(train_tokenizer(), target)
    tokenizer = Tokenizer.from_file(str(target / "tokenizer.json"))
    return new_model(tokenizer.get_vocab_size(), end_of(tokenizer), seed), tokenizer


def _watched(tokenizer: Any, count: int, _: int, model: Any) -> dict[str, Any]:
    """Scores of `count` held-out and as many hand-written messages of each language."""
    found: dict[str, Any] = {}
    for code in LANGUAGES:
        for name, examples in (
            ("held", held_out_examples(code, count)),
            ("written", written_examples(code, count=count)),
        ):
            made = answers(model, tokenizer, examples)
            found[f"{name}_{code}"] = scores(examples, made).to_json()
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", type=Path, help="of the run: its checkpoint, its log, and at the end model/"
    )
    parser.add_argument(
        "--begin", type=Path, metavar="MODEL", help="checkpoint to go on from (default: none)"
    )
    parser.add_argument(
        "--watch", type=int, default=0, help="messages of each test set to score at each save"
    )
    parser.add_argument(
        "--skip",
        type=int,
        default=0,
        metavar="STEPS",
        help="whose examples an earlier run has read (default: none)",
    )
    parser.add_argument(
        "--calm",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="of messages that are one template, neither crossed, joined nor garbled (default: none)",
    )
    parser.add_argument(
        "--plain",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="of calm messages that have nothing around them, asked for all fields, as in tests (default: none)",
    )
    parser.add_argument(
        "--languages",
        nargs="+",
        choices=LANGUAGES,
        default=LANGUAGES,
        metavar="CODE",
        help="to draw messages of; one that is named twice is drawn twice as often (default: all alike)",
    )
    parser.add_argument(
        "--null-weight",
        type=share,
        default=1.0,
        metavar="SHARE",
        help="of the loss where a field has no value: less, and the model says null less often (default: all)",
    )
    parser.add_argument(
        "--null-margin",
        type=margin,
        default=0.0,
        metavar="NATS",
        help="by which null is favoured while it trains: the model itself says it as much less readily (default: none)",
    )
    add_run_options(parser)
    return parser


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """How long a run is and how it goes."""
    parser.add_argument("--steps", type=int, default=3000, help="(default: %(default)s)")
    parser.add_argument("--batch", type=int, default=512, help="examples a step (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=4096, help="at once, of a step (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=0, help="processes that make examples (default: none)")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="(default: %(default)s)")
    parser.add_argument(
        "--cool-down",
        type=int,
        metavar="STEPS",
        help="over which the rate falls to zero at the end (default: a third)",
    )
    parser.add_argument("--save-every", type=int, default=100, metavar="STEPS", help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument(
        "--dropout", type=float, default=0.0, help="of each mixer's and MLP's output (%(default)s)"
    )
    parser.add_argument(
        "--hardest",
        type=share,
        default=1.0,
        metavar="SHARE",
        help="of a step's batches to learn from, one at least, those with the largest losses (default: all)",
    )
    parser.add_argument("--compile", action="store_true", help="compile layers on a CPU, too, as on a GPU")
    parser.add_argument("--mixed-precision", choices=("no", "bf16"), default="no", help="(default: no)")


if __name__ == "__main__":
    raise SystemExit(main())
