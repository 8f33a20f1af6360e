"""Averages extraction models: `python -m exporter.reduction.extraction.average OUTPUT MODEL MODEL [--half]`.

Weights of runs that went on from each other lie in one valley, and their mean is often better than each (model soups:
Wortsman et al., arXiv 2203.05482). One model alone is taken as it is.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exporter.artifact import atomic_folder, check_target
from exporter.errors import ReductionError, exit_code_of
from exporter.reduction.extraction.examine import loaded
from exporter.reduction.training.recipe import share

_CARRIED = ("tokenizer.json", "tokenizer_config.json", "generation_config.json")


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    return exit_code_of("average", lambda: _average(options))


def _average(options: argparse.Namespace) -> None:
    check_target(options.output, overwrite=False)
    shares = _shares_of(options)
    model, _ = loaded(options.models[0])
    _mix(model, options.models, shares)
    with atomic_folder(options.output) as making:
        (_halved(model) if options.half else model).save_pretrained(making)
        for name in _CARRIED:
            if (source := options.models[0] / name).is_file():
                shutil.copyfile(source, making / name)
    parts = [f"{part:g} of {path}" for path, part in zip(options.models, shares, strict=True)]
    print(f"{options.output}: {', '.join(parts)}")


def _shares_of(options: argparse.Namespace) -> list[float]:
    """One share for each model. Raises ReductionError where they are not as many, or not one in sum."""
    count = len(options.models)
    shares: list[float] = options.shares or [1 / count] * count
    if len(shares) != count or abs(sum(shares) - 1) > 1e-6:
        raise ReductionError(
            f"{len(shares)} shares of {sum(shares):g} in sum for {count} models",
            "--shares",
            "Give one for each model, in their order, one in sum.",
        )
    return shares


def _mix(model: Any, folders: Sequence[Path], shares: Sequence[float]) -> None:
    """Put the weighted mean of the folders' weights into the model, which is that of the first folder."""
    import torch

    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for each in parameters.values():
            each *= shares[0]
        for folder, part in zip(folders[1:], shares[1:], strict=True):
            _require_alike(folders[0], folder)
            for name, values in loaded(folder)[0].named_parameters():
                parameters[name] += part * values


def _require_alike(first: Path, other: Path) -> None:
    """Raises ReductionError unless both have one shape and one tokenizer."""
    configs = [
        json.loads((folder / "config.json").read_bytes()) | {"dtype": None} for folder in (first, other)
    ]
    tokenizers = [(folder / "tokenizer.json").read_bytes() for folder in (first, other)]
    if configs[0] != configs[1] or tokenizers[0] != tokenizers[1]:
        raise ReductionError(
            f"Its shape or its tokenizer is not that of {first}",
            str(other),
            "Average checkpoints of one family.",
        )


def _halved(model: Any) -> Any:
    """The model in float16. Raises ReductionError where a weight is beyond it."""
    half = model.half()
    for name, values in half.named_parameters():
        if not values.isfinite().all():
            raise ReductionError("A weight is too large for float16", name, "Leave out --half.")
    return half


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path, help="folder of the checkpoint to make")
    parser.add_argument("models", type=Path, nargs="+", help="checkpoint folders of one shape and tokenizer")
    parser.add_argument(
        "--shares", type=share, nargs="+", metavar="SHARE", help="of each model (default: all the same)"
    )
    parser.add_argument("--half", action="store_true", help="write float16 (default: float32)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
