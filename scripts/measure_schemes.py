"""Holds the size report to what a browser receives, for MiniLM and the extraction model in every scheme.

`python -m scripts.measure_schemes build/schemes` exports each into a temporary folder, runs `thistledown report
--measure` on it and keeps what was measured in the folder that is named, so that it goes on where it was stopped;
`--write` puts the table into docs/download-size.md. Some minutes a model on quiet cores.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import measured_report
from exporter.alternatives import options_for
from exporter.export_options import ExportOptions
from exporter.pipeline import export
from exporter.progress import Progress
from exporter.quantization import MIXTURES, SCHEMES
from exporter.report import analyse
from scripts.reduction_table import between_marks

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "download-size.md"
SOURCES = {"minilm": "minilm", "extract": str(ROOT / "exporter/reduction/extraction/thistledown-extract")}


def names() -> Sequence[str]:
    """What `export` offers, each with coded weights, too, where it has not coded ones anyway."""
    plain = [*SCHEMES, *MIXTURES]
    return [
        name
        for scheme in plain
        for name in (scheme, f"{scheme} coded")
        if name == scheme or scheme in MIXTURES or not SCHEMES[scheme].step
    ]


def measured(source: str, scheme: str, kept: Path) -> Mapping[str, Any]:
    """One row of the table: from the file `kept`, else exported and measured now."""
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    with TemporaryDirectory(prefix="thistledown-") as home:
        folder, told = Path(home) / "model", Path(home) / "measured.json"
        given = replace(options_for(ExportOptions(source, folder), scheme), output=folder)
        export(given, Progress(quiet=True))
        words = [
            "report",
            str(folder),
            "--measure",
            "--software",
            "--format",
            "badge",
            "--measured",
            str(told),
        ]
        with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            code = measured_report.main(words)
        row = _row(scheme, code, analyse(folder).attribution.folder_bytes, json.loads(told.read_text()))
    if row["kept"]:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(row), encoding="utf-8")
    return row


def _row(scheme: str, code: int, folder: int, told: Mapping[str, Any]) -> Mapping[str, Any]:
    groups = told["groups"]
    sums = {key: sum(group[key] for group in groups) for key in ("expected", "received", "repeated")}
    ours = sum(group["received"] for group in groups if group["name"] == "engine and page")
    return {"scheme": scheme, "kept": code == 0, "folder": folder, "site": ours, **sums}


def lines(model: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The table of one model."""
    yield f"| {model} | folder, all explained | foretold | received | of it the model | second visit |"
    yield "|---|---:|---:|---:|---:|---:|"
    for row in rows:
        sizes = (
            row["folder"],
            row["expected"],
            row["received"],
            row["received"] - row["site"],
            row["repeated"],
        )
        yield f"| `{row['scheme']}` | " + " | ".join(f"{size:,}" for size in sizes) + " |"
    yield ""


def main(argv: Sequence[str] | None = None) -> int:
    """0 if every scheme's bytes were foretold, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="where what was measured is kept")
    parser.add_argument("--model", choices=tuple(SOURCES), action="append", help="default: both")
    parser.add_argument("--scheme", action="append", help='such as "q4 coded"; default: all of them')
    parser.add_argument("--write", action="store_true", help=f"rewrite the table in docs/{PAGE.name}")
    arguments = parser.parse_args(argv)
    tables = {
        model: [
            measured(SOURCES[model], scheme, arguments.folder / f"{model} {scheme}.json")
            for scheme in arguments.scheme or names()
        ]
        for model in arguments.model or SOURCES
    }
    told = [line for model, rows in tables.items() for line in lines(model, rows)]
    print("\n".join(told))
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(between_marks(page, told[:-1]), encoding="utf-8")
    return 0 if all(row["kept"] for rows in tables.values() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
