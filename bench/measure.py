"""The measurement: open every engine once, compare answers, then time them in turns."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from bench import made_files, peers, scan
from bench.engines import Engines
from bench.errors import BenchError
from bench.kernels import kernel_bench
from bench.model_folder import ModelFolder
from bench.peak_memory import watching_peak
from bench.plan_counts import plan_counts
from bench.ratios import Spread, ratios
from bench.scan_job import Chain
from bench.server import serving
from bench.settings import OURS, BenchSettings
from bench.tab import Tab, open_tab
from bench.workload_choice import choose
from bench.workloads import Workload

FORMAT, VERSION = "thistledown-bench", 1
Say = Callable[[str], None]


class Caller(Protocol):
    """What a measurement needs of the tab."""

    def call(self, name: str, *args: object) -> Any:
        """The value of that function of page/harness.js."""


def bench(path: Path, settings: BenchSettings, say: Say) -> dict[str, Any]:
    """Measure the artifact at `path`. Raises BenchError where nothing can be measured."""
    model = ModelFolder.read(path)
    if settings.float_folder:
        ModelFolder.read(settings.float_folder)
    fit, missing = _peers(settings, model.task, say)
    with tempfile.TemporaryDirectory() as folder:
        made = made_files.Made(Path(folder), model)
        modules = peers.FOLDER / "node_modules" if fit else Path(folder)
        with serving(model.path, Path(folder), modules) as served:
            with open_tab(served.address, settings.arguments) as tab:
                engines = Engines(tab, model, made, settings, served.paths, say)
                engines.open_all(fit)
                result = _result(tab, engines, model, made, settings, missing, say)
            for row in (row for row in result["engines"] if row["ok"]):
                say(f"peak memory of {row['name']} alone")
                with open_tab(served.address, settings.arguments) as tab:
                    alone = Engines(tab, model, made, settings, served.paths, lambda _: None)
                    row["peakBytes"] = peak_bytes(tab, alone, row["name"], longest(model, settings))
            return result


def _peers(settings: BenchSettings, task: str, say: Say) -> tuple[list[peers.Peer], dict[str, str]]:
    """The peers that can be measured, and why the others cannot."""
    fit, missing = peers.chosen(settings.peers, task)
    if fit and not peers.fetched():
        say("fetching the peers' packages")
    trouble = peers.fetch() if fit else None
    if trouble:
        return [], missing | {peer.name: f"it is not measured: {trouble}" for peer in fit}
    return fit, missing


def peak_bytes(tab: Caller, engines: Engines, name: str, load: Workload) -> int | None:
    """What the browser holds at most, above an empty tab, while one engine alone loads and does `load`."""
    tab.call("device")  # so that the harness is there already
    with watching_peak() as peak:
        try:
            engines.open_one(name)
            tab.call("measure", name, load.method, list(load.args), load.key)
        except BenchError:
            return None
    return peak.bytes


def longest(model: ModelFolder, settings: BenchSettings) -> Workload:
    """The workload of the most tokens at a time, which needs the most memory."""
    chosen, _ = choose(model, settings)
    return max(chosen, key=lambda load: load.tokens + load.context)


def _result(
    tab: Tab,
    engines: Engines,
    model: ModelFolder,
    made: made_files.Made,
    settings: BenchSettings,
    missing: dict[str, str],
    say: Say,
) -> dict[str, Any]:
    chosen, left_out = choose(model, settings)
    checks = engines.check(chosen)
    measured = [time_in_turns(tab, engines.measurable, load, settings.rounds, say) for load in chosen]
    tier = engines.records[OURS]["facts"]["settings"]["tier"]
    plan = model.plan(tier)
    # Before scans, whose buffers are none of the engines'.
    calls, memory = engines.gpu_calls(chosen), tab.call("memory")
    builds = scan.builds(settings, list(engines.records))
    scans = scan.measure_scans(
        tab,
        Chain.of(plan),
        settings.scan,
        lambda chain, tokens: made.scan(chain, tokens, builds),
        lambda one: time_in_turns(one, one.names, one.load, settings.rounds, say),
    )
    return {
        "format": FORMAT,
        "version": VERSION,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "thistledown": _own_version(),
        "model": model.facts(),
        "device": tab.call("device"),
        "settings": settings.described(),
        "engines": engines.described(missing),
        "checks": checks + scans.checks,
        "workloads": measured + scans.rows,
        "left_out": left_out + scans.left_out,
        "counts": plan_counts(plan),
        "gpu_calls": calls,
        "memory": memory,
        "kernels": kernel_bench(tab, plan, say) if settings.kernels else None,
    }


def time_in_turns(tab: Caller, names: Sequence[str], load: Workload, rounds: int, say: Say) -> dict[str, Any]:
    """One warm-up of each engine, then all of them once a round; the order turns, so that none is always first."""
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        shift = turn % len(names)
        for name in (*names[shift:], *names[:shift]):
            milliseconds = tab.call("measure", name, load.method, list(load.args), load.key)
            if turn > 0:
                times[name].append(milliseconds)
        say(f"{load.name}: {'warm-up' if turn == 0 else f'round {turn} of {rounds}'}")
    return described(load, times)


def described(load: Workload, times: dict[str, list[float]]) -> dict[str, Any]:
    """A row of the result."""
    spreads = {name: Spread.of(values) for name, values in times.items()}
    return {
        "name": load.name,
        "kind": load.method if load.key != "firstMs" else "first token",
        "tokens": load.tokens,
        "context": load.context,
        "milliseconds": times,
        "median_ms": {name: spread.median for name, spread in spreads.items()},
        "tokens_per_second": {name: 1000 * load.tokens / spread.median for name, spread in spreads.items()},
        "times_as_long": {peer: asdict(spread) for peer, spread in ratios(times, OURS).items()},
    }


def _own_version() -> str:
    try:
        return version("thistledown")
    except PackageNotFoundError:
        return "a checkout"
