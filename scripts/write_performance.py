"""Rewrite the measured tables of docs/performance.md from results of `thistledown bench -o`.

python -m scripts.write_performance build/bench/granite-350m.json build/bench/minilm-q8.json
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.table import timed_peers, told_ratio

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Rewrite the measured tables of docs/performance.md.")
    parser.add_argument("results", nargs="+", type=Path)
    arguments = parser.parse_args(argv)
    results = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.results]
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


def rewritten(page: str, results: Sequence[dict[str, Any]]) -> str:
    """The page with the tables of `results` between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    tables = "\n".join(line for result in results for line in section(result))
    return f"{before}{BEGIN}\n{tables}\n{END}{after}"


def section(result: dict[str, Any]) -> Iterator[str]:
    """One result: how many times as long peers took, what loads cost, what a token costs."""
    model, device = result["model"], result["device"]
    where = " ".join(part for part in (device["vendor"], device["architecture"]) if part)
    yield f"\n### {model['name']}, {model['quantization']}, on {where}\n"
    peers = timed_peers(result)
    yield from _table(["workload", *(f"{peer} takes" for peer in peers)], _ratios(result, peers))
    yield from _table(
        ["engine", "load", "code, gzip", "GPU buffers", "peak memory", "for one token or batch"],
        _engines(result),
    )
    for engine in result["engines"]:
        if not engine["ok"]:
            yield f"- {engine['name']}: {engine['error'].splitlines()[0]}"
    for check in result["checks"]:
        verdict = "agrees" if check["agrees"] else "does not agree"
        yield f"- {check['peer']} {verdict}: {check['what']} {check['value']:.3g} (limit {check['limit']:g})"
    if result["kernels"]:
        yield from _kernels(result["kernels"])


def _table(heads: Sequence[str], rows: Iterator[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _ratios(result: dict[str, Any], peers: Sequence[str]) -> Iterator[list[str]]:
    for load in result["workloads"]:
        yield [load["name"], *(told_ratio(load["times_as_long"].get(peer)) for peer in peers)]


def _engines(result: dict[str, Any]) -> Iterator[list[str]]:
    for engine in result["engines"]:
        if engine["ok"]:
            calls = result["gpu_calls"][engine["name"]]["calls"]
            shown = ("dispatchWorkgroups", "submit", "createBindGroup", "createBuffer", "writeBuffer")
            yield [
                f"{engine['name']} {engine['version']}".strip(),
                f"{engine['loadMs'] / 1000:.1f} s",
                f"{engine['runtime_bytes']['gzip'] / 1e6:.2f} MB",
                _megabytes(engine["gpuBytes"]),
                _megabytes(engine.get("peakBytes")),
                "not counted" if calls is None else ", ".join(f"{calls[name]:g} {name}" for name in shown),
            ]


def _megabytes(number: int | None) -> str:
    return "not known" if number is None else f"{number / 1e6:.0f} MB"


def _kernels(found: dict[str, Any]) -> Iterator[str]:
    roofs = found["roofs"]
    stream, fma = roofs["bytesPerSecond"] / 1e9, roofs["flopPerSecond"] / 1e9
    yield f"\nKernels, by this device's {stream:.1f} GB/s over {roofs['bytes'] >> 20} MiB and {fma:.1f} GFLOP/s:\n"
    rows = (
        [row["phase"], row["shader"], str(row["count"]), f"{row['ms']:.2f} ms", f"{row['of_roof']:.0%}"]
        for row in found["rows"]
    )
    yield from _table(["phase", "kernel", "times", "one takes", "of its roof"], rows)


if __name__ == "__main__":
    main()
