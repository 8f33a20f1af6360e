"""What one token costs, counted from the plan alone: the same on every machine, however slow its GPU."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

Plan = Mapping[str, Any]
Dispatch = Mapping[str, Any]

ONE_TOKEN = ("decode", "sample")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_BARRIER = re.compile(r"\b(?:workgroupBarrier|storageBarrier|workgroupUniformLoad)\s*\(")


def plan_counts(plan: Plan) -> dict[str, Any]:
    """Counts of a decoded token, or of one batch of an encoder."""
    phases = [name for name in ONE_TOKEN if name in plan["phases"]] or ["encode"]
    dispatches = [dispatch for name in phases for dispatch in plan["phases"][name]]
    bound = bytes_bound(plan, dispatches)
    return {
        "phases": phases,
        "dispatches": len(dispatches),
        "kernels": len(plan["kernels"]),
        "shaders": len(plan["shaders"]),
        "bytes_bound": bound,
        "bytes_bound_total": sum(bound.values()),
        "weights_and_states": weights_and_states(plan),
        "barriers": sum(barriers(plan, dispatch) for dispatch in dispatches),
        "storage_buffers": max(len(dispatch["bind"]) for dispatch in dispatches),
        "buffers": len(plan["buffers"]),
        "memory": dict(plan["memory"]),
    }


def bytes_bound(plan: Plan, dispatches: Iterable[Dispatch]) -> dict[str, int]:
    """Kind of buffer -> bytes bound to the dispatches; of embeddings and experts what is read of them.

    A range that one dispatch binds twice counts once. A cache counts as full where it is read, and as one row where a
    token's keys and values are written.
    """
    found: dict[str, int] = {}
    for dispatch in dispatches:
        ranges = {(buffer, offset, size) for _, buffer, offset, size in dispatch["bind"]}
        for buffer, _, size in ranges:
            kind = plan["buffers"][buffer]["kind"]
            found[kind] = found.get(kind, 0) + _read(plan, dispatch, kind, size)
    return found


def _read(plan: Plan, dispatch: Dispatch, kind: str, size: int) -> int:
    kernel = plan["kernels"][dispatch["kernel"]]
    constants = kernel["constants"]
    if kind == "state" and kernel["shader"].startswith("cache_write"):
        return int(size // plan["symbols"]["past"])
    if kind != "weight":
        return size
    if "expert_count" in constants:
        return int(size * constants["slots"] // constants["expert_count"])
    if kernel["shader"].startswith("gather"):
        return int(size // constants["rows"])
    return size


def weights_and_states(plan: Plan) -> int:
    """Bytes that a token must read at least: all weights and states once, each stored byte once."""
    kinds = ("weight", "state")
    return sum(int(buffer["bytes"]) for buffer in plan["buffers"] if buffer["kind"] in kinds)


def barriers(plan: Plan, dispatch: Dispatch) -> int:
    """Places in the dispatch's shader where a workgroup waits for itself; loops may pass one many times."""
    source: str = plan["shaders"][plan["kernels"][dispatch["kernel"]]["shader"]]
    return len(_BARRIER.findall(_COMMENT.sub("", source)))
