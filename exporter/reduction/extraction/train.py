"""Trains the extraction model: `python -m exporter.reduction.extraction.train FOLDER [--steps N] [--batch N]`.

A run that was killed goes on where its last checkpoint ends, exactly: what a step reads depends on its number alone.
`accelerate launch -m exporter.reduction.extraction.train ...` runs it in many processes, or on many GPUs.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from exporter.reduction.extraction.evaluate import answers, scores
from exporter.reduction.extraction.examples import (
    Example,
    held_out_examples,
    training_examples,
    written_examples,
)
from exporter.reduction.extraction.model import new_model
from exporter.reduction.extraction.prompts import END
from exporter.reduction.extraction.schema import LANGUAGES
from exporter.reduction.extraction.tokenizer import train_tokenizer, write_tokenizer
from exporter.reduction.training.batches import Batch, Tokens, packed
from exporter.reduction.training.fast_mamba import fast_mamba
from exporter.reduction.training.loop import Run
from exporter.reduction.training.losses import cross_entropy
from exporter.reduction.training.recipe import Recipe

# Seeds of steps lie far from those of the tokenizer and of tests.
_FIRST_SEED = 1_000_000
# Of a row: four examples or so, and little is left over.
_WIDTH = 512


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    recipe = Recipe(
        steps=options.steps,
        learning_rate=options.learning_rate,
        cool_down=options.steps // 4,
        save_every=options.save_every,
        seed=options.seed,
        mixed_precision=options.mixed_precision,
        workers=options.workers,
    )
    train(options.folder, recipe, options.batch, options.tokens, options.watch)
    return 0


def train(folder: Path, recipe: Recipe, batch: int, most_tokens: int, watch: int = 0) -> None:
    """Train for `recipe.steps` steps of `batch` examples, and leave a checkpoint for transformers in `folder`/model."""
    from tokenizers import Tokenizer

    target = folder / "model"
    target.mkdir(parents=True, exist_ok=True)
    if not (target / "tokenizer.json").exists():
        write_tokenizer(train_tokenizer(), target)
    tokenizer = Tokenizer.from_file(str(target / "tokenizer.json"))
    model: Any = new_model(tokenizer.get_vocab_size(), end_of(tokenizer), recipe.seed)
    with fast_mamba():
        run = Run(model, recipe, folder)
        run.train(
            partial(step_batches, tokenizer, most_tokens, batch),
            cross_entropy,
            lambda line: print(line, flush=True),
            (lambda step, trained: watched(trained, tokenizer, watch)) if watch else None,
        )
    if run.accelerator.is_main_process:
        model.save_pretrained(target)


def step_batches(tokenizer: Any, most_tokens: int, count: int, step: int) -> list[Batch]:
    """What a step reads: `count` examples in batches of at most `most_tokens`."""
    examples = islice(training_examples(_FIRST_SEED + step), count)
    sequences = [tokens(tokenizer, each) for each in examples]
    return packed(sequences, most_tokens, end_of(tokenizer), min(_WIDTH, most_tokens))


def tokens(tokenizer: Any, example: Example) -> Tokens:
    """The example's ids: prompt, answer, end; the answer and the end are to be foretold."""
    before = tokenizer.encode(example.prompt).ids
    after = tokenizer.encode(example.answer).ids
    return Tokens([*before, *after, end_of(tokenizer)], len(before))


def end_of(tokenizer: Any) -> int:
    """The token that ends an answer."""
    return int(tokenizer.token_to_id(END))


def watched(model: Any, tokenizer: Any, count: int) -> dict[str, Any]:
    """Scores of `count` held-out and as many hand-written messages of each language."""
    found: dict[str, Any] = {}
    for code in LANGUAGES:
        for name, examples in (
            ("held", held_out_examples(code, count)),
            ("written", written_examples(code)[:count]),
        ):
            made = answers(model, tokenizer, [each.prompt for each in examples])
            found[f"{name}_{code}"] = scores(examples, made).to_json()
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", type=Path, help="of the run: its checkpoint, its log, and at the end model/"
    )
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=64, help="examples a step (%(default)s)")
    parser.add_argument("--tokens", type=int, default=4096, help="at once, of a step (%(default)s)")
    parser.add_argument("--workers", type=int, default=0, help="processes that make examples (%(default)s)")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument(
        "--watch", type=int, default=0, help="messages of each test set to score at each save"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mixed-precision", choices=("no", "bf16"), default="no")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
