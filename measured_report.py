"""`thistledown report DIR --measure`: the report, and beside it the bytes that a browser received.

The report foretells them in `exporter`, the browser is driven in `bench`; here they meet.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.download import Measured, Visit, measure_visits
from bench.errors import BenchError
from exporter.__main__ import main as report_main
from exporter.errors import ThistledownError
from exporter.report import Report, measure_artifact, page_of

_CATALOGUE = "/models/catalogue.json"
# What a browser asks for when it shows a page to somebody, and a headless one does not.
_FOR_A_WINDOW = ("/favicon.svg", "/manifest.webmanifest")
_GROUPS = {
    "weights": "weights",
    "tokenizer": "tokenizer",
    "manifest": "plan and kernels",
    "plan": "plan and kernels",
}


@dataclass(frozen=True)
class Row:
    """A group of files: what the report says that travels, and what did; `wrong` are the addresses that differ."""

    name: str
    expected: int
    received: int
    repeated: int
    wrong: Sequence[str]


def main(argv: Sequence[str]) -> int:
    """The report's own output and exit code; with 0, then the comparison, and 1 if a byte differs."""
    arguments = [word for word in argv if word not in ("--measure", "--software")]
    code = report_main(arguments)
    if code:
        return code
    folder = _folder(arguments)
    try:
        software = ("--use-webgpu-adapter=swiftshader",) if "--software" in argv else ()
        measured = measure_visits(folder, page_of(folder), software)
        report = measure_artifact(folder, measured.tier)
    except (BenchError, ThistledownError) as error:
        print(f"thistledown: {error}", file=sys.stderr)
        return 2
    rows = compare(report, folder.name, measured)
    plain = _forms(arguments) in ("table", None)
    print(render(rows, measured), file=sys.stdout if plain else sys.stderr)
    return 1 if any(row.wrong for row in rows) else 0


def _folder(arguments: Sequence[str]) -> Path:
    known = _parser().parse_known_args(list(arguments)[1:])[0]
    return Path(known.folder).resolve()


def _forms(arguments: Sequence[str]) -> str | None:
    form: str | None = _parser().parse_known_args(list(arguments)[1:])[0].format
    return form


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("folder")
    for option in ("--format", "--tier", "--budget", "--compare", "--diff", "--adapter"):
        parser.add_argument(option)
    return parser


def compare(report: Report, folder: str, measured: Measured) -> Sequence[Row]:
    """Each group of files a visit fetches; whatever else was received is a group of its own."""
    groups = {file.role: _GROUPS.get(file.role, "engine and page") for file in report.files}
    expected: dict[str, dict[str, int]] = {}
    for file in report.files:
        if file.visit:
            path = f"/{file.file.removeprefix('site/')}"
            address = path if file.file.startswith("site/") else f"/models/{folder}/{file.file}"
            expected.setdefault(groups[file.role], {})[address] = file.travels
    rows = [_row(name, sizes, measured) for name, sizes in expected.items()]
    known = {address for sizes in expected.values() for address in sizes}
    other = sorted(set(measured.first.bodies) - known - {_CATALOGUE})
    if other:
        rows.append(_row("not in the report", dict.fromkeys(other, 0), measured))
    return rows


def _row(name: str, expected: dict[str, int], measured: Measured) -> Row:
    shown = {address: size for address, size in expected.items() if address not in _FOR_A_WINDOW}
    received = {address: measured.first.bodies.get(address, 0) for address in shown}
    wrong = [
        f"{address}: {size:,} foretold, {received[address]:,} received"
        for address, size in shown.items()
        if received[address] != size
    ]
    repeated = sum(measured.repeat.bodies.get(address, 0) for address in shown)
    wrong += [
        f"{address} was received again"
        for address in shown
        if address.endswith(".bin") and measured.repeat.bodies.get(address)
    ]
    return Row(name, sum(shown.values()), sum(received.values()), repeated, wrong)


def render(rows: Sequence[Row], measured: Measured) -> str:
    """A table for the terminal."""
    lines = [
        f"Measured in Chromium, tier {measured.tier}: bytes of bodies over the network",
        f"{'':<20}{'foretold':>14}{'first visit':>14}{'repeat visit':>14}",
    ]
    lines += [f"{row.name:<20}{row.expected:>14,}{row.received:>14,}{row.repeated:>14,}" for row in rows]
    whole = (
        sum(row.expected for row in rows),
        sum(row.received for row in rows),
        sum(row.repeated for row in rows),
    )
    lines.append(f"{'in all':<20}{whole[0]:>14,}{whole[1]:>14,}{whole[2]:>14,}")
    lines.append(_beside(measured.first, measured.repeat))
    lines += [f"differs  {each}" for row in rows for each in row.wrong]
    return "\n".join(lines)


def _beside(first: Visit, repeat: Visit) -> str:
    lists = f"{first.bodies.get(_CATALOGUE, 0):,} and {repeat.bodies.get(_CATALOGUE, 0):,}"
    return (
        f"Besides, the list of models: {lists} bytes. Ready after {first.seconds:.1f} and {repeat.seconds:.1f} s. "
        "A headless browser asks for no icon and no app manifest, which are left out."
    )
