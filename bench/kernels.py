"""Each kernel of a plan for itself: first its answer, by the NumPy twin, then its speed, by the device's own."""

from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any, Protocol

from bench.kernel_checks import check_kernel
from bench.plan_counts import bytes_bound
from wgsl_kernels import CATALOG, TIERS, Tier

Plan = Mapping[str, Any]
Dispatch = Mapping[str, Any]

MODULE = "kernels.js"
DEVICE = "own_device.js"
PAST = 1024
SEQUENCE = 128
CACHES = ("key", "value")


class Caller(Protocol):
    """What is needed of the tab."""

    def call_of(self, module: str, name: str, *args: object) -> Any:
        """The value of that function of a module of page/."""


def kernel_bench(tab: Caller, plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """The device's roofs and a row for each kind of dispatch of the plan."""
    tier = TIERS[plan["tier"]]
    tab.call_of(DEVICE, "openDevice", list(tier.features))
    roofs = tab.call_of(MODULE, "roofs")
    say("measured the device's roofs")
    checks: dict[str, dict[str, Any]] = {}
    rows = []
    for phase, dispatch, count in distinct(plan):
        shader = str(plan["kernels"][dispatch["kernel"]]["shader"])
        if shader not in checks:
            checks[shader] = _check(tab, shader, tier)
        rows.append(
            _row(tab, plan, phase, dispatch, roofs) | {"count": count, "agrees": checks[shader]["agrees"]}
        )
        say(f"{phase} {shader}: {rows[-1]['ms']:.3f} ms")
    return {"roofs": roofs, "checks": checks, "rows": rows}


def _check(tab: Caller, shader: str, tier: Tier) -> dict[str, Any]:
    if shader not in CATALOG:
        return {"agrees": None, "reason": "the plan's shader is not in this catalog"}
    return check_kernel(tab, CATALOG[shader], tier)


def distinct(plan: Plan) -> Iterator[tuple[str, Dispatch, int]]:
    """(phase, dispatch, how often) of those that differ in kernel, grid or bound sizes."""
    for phase, dispatches in plan["phases"].items():
        found: dict[str, list[Dispatch]] = {}
        for dispatch in dispatches:
            sizes = [(binding, size) for binding, _, _, size in dispatch["bind"]]
            found.setdefault(f"{dispatch['kernel']} {dispatch['grid']} {sizes}", []).append(dispatch)
        for alike in found.values():
            yield phase, alike[0], len(alike)


def symbols_of(plan: Plan, phase: str) -> dict[str, int]:
    """The symbols that a phase is timed with: whole blocks of prompts and texts, one token else."""
    largest = plan["symbols"]
    if phase == "prefill":
        return {"tokens": largest["tokens"], "past": 0, "sequences": 1}
    if phase == "encode":
        tokens = largest["tokens"]
        return {
            "tokens": tokens,
            "past": 0,
            "sequences": max(1, min(largest["sequences"], tokens // SEQUENCE)),
        }
    return {"tokens": 1, "past": min(PAST, largest["past"] - 1), "sequences": 1}


def grid_of(dispatch: Dispatch, symbols: Mapping[str, int]) -> list[int]:
    """The dispatch's workgroups."""
    return [
        size if isinstance(size, int) else -(-symbols[size["of"]] * size["times"] // size["per"])
        for size in dispatch["grid"]
    ]


def step_words(symbols: Mapping[str, int]) -> list[int]:
    """What the kernels' `Step` holds while nothing is done yet."""
    return [symbols["tokens"], symbols["past"], symbols["sequences"], 0, 0, 1 << 30, 0, 0]


def _row(
    tab: Caller, plan: Plan, phase: str, dispatch: Dispatch, roofs: Mapping[str, float]
) -> dict[str, Any]:
    symbols = symbols_of(plan, phase)
    kernel = plan["kernels"][dispatch["kernel"]]
    job = {
        "code": plan["shaders"][kernel["shader"]],
        "constants": kernel["constants"],
        "grid": grid_of(dispatch, symbols),
        "bound": list(_bound(plan, dispatch, symbols)),
    }
    milliseconds = tab.call_of(MODULE, "timeKernel", job)
    row = {"phase": phase, "shader": kernel["shader"], "constants": kernel["constants"], "symbols": symbols}
    return row | against_roofs(
        median(milliseconds), traffic(plan, dispatch, symbols), flop(kernel, symbols), roofs
    )


def against_roofs(
    ms: float, moved: int, operations: int | None, roofs: Mapping[str, float]
) -> dict[str, Any]:
    """Time and rates, and as `of_roof` the part of the time that the nearer roof would take."""
    seconds = ms / 1000
    least = max(moved / roofs["bytesPerSecond"], (operations or 0) / roofs["flopPerSecond"])
    return {
        "ms": ms,
        "bytes": moved,
        "bytes_per_second": moved / seconds,
        "flop": operations,
        "flop_per_second": None if operations is None else operations / seconds,
        "of_roof": least / seconds,
    }


def traffic(plan: Plan, dispatch: Dispatch, symbols: Mapping[str, int]) -> int:
    """Bytes that the dispatch has to move: what is bound, of keys and values as far as they are filled."""
    caches = [bind for bind in dispatch["bind"] if plan["buffers"][bind[1]].get("role") in CACHES]
    rest = {**dispatch, "bind": [bind for bind in dispatch["bind"] if bind not in caches]}
    total = sum(bytes_bound(plan, [rest]).values())
    filled = symbols["past"] + symbols["tokens"]
    return total + sum(int(size) * filled // int(plan["symbols"]["past"]) for _, _, _, size in caches)


def flop(kernel: Mapping[str, Any], symbols: Mapping[str, int]) -> int | None:
    """Multiplications and additions of a linear; None for kernels that only memory holds up."""
    if not kernel["shader"].startswith(("gemm", "gemv")) or "expert_count" in kernel["constants"]:
        return None
    tokens = symbols["tokens"] if kernel["shader"].startswith("gemm") else 1
    return int(2 * kernel["constants"]["inner"] * kernel["constants"]["rows"] * tokens)


def _bound(plan: Plan, dispatch: Dispatch, symbols: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    seen: dict[tuple[int, int, int], int] = {}
    for index, (binding, number, offset, size) in enumerate(dispatch["bind"]):
        place = (number, offset, size)
        entry = {"binding": binding, "bytes": size, **_contents(plan["buffers"][number], symbols)}
        if place in seen:
            entry["same"] = seen[place]
        seen.setdefault(place, index)
        yield entry


def _contents(buffer: Mapping[str, Any], symbols: Mapping[str, int]) -> dict[str, Any]:
    """Noise, but where values lead somewhere: those are as in a real run."""
    kind, tokens, sequences = buffer["kind"], symbols["tokens"], symbols["sequences"]
    if kind == "step":
        return {"fill": "words", "words": step_words(symbols)}
    each = -(-tokens // sequences)
    if buffer["name"] == "bounds":
        ends = [min(tokens, each * text) for text in range(sequences + 1)]
        return {"fill": "words", "words": ends}
    if buffer["name"] == "sequence_of":
        return {"fill": "words", "words": [token // each for token in range(tokens)]}
    return {"fill": "noise" if kind in ("weight", "activation", "state", "table") else "zero"}
