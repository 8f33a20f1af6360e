"""A result as lines for a terminal."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.settings import OURS

Result = Mapping[str, Any]


def table(result: Result) -> str:
    """The result, one workload a line: our median, and how many times as long each peer took."""
    return "\n".join(_lines(result))


def _lines(result: Result) -> Iterator[str]:
    model, device = result["model"], result["device"]
    yield f"{model['title']}, {model['quantization']}, on {_device(device)}"
    if device["software"]:
        yield "A software adapter: the ratios of one run say something, the times nothing about a GPU."
    yield from _workloads(result)
    if not timed_peers(result):
        yield "No peer was measured beside it."
    yield from _engines(result["engines"])
    yield from _checks(result["checks"])
    for gone in result["left_out"]:
        yield f"left out: {gone['name']}: {gone['reason']}"
    yield from _counts(result)
    if result["kernels"]:
        yield from _kernels(result["kernels"])


def _device(device: Result) -> str:
    return " ".join(
        part for part in (device["vendor"], device["architecture"], device["description"]) if part
    )


def _workloads(result: Result) -> Iterator[str]:
    peers = timed_peers(result)
    yield f"{'':<22}{'ours':>12}{'tokens/s':>10}" + "".join(f"{f'{peer} takes':>34}" for peer in peers)
    for load in result["workloads"]:
        ours = f"{load['median_ms'][OURS]:>9.1f} ms{load['tokens_per_second'][OURS]:>10.1f}"
        yield f"{load['name']:<22}{ours}" + "".join(
            f"{told_ratio(load['times_as_long'].get(peer)):>34}" for peer in peers
        )


def timed_peers(result: Result) -> list[str]:
    """Names of the peers that have a time in any workload; some take part in a few only."""
    return list(dict.fromkeys(peer for load in result["workloads"] for peer in load["times_as_long"]))


def told_ratio(spread: Result | None) -> str:
    """How many times as long a peer took, with the least and the largest of all rounds."""
    if spread is None:
        return "–"
    return f"{spread['median']:.2f} times as long ({spread['low']:.2f}–{spread['high']:.2f})"


def _engines(engines: Iterable[Result]) -> Iterator[str]:
    for engine in engines:
        if not engine["ok"]:
            yield f"{engine['name']}: {engine['error']}"
            continue
        runtime, name = engine["runtime_bytes"], f"{engine['name']} {engine['version']}".strip()
        yield (
            f"{name}: loads in {engine['loadMs'] / 1000:.1f} s, {runtime['gzip'] / 1e6:.2f} MB of code in gzip, "
            f"{_megabytes(engine['gpuBytes'])} of GPU buffers, {_megabytes(engine.get('peakBytes'))} of memory at most"
        )


def _megabytes(number: int | None) -> str:
    return "an unknown number" if number is None else f"{number / 1e6:.0f} MB"


def _checks(checks: Iterable[Result]) -> Iterator[str]:
    for check in checks:
        verdict = "agrees" if check["agrees"] else "DOES NOT AGREE"
        value = "no number" if check["value"] is None else f"{check['value']:.3g}"
        yield f"{check['peer']} {verdict}: {check['what']} {value}, limit {check['limit']:g}"


def _counts(result: Result) -> Iterator[str]:
    counts = result["counts"]
    part = counts["bytes_bound_total"] / max(1, counts["weights_and_states"])
    yield (
        f"{' and '.join(counts['phases'])}: {counts['dispatches']} dispatches, {counts['barriers']} barriers, "
        f"{counts['bytes_bound_total'] / 1e6:.1f} MB bound, {part:.2f} of weights and states"
    )
    for name, found in result["gpu_calls"].items():
        if found["calls"] is None:
            yield f"{name} for {found['for']}: its worker's calls are not counted"
            continue
        calls = ", ".join(f"{call} {number:g}" for call, number in found["calls"].items() if number)
        yield f"{name} for {found['for']}: {calls or 'no calls'}"


def _kernels(found: Result) -> Iterator[str]:
    roofs = found["roofs"]
    yield (
        f"kernels, against {roofs['bytesPerSecond'] / 1e9:.1f} GB/s over {roofs['bytes'] / 2**20:.0f} MiB "
        f"and {roofs['flopPerSecond'] / 1e9:.1f} GFLOP/s of this device:"
    )
    for row in found["rows"]:
        operations = row["flop_per_second"]
        speed = f"{row['bytes_per_second'] / 1e9:>9.2f} GB/s" + (
            f"{operations / 1e9:>9.2f} GFLOP/s" if operations else " " * 17
        )
        verdict = {True: "agrees", False: "DOES NOT AGREE", None: "not checked"}[row["agrees"]]
        name = f"{row['phase']} {row['shader']} x {row['count']}"
        yield f"  {name:<44}{row['ms']:>10.3f} ms{speed}{row['of_roof']:>7.0%} of its roof, {verdict}"
