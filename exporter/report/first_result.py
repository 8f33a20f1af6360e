"""When the first token, embedding or label is there: the download, and what the device does, counted from the plan."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from exporter.artifact import read_artifact_plan
from exporter.report.devices import DEVICES, Device
from exporter.report.networks import NETWORKS
from exporter.report.situations import Situation

# What is read before the first result: a paragraph.
TOKENS = 128
_PHASES = ("prefill", "head", "sample", "encode")
_OF_ALL_TOKENS = ("prefill", "encode")
_WORDS = {"text-generation": "token", "sentence-embedding": "embedding"}
_TABLES = "gather"


@dataclass(frozen=True)
class Work:
    """What a device does: pipelines that it compiles while weights come, and all else after the last of them."""

    pipelines: int
    dispatches: int
    bytes: int
    flop: int

    def answer(self, device: Device) -> float:
        """Seconds after the last weight, as if reading and computing never overlapped."""
        moving, computing = self.bytes / device.bytes_per_second, self.flop / device.flop_per_second
        return self.dispatches * device.dispatch_seconds + moving + computing


@dataclass(frozen=True)
class FirstResult:
    """`what` comes first after a text of `tokens`, and for each tier the work until then and the seconds of it all."""

    what: str
    tokens: int
    work: Mapping[str, Work]
    seconds: Mapping[str, Mapping[str, Mapping[str, float]]]


def first_result(folder: Path, task: str, visit: Situation) -> FirstResult:
    """Of a `visit` to the artifact in `folder`: seconds by tier, device and network.

    Raises ArtifactError for a plan that is missing or damaged.
    """
    work = {tier: _work(*read_artifact_plan(folder, tier)) for tier in visit.trips}
    seconds = {
        tier: {device.name: _by_network(found, device, visit.seconds(tier)) for device in DEVICES}
        for tier, found in work.items()
    }
    return FirstResult(_WORDS.get(task, "answer"), TOKENS, work, seconds)


def _by_network(work: Work, device: Device, downloads: Mapping[str, float]) -> Mapping[str, float]:
    compiling, answer = work.pipelines * device.compile_seconds, work.answer(device)
    return {network.name: max(downloads[network.name], compiling) + answer for network in NETWORKS}


def _work(manifest: Mapping[str, Any], plan: Mapping[str, Any]) -> Work:
    """Counts of one text; a canary, where there is one, has few tokens and reads all weights as well."""
    calls = [*_calls(plan)]
    times = 2 if manifest.get("canary") else 1
    kernels = {call["kernel"] for dispatches in plan["phases"].values() for call in dispatches}
    return Work(
        pipelines=len(kernels),
        dispatches=times * sum(repeats for _, _, repeats in calls),
        bytes=times * sum(repeats * _weights(plan, call) for call, _, repeats in calls),
        flop=sum(tokens * _flop(plan["kernels"][call["kernel"]]) for call, tokens, _ in calls),
    )


def _calls(plan: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], int, int]]:
    """Each dispatch before the first result, for how many tokens it is, and how often it is played."""
    blocks = ceil(TOKENS / plan["symbols"]["tokens"])
    for phase in _PHASES:
        many = phase in _OF_ALL_TOKENS
        for call in plan["phases"].get(phase, ()):
            yield call, TOKENS if many else 1, blocks if many else 1


def _weights(plan: Mapping[str, Any], call: Mapping[str, Any]) -> int:
    """Bytes of weights that it reads; of tables it reads a few rows only."""
    if plan["kernels"][call["kernel"]]["shader"].startswith(_TABLES):
        return 0
    bound: set[Sequence[int]] = {tuple(range_) for _, *range_ in call["bind"]}
    return sum(size for buffer, _, size in bound if plan["buffers"][buffer]["kind"] == "weight")


def _flop(kernel: Mapping[str, Any]) -> int:
    """Multiplications and additions of products with weights, a token; attention and scans are little beside."""
    constants = kernel["constants"]
    # Of experts that are stored in several parts, the first stands for all that a token goes to.
    if not {"gemm", "gemv"}.intersection(kernel["shader"].split("_")) or constants.get("first_expert", 0):
        return 0
    inner, rows, slots = (constants.get(name, 1) for name in ("inner", "rows", "slots"))
    return max(0, int(2 * inner * rows * slots))
