"""How many bytes of weights a plan reads for one token: what decides the speed of decoding on a GPU."""

from collections.abc import Mapping
from typing import Any


def weights_bound(plan: Mapping[str, Any], dispatch: Mapping[str, Any]) -> int:
    """Bytes of weights bound to a dispatch of a plan (FORMAT.md); a range that stands in for an absent bias once."""
    bound = {(buffer, offset, size) for _, buffer, offset, size in dispatch["bind"]}
    return sum(size for buffer, _, size in bound if plan["buffers"][buffer]["kind"] == "weight")


def weights_read(plan: Mapping[str, Any], phase: str = "decode") -> int:
    """Bytes of weights that one token reads in `phase`: of experts those that it goes to, of embeddings one row."""
    return sum(_read(plan, dispatch) for dispatch in plan["phases"][phase])


def _read(plan: Mapping[str, Any], dispatch: Mapping[str, Any]) -> int:
    kernel = plan["kernels"][dispatch["kernel"]]
    constants, bound = kernel["constants"], weights_bound(plan, dispatch)
    # A weight over the binding limit is cut, and what is read of all cuts is counted with the first.
    if "expert_count" in constants:
        first = constants["first_expert"] == 0
        return int(bound * constants["slots"] // constants["expert_count"]) if first else 0
    if kernel["shader"].startswith("gather"):
        return int(bound // constants["rows"]) if constants.get("row_start", 0) == 0 else 0
    return bound
