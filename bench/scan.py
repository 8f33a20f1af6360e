"""The Mamba-2 scan of one layer for itself: our plan's kernels against onnxruntime-web on the artifact's own node."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bench.engines import answer_check
from bench.errors import BenchError
from bench.scan_job import Chain
from bench.settings import OURS, BenchSettings
from bench.workloads import Workload

MODULE = "scan.js"
# onnxruntime's LinearAttention on the GPU, and the one on the CPU, which has no queue to wait for.
PEERS = {"onnxruntime-web": None, "onnxruntime-web-wasm": "wasm"}
PACKAGE = "onnxruntime-web"
# Of the largest value: both sum in float32, each in its own order; in f16 our y is rounded at 2^-11 beside that.
LIMITS = {"f32": 1e-4, "f16": 5e-3}
VALUES = {"y": "y", "state": "the state after it"}


class Tab(Protocol):
    """What is needed of the tab."""

    def call_of(self, module: str, name: str, *args: object) -> Any:
        """The value of that function of a module of page/."""


@dataclass
class Scan:
    """A scan over so many tokens, open in the tab."""

    tab: Tab
    tokens: int
    limit: float
    names: list[str] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)

    @property
    def load(self) -> Workload:
        """As a row of the result calls it."""
        return Workload(f"scan {self.tokens}", "scan", (), None, self.tokens)

    def open(self, jobs: Mapping[str, Any]) -> None:
        """Ours, whose failure ends the measurement, then peers, of which one that fails or cannot run is left out."""
        self.call("openOurs", OURS, jobs[OURS])
        self.names.append(OURS)
        for name, job in jobs.items():
            if name != OURS:
                self._open_peer(name, job)

    def _open_peer(self, name: str, job: Any) -> None:
        try:
            self.call("openPeer", name, job)
            found = self.call("compare", OURS, name)
        except BenchError as error:
            self.left_out.append({"name": f"{self.load.name} by {name}", "reason": error.place})
            return
        self.names.append(name)
        self.checks += [self._check(name, what, found[value]) for value, what in VALUES.items()]

    def _check(self, peer: str, what: str, value: float) -> dict[str, Any]:
        told = f"largest difference of {what}, in parts of its largest value, {self.load.name}"
        return answer_check(told, peer, value, self.limit, value <= self.limit)

    def call(self, name: str, *args: object) -> Any:
        """The value of that function of page/scan.js."""
        return self.tab.call_of(MODULE, name, *args)


@dataclass
class Scans:
    """What came of all lengths."""

    checks: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)


def measure_scans(
    tab: Tab,
    chain: Chain | None,
    lengths: Sequence[int],
    jobs: Callable[[Chain, int], Mapping[str, Any]],
    timed: Callable[[Scan], dict[str, Any]],
) -> Scans:
    """Each length for itself: opened, compared, then `timed`; `jobs` makes what engines are told of one."""
    found = Scans()
    if chain is None:
        reason = "the model has no Mamba-2 layer"
        found.left_out = [{"name": f"scan {tokens}", "reason": reason} for tokens in lengths]
        return found
    for tokens in lengths:
        scan = Scan(tab, tokens, LIMITS[chain.tier.elem])
        scan.open(jobs(chain, tokens))
        found.rows.append(timed(scan))
        found.checks += scan.checks
        found.left_out += scan.left_out
        scan.call("close")
    return found


def builds(settings: BenchSettings, packages: Sequence[str]) -> dict[str, str]:
    """Peer -> the build of onnxruntime-web that it is, where that package is measured at all."""
    if PACKAGE not in packages:
        return {}
    return {name: build or settings.onnxruntime_build for name, build in PEERS.items()}
