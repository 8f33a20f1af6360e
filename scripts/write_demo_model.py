"""Rewrite docs/demo-model.md: scores that `exporter.reduction.extraction.examine --json` wrote, and the logs' curves.

python -m scripts.write_demo_model exporter/reduction/extraction/thistledown-extract/scores.json
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from exporter.reduction.training.plots import plot_losses
from scripts.reduction_table import between_marks

PAGE = Path(__file__).resolve().parents[1] / "docs" / "demo-model.md"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scores", type=Path)
    told: Path = parser.parse_args(argv).scores
    scores = json.loads(told.read_text(encoding="utf-8"))
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), scores), encoding="utf-8")
    # One of each run that the checkpoint went through.
    logs = {log.stem: log for log in sorted(told.parent.glob("log*.jsonl"))}
    plot_losses(logs, PAGE.with_name("demo-model-loss.svg"))


def rewritten(page: str, scores: Mapping[str, Mapping[str, float]]) -> str:
    """The page with a row for each test set."""
    return between_marks(page, _rows(scores))


def _rows(scores: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    yield "| test set | messages | exact | F1 | valid JSON |"
    yield "|---|---:|---:|---:|---:|"
    for name, row in sorted(scores.items()):
        told = " | ".join(f"{row[part]:.1%}" for part in ("exact", "f1", "valid"))
        yield f"| {name} | {row['count']} | {told} |"


if __name__ == "__main__":
    main()
