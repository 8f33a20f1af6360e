"""A tiny teacher, a shallower student and texts, and the command that distills one into the other."""

import json
from pathlib import Path

from exporter.checkpoints import Origin
from tests.tiny_granite import CORPUS, Variant, write_tiny_granite

ORIGIN = Origin("whole", 4000, 1000)
SHORT = ("--batch", "4", "--warm-up", "2", "--learning-rate", "3e-3")


def write_pair(folder: Path) -> None:
    """teacher/, student/ and data.jsonl in `folder`."""
    write_tiny_granite(folder / "teacher", Variant())
    write_tiny_granite(folder / "student", Variant(layers=("mamba", "attention")))
    ORIGIN.write(folder / "student")
    rows = [{"text": text} for text in CORPUS] + [
        {"prompt": text[:20], "completion": text[20:]} for text in CORPUS
    ]
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")


def command(checkpoints: Path, output: Path, *more: str) -> list[str]:
    """Its words; what comes later holds."""
    names = ("--teacher", "teacher"), ("--student", "student"), ("--data", "data.jsonl")
    given = [word for option, name in names for word in (option, str(checkpoints / name))]
    return ["distill", *given, "-o", str(output), *SHORT, *more]
