"""Holds the size report to what a browser receives, for MiniLM and the extraction model in every scheme.

`python -m scripts.measure_schemes build/schemes` exports each into a temporary folder, runs `thistledown report
--measure` on it and keeps what was measured in the folder that is named, so that it goes on where it was stopped; what
was measured of another checkpoint or site is measured again. After a change of the exporter name another folder.
`--write` puts tables into docs/download-size.md: of the models that were asked for, where every byte was foretold.
Some minutes a model on quiet cores.
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
from bench.errors import BenchError
from exporter.alternatives import options_for
from exporter.checkpoints import open_checkpoint
from exporter.errors import ThistledownError
from exporter.export_options import ExportOptions
from exporter.pipeline import export
from exporter.progress import Progress
from exporter.quantization import MIXTURES, SCHEMES
from exporter.report import analyse
from scripts.digests import digest_of, served
from scripts.reduction_table import BEGIN, END, between_marks

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "download-size.md"
SOURCES = {"minilm": "minilm", "extract": str(ROOT / "exporter/reduction/extraction/thistledown-extract")}
_SIZES = ("folder", "site", "expected", "received", "repeated")


def names() -> Sequence[str]:
    """What `export` offers, each with coded weights, too, where it has not coded ones anyway."""
    plain = [*SCHEMES, *MIXTURES]
    return [
        name
        for scheme in plain
        for name in (scheme, f"{scheme} coded")
        if name == scheme or scheme in MIXTURES or not SCHEMES[scheme].step
    ]


def rows_of(model: str, schemes: Sequence[str], folder: Path) -> Sequence[Mapping[str, Any]]:
    """The rows of one model, each kept in `folder`. Raises BenchError or ThistledownError where one has no answer."""
    of = {"checkpoint": _checkpoint(SOURCES[model]), "site": digest_of(served())}
    return [measured(model, scheme, folder / f"{model} {scheme}.json", of) for scheme in schemes]


def _checkpoint(source: str) -> str:
    """The digest of what an export reads: scores and logs of a training lie beside it."""
    found = open_checkpoint(source)
    own = [found.folder / "config.json", *found.folder.glob("*.safetensors")]
    return digest_of({**found.companions(), **{path.name: path for path in own}})


def measured(model: str, scheme: str, kept: Path, of: Mapping[str, str]) -> Mapping[str, Any]:
    """One row of the table: from the file `kept` if it was measured of the same, else exported and measured now."""
    found = _kept_row(kept, {"scheme": scheme, "kept": True, "of": of})
    if found is not None:
        return found
    row = {**_measured_now(model, scheme), "of": of}
    if row["kept"]:
        kept.parent.mkdir(parents=True, exist_ok=True)
        making = kept.with_suffix(".making")
        making.write_text(json.dumps(row), encoding="utf-8")
        making.replace(kept)
    return row


def _kept_row(kept: Path, wanted: Mapping[str, object]) -> Mapping[str, Any] | None:
    """None where there is none, where it is damaged, or where it was measured of something else."""
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(found, dict) and all(found.get(key) == value for key, value in wanted.items())
    return found if same and all(type(found.get(size)) is int for size in _SIZES) else None


def _measured_now(model: str, scheme: str) -> Mapping[str, Any]:
    with TemporaryDirectory(prefix="thistledown-") as home:
        folder, told = Path(home) / "model", Path(home) / "measured.json"
        given = replace(options_for(ExportOptions(SOURCES[model], folder), scheme), output=folder)
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
        # 1 says that bytes differ, or that a budget was passed, and then nothing was measured.
        if code not in (0, 1) or not told.is_file():
            remedy = "Mend that and give the same command again: it goes on from the rows that are kept."
            raise BenchError("No answer, for the reason above", f"{model} {scheme}", remedy)
        return _row(scheme, code, analyse(folder).attribution.folder_bytes, json.loads(told.read_text()))


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


def rewritten(page: str, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The page with those tables in the place of the same models', and all others as they are."""
    block = page.partition(BEGIN)[2].partition(END)[0].strip()
    held = {table.split()[1]: table for table in block.split("\n\n") if table}
    made = {model: "\n".join(lines(model, rows)) for model, rows in tables.items()}
    return between_marks(page, ["\n\n".join((held | made).values())])


def _write(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    failed = {model: [row["scheme"] for row in rows if not row["kept"]] for model, rows in tables.items()}
    for model, schemes in failed.items():
        if schemes:
            told = f"the table of {model} stays: bytes of {', '.join(schemes)} were not as foretold"
            print(f"measure_schemes: {told}", file=sys.stderr)
    whole = {model: rows for model, rows in tables.items() if not failed[model]}
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), whole), encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """0 if every scheme's bytes were foretold, 1 if not, 2 if one could not be measured."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.write and arguments.scheme:
        parser.error("--write puts whole tables only: leave out --scheme")
    try:
        tables = {
            model: rows_of(model, arguments.scheme or names(), arguments.folder)
            for model in arguments.model or SOURCES
        }
    except (BenchError, ThistledownError) as error:
        print(f"measure_schemes: {error}", file=sys.stderr)
        return 2
    for model, rows in tables.items():
        print("\n".join(lines(model, rows)), end="\n\n")
    if arguments.write:
        _write(tables)
    return 0 if all(row["kept"] for rows in tables.values() for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="where what was measured is kept")
    parser.add_argument("--model", choices=tuple(SOURCES), action="append", help="default: both")
    parser.add_argument("--scheme", action="append", help='such as "q4 coded"; default: all of them')
    parser.add_argument(
        "--write", action="store_true", help=f"rewrite the models' tables in docs/{PAGE.name}"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
