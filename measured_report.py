"""`thistledown report DIR --measure`: the report, and beside it the bytes that a browser received.

The report foretells them in `exporter`, the browser is driven in `bench`; here they meet. `--network` adds times on a
slow line, `--beside` a peer's page; `--without-webgpu` is about a visit in which the CPU computes.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.download import (
    SOFTWARE,
    Measured,
    MeasuredPeer,
    Pace,
    Passed,
    Visit,
    measure_peer,
    measure_visits,
)
from bench.errors import BenchError
from bench.result_file import check_target, write
from exporter.__main__ import main as report_main
from exporter.__main__ import parse
from exporter.errors import ThistledownError
from exporter.report import (
    BRING,
    NETWORKS,
    RUNTIME,
    Network,
    Report,
    cpu_files,
    measure_export,
    page_of,
    read_runtime,
    situations_of,
)

_CATALOGUE = "/models/catalogue.json"
# What a browser asks for when it shows a page to somebody, and a headless one does not.
_FOR_A_WINDOW = ("/favicon.svg", "/manifest.webmanifest")
_GROUPS = {
    "weights": "weights",
    "tokenizer": "tokenizer",
    "manifest": "plan and kernels",
    "plan": "plan and kernels",
    "onnx": "model.onnx",
}
_RUNTIME = "runtime/"
_PLAINEST = "base"
_PEERS_WORD = {"engine and page": "runtime"}


@dataclass(frozen=True)
class Row:
    """A group of files: what the report says that travels, and what did; `wrong` are the addresses that differ."""

    name: str
    expected: int
    received: int
    repeated: int
    wrong: Sequence[str]


@dataclass(frozen=True)
class Timing:
    """A first visit on a slow line: what was predicted, and what it took."""

    network: Network
    predicted: float
    measured: Passed

    @property
    def ratio(self) -> float:
        return self.predicted / self.measured.line


@dataclass(frozen=True)
class Findings:
    """All that was measured of one artifact."""

    report: Report
    measured: Measured
    rows: Sequence[Row]
    timing: Timing | None
    peer: MeasuredPeer | None


def main(argv: Sequence[str]) -> int:
    """The report's own output and exit code; with 0, then the comparison, and 1 if a byte differs."""
    arguments = parse(argv)
    try:
        _check(arguments)
        code = report_main(argv)
        return code or _tell(_measure(arguments), arguments)
    except (BenchError, ThistledownError) as error:
        print(f"thistledown: {error}", file=sys.stderr)
        return 2


def _check(arguments: argparse.Namespace) -> None:
    """Raises BenchError for what would come to light after minutes only."""
    _network(arguments.network)
    if arguments.beside and not arguments.float:
        remedy = "Export the model with --quantize f32, and name that folder."
        raise BenchError("The peer's model is made of the f32 one", "--float", remedy)
    if arguments.without_webgpu and arguments.beside:
        raise BenchError("That page computes with WebGPU", "--beside", "Leave out it, or --without-webgpu.")
    if arguments.without_webgpu and read_runtime(RUNTIME) is None:
        raise BenchError("There is no runtime for the CPU", str(RUNTIME), f"Bring it: {BRING}")
    if arguments.measured:
        check_target(arguments.measured)


def _tell(found: Findings, arguments: argparse.Namespace) -> int:
    if arguments.measured:
        write(arguments.measured, json.dumps(document(found), indent=1) + "\n")
    print(render(found), file=sys.stdout if arguments.format == "table" else sys.stderr)
    return 1 if any(row.wrong for row in found.rows) else 0


def _measure(arguments: argparse.Namespace) -> Findings:
    folder, network = arguments.folder.resolve(), _network(arguments.network)
    options = SOFTWARE if arguments.software else ()
    pace = Pace(network.bits_per_second, network.round_trip) if network else None
    runtime = RUNTIME if arguments.without_webgpu else None
    measured = measure_visits(folder, page_of(folder), options, pace, runtime)
    # It has been checked and compared above; what travels is all that is asked here.
    report = measure_export(folder, measured.tier or _PLAINEST)
    peer = measure_peer(arguments.float, options) if arguments.beside else None
    timing = _timing(folder, report, network, measured)
    return Findings(report, measured, compare(folder, report, measured), timing, peer)


def _network(name: str | None) -> Network | None:
    found = next((network for network in NETWORKS if network.name.lower() == (name or "").lower()), None)
    if name and found is None:
        names = ", ".join(network.name for network in NETWORKS)
        raise BenchError(f"There is no network {name!r}", "--network", f"There are {names}.")
    return found


def _timing(folder: Path, report: Report, network: Network | None, measured: Measured) -> Timing | None:
    if network is None or measured.slow is None:
        return None
    wanted = "first visit" if measured.tier else "without WebGPU"
    visit = next(each for each in situations_of(folder, report, None, None) if each.name == wanted)
    return Timing(network, visit.seconds(report.tier)[network.name], measured.slow)


def compare(folder: Path, report: Report, measured: Measured) -> Sequence[Row]:
    """Each group of files a visit fetches; whatever else was received is a group of its own."""
    roles = {file.file: file.role for file in report.files}
    expected: dict[str, dict[str, int]] = {}
    for name, size in _foretold(folder, report, measured).items():
        group = (
            "runtime" if name.startswith(_RUNTIME) else _GROUPS.get(roles.get(name, ""), "engine and page")
        )
        expected.setdefault(group, {})[_address(name, folder.name)] = size
    rows = [_row(name, sizes, measured) for name, sizes in expected.items()]
    known = {address for sizes in expected.values() for address in sizes}
    other = sorted(set(measured.first.bodies) - known - {_CATALOGUE})
    if other:
        rows.append(_row("not in the report", dict.fromkeys(other, 0), measured))
    return rows


