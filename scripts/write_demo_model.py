"""Rewrite docs/demo-model.md: scores that `exporter.reduction.extraction.examine --json` wrote, and the logs' curves.

python -m scripts.write_demo_model exporter/reduction/extraction/thistledown-extract/scores.json
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from exporter.reduction.extraction.schema import LANGUAGES
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
    logs = {log.stem: log for log in sorted(told.parent.glob("log*.jsonl"), key=_number)}
    plot_losses(logs, PAGE.with_name("demo-model-loss.svg"))


def _number(log: Path) -> int:
    """Of the run: 2 of log-2.jsonl; the first one's log has none."""
    return int(log.stem.partition("-")[2] or 1)


def rewritten(page: str, scores: Mapping[str, Any]) -> str:
    """The page with a row for each test set."""
    return between_marks(page, _rows(scores["sets"]))


def _rows(sets: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Of each set the messages of each language, and the parts of one that are right."""
    codes = " | ".join(LANGUAGES)
    yield f"| test set | messages ({', '.join(LANGUAGES)}) | exact: {codes} | F1: {codes} | valid JSON |"
    yield f"|---|---:|{'---:|' * 2 * len(LANGUAGES)}---:|"
    for name in dict.fromkeys(each.rpartition(" ")[0] for each in sets):
        rows = [sets[f"{name} {code}"] for code in LANGUAGES]
        counts = list(dict.fromkeys(f"{row['count']}" for row in rows))
        told = (f"{row[part]:.1%}" for part in ("exact", "f1") for row in rows)
        messages = counts[0] if len(counts) == 1 else ", ".join(f"{row['count']}" for row in rows)
        valid = min(row["valid"] for row in rows)
        yield f"| {name} | {messages} | {' | '.join(told)} | {valid:.1%} |"


if __name__ == "__main__":
    main()
