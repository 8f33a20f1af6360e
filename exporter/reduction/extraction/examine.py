"""Examines an extraction model: `python -m exporter.reduction.extraction.examine MODEL [--kinds trip] [--wrong FILE]`.

Held-out templates with held-out values and hand-written messages, in each language, greedily and in float32; with
`--mixtures N` also known templates or known values, which tell whether a model lacks wordings, words, or training.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from exporter.errors import exit_code_of
from exporter.reduction.extraction.evaluate import Scores, answers, parsed, scores
from exporter.reduction.extraction.examples import (
    Example,
    held_out_examples,
    mixed_examples,
    written_examples,
)
from exporter.reduction.extraction.schema import ALL_KINDS, KINDS, LANGUAGES
from exporter.reduction.extraction.tokenizer import null_of
from exporter.reduction.tokenizer_file import open_tokenizer
from exporter.reduction.training.begun import decisive, digest
from exporter.reduction.training.loading import load_decoder
from exporter.reduction.training.recipe import margin

HELD_OUT = 300
# Name, whether templates are held out, whether values are.
_MIXTURES = (
    ("known templates, known values", False, False),
    ("known templates, new values", False, True),
    ("new templates, known values", True, False),
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(argv)
    if options.null_margin and options.json:
        parser.error("--json is for scores of the model itself, without --null-margin")
    return exit_code_of("examine", lambda: _examine(options))


def _examine(options: argparse.Namespace) -> None:
    model, tokenizer = loaded(options.model)
    if options.null_margin:
        _disfavour(model, null_of(tokenizer), options.null_margin)
    wrong: list[dict[str, Any]] = []
    rows = {}
    asked = chain(
        examined_sets(options.kinds, options.held_out, options.written),
        _mixtures(options.kinds, options.mixtures),
    )
    for name, examples in asked:
        made = answers(model, tokenizer, examples)
        rows[name] = scores(examples, made)
        wrong += [_mistake(name, each, text) for each, text in zip(examples, made, strict=True)]
        print(_line(name, rows[name]), flush=True)
    if options.wrong:
        lines = [json.dumps(each, ensure_ascii=False) for each in wrong if each["said"] != each["true"]]
        options.wrong.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if options.json:
        sets = {name: each.to_json() for name, each in rows.items()}
        found = {"checkpoint": digest(decisive(options.model)), "sets": sets}
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def loaded(folder: Path) -> tuple[Any, Any]:
    """The model in float32, and its tokenizer; raises what `load_decoder` and `open_tokenizer` do."""
    return load_decoder(folder).eval(), open_tokenizer(folder / "tokenizer.json")


def _disfavour(model: Any, token: int, nats: float) -> None:
    """Take `nats` from the logit of `token` in all that the model's head says, whoever asks it."""
    taken = nats * getattr(model.config, "logits_scaling", 1.0)

    def lower(head: Any, given: Any, said: Any) -> Any:
        said[..., token] -= taken
        return said

    model.get_output_embeddings().register_forward_hook(lower)


def examined_sets(
    kinds: Sequence[str], held_out: int, written: int | None = None
) -> Iterator[tuple[str, list[Example]]]:
    """Each language's two test sets, by name; of the messages by hand `written`, or all."""
    for code in LANGUAGES:
        yield f"held-out {code}", held_out_examples(code, held_out, kinds=kinds)
        yield f"written {code}", written_examples(code, kinds, written)


def _mixtures(kinds: Sequence[str], count: int) -> Iterator[tuple[str, list[Example]]]:
    """What training draws from, by name, `count` messages of each language; none if that is 0."""
    for name, templates, values in _MIXTURES if count else ():
        for code in LANGUAGES:
            yield (
                f"{name} {code}",
                mixed_examples(code, count, kinds, new_templates=templates, new_values=values),
            )


def _line(name: str, found: Scores) -> str:
    return f"{name:32}  {found.count:4} messages  exact {found.exact:6.1%}  F1 {found.f1:6.1%}  JSON {found.valid:6.1%}"


def _mistake(name: str, example: Example, text: str) -> dict[str, Any]:
    truth = {field: example.values.get(field) for field in example.fields}
    return {
        "set": name,
        "kind": example.kind,
        "message": example.message,
        "true": truth,
        "said": parsed(text),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="checkpoint folder")
    parser.add_argument("--kinds", nargs="+", choices=ALL_KINDS, default=list(KINDS))
    parser.add_argument(
        "--held-out", type=int, default=HELD_OUT, metavar="N", help="of each language (%(default)s)"
    )
    parser.add_argument("--written", type=int, metavar="N", help="by hand, of each language (default: all)")
    parser.add_argument(
        "--mixtures", type=int, default=0, metavar="N", help="also known templates or values (default: none)"
    )
    parser.add_argument(
        "--null-margin",
        type=margin,
        default=0.0,
        metavar="NATS",
        help="taken from the logit of null, or given to it if negative: is it said too readily? (default: none)",
    )
    parser.add_argument("--wrong", type=Path, metavar="FILE", help="write the wrong answers there, as JSONL")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores there")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