def _foretold(folder: Path, report: Report, measured: Measured) -> Mapping[str, int]:
    """Bytes of each file that the visit fetches."""
    if measured.tier is None:
        return cpu_files(folder, report, read_runtime(RUNTIME))
    return {file.file: file.travels for file in report.files if file.visit}


def _address(file: str, folder: str) -> str:
    elsewhere = file.startswith(("site/", _RUNTIME))
    return f"/{file.removeprefix('site/')}" if elsewhere else f"/models/{folder}/{file}"


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


def render(found: Findings) -> str:
    """Tables for the terminal."""
    parts = [_own_table(found.rows, found.measured), _answer_line(found.measured)]
    parts += [_time_line(found.timing)] if found.timing else []
    parts += [_peer_table(found.rows, found.peer)] if found.peer else []
    return "\n".join(parts)


def _own_table(rows: Sequence[Row], measured: Measured) -> str:
    lines = [
        f"Measured in Chromium, {_played(measured)}: bytes of bodies over the network",
        f"{'':<20}{'foretold':>14}{'first visit':>14}{'repeat visit':>14}",
    ]
    expected, received, repeated = (sum(each) for each in zip(*map(_sizes, rows), strict=True))
    whole = Row("in all", expected, received, repeated, ())
    lines += [f"{row.name:<20}" + "".join(f"{size:>14,}" for size in _sizes(row)) for row in (*rows, whole)]
    lines.append(_besides(measured.first, measured.repeat))
    lines += [f"differs  {each}" for row in rows for each in row.wrong]
    return "\n".join(lines)


def _played(measured: Measured) -> str:
    return f"tier {measured.tier}" if measured.tier else "on the CPU"


def _sizes(row: Row) -> tuple[int, int, int]:
    return row.expected, row.received, row.repeated


def _besides(first: Visit, repeat: Visit) -> str:
    lists = f"{first.bodies.get(_CATALOGUE, 0):,} and {repeat.bodies.get(_CATALOGUE, 0):,}"
    return (
        f"Besides, the list of models: {lists} bytes. Ready after {first.seconds:.1f} and {repeat.seconds:.1f} s. "
        "A headless browser asks for no icon and no app manifest, which are left out."
    )


def _answer_line(measured: Measured) -> str:
    device = f"the GPU {measured.device}" if measured.tier else "the CPU"
    if measured.answer is None:
        return f"No result was shown within two minutes, on {device}."
    return (
        f"The first result was shown {measured.answer:.1f} s after the model was ready, "
        f"{measured.first.seconds + measured.answer:.1f} s into a first visit, on {device}."
    )


def _time_line(timing: Timing) -> str:
    return (
        f"A first visit on {timing.network.name}, until the last of the weights: {timing.predicted:.1f} s predicted, "
        f"{timing.measured.line:.1f} s measured ({timing.ratio - 1:+.1%}); {timing.measured.machine:.1f} s with what "
        "this machine computed meanwhile."
    )


def beside(rows: Sequence[Row], peer: MeasuredPeer) -> Sequence[tuple[str, int, int]]:
    """Name, our bytes and the peer's: each group of a first visit, all of it, and a repeat visit."""
    ours = {row.name: row.received for row in rows}
    theirs = peer.groups(peer.first)
    groups = [(name, size, theirs.get(_PEERS_WORD.get(name, name), 0)) for name, size in ours.items()]
    return [
        *groups,
        ("first visit", sum(ours.values()), sum(theirs.values())),
        ("repeat visit", sum(row.repeated for row in rows), sum(peer.groups(peer.repeat).values())),
    ]


def _peer_table(rows: Sequence[Row], peer: MeasuredPeer) -> str:
    lines = [
        f"Beside {peer.name} on the same model at 8 bits ({peer.model}), by the same rules of compression",
        f"{'':<20}{'ours':>14}{'theirs':>14}{'ratio':>9}",
    ]
    for name, ours, theirs in beside(rows, peer):
        ratio = f"{ours / theirs:.1%}" if theirs else "–"
        lines.append(f"{name:<20}{ours:>14,}{theirs:>14,}{ratio:>9}")
    return "\n".join(lines)


def document(found: Findings) -> dict[str, Any]:
    """The same as one JSON document."""
    peer, timing = found.peer, found.timing
    return {
        "format": "thistledown-measured-report",
        "version": 1,
        "name": found.report.name,
        "quantization": found.report.quantization,
        "tier": found.measured.tier,
        "groups": [asdict(row) for row in found.rows],
        "first_result": {
            "device": found.measured.device or "CPU",
            "ready_seconds": found.measured.first.seconds,
            "answer_seconds": found.measured.answer,
        },
        "network": timing
        and {
            "name": timing.network.name,
            "predicted_seconds": timing.predicted,
            "measured_seconds": asdict(timing.measured),
        },
        "peer": peer
        and {
            "name": peer.name,
            "model": peer.model,
            "beside": [
                {"name": name, "ours": ours, "theirs": theirs}
                for name, ours, theirs in beside(found.rows, peer)
            ],
        },
    }
