"""Writes examples as data for distillation: `python -m exporter.reduction.extraction.write_data FILE --count N`.

Each line is JSON of "prompt" and "completion", or with --text of both in one "text".
"""

import argparse
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from exporter.reduction.extraction.examples import training_examples
from exporter.reduction.extraction.prompts import END
from exporter.reduction.extraction.schema import ALL_KINDS, KINDS
from exporter.reduction.training.recipe import share


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    making = options.file.with_suffix(".making")
    with making.open("w", encoding="utf-8") as file:
        for example in islice(training_examples(options.seed, options.kinds, options.calm), options.count):
            parts = {"prompt": example.prompt, "completion": example.answer + END}
            row = {"text": "".join(parts.values())} if options.text else parts
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    making.replace(options.file)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--count", type=int, default=100_000, help="examples (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=2_000_000, help="(default: %(default)s)")
    parser.add_argument("--kinds", nargs="+", choices=ALL_KINDS, default=list(KINDS))
    parser.add_argument(
        "--calm", type=share, default=0.0, metavar="SHARE", help="as of train (default: none)"
    )
    parser.add_argument("--text", action="store_true", help="prompt and answer in one, as for calibration")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
