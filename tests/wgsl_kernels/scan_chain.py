"""Play the chunked Mamba-2 prefill as a plan does: its kernels in turn, each on what the ones before it wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.wgsl_kernels.wgpu_runner import run
from wgsl_kernels import CATALOG, TIERS, Kernel, measure
from wgsl_kernels.reference import Step
from wgsl_kernels.reference.inputs import Case, make_case

Arrays = Mapping[str, NDArray[Any]]
CHUNKED = ("ssd_decay", "ssd_scores", "ssd_states", "ssd_out")
MOST_TOKENS = 256


@dataclass(frozen=True)
class Sizes:
    """Of a scan; rows hold x, B and C behind one another, with `gap` values before each of them."""

    heads: int
    head_dim: int
    groups: int
    state_size: int
    gap: int = 0
    has_d: int = 1
    dt_min: float = 0.0
    dt_max: float = 3.4e38

    def numbers(self, tokens: int, done: int = 0) -> dict[str, float]:
        inner, side = self.heads * self.head_dim, self.groups * self.state_size
        return {
            "tokens": tokens, "heads": self.heads, "head_dim": self.head_dim, "groups": self.groups,
            "state_size": self.state_size, "stride": inner + 2 * side + 3 * self.gap, "x_offset": self.gap,
            "b_offset": inner + 2 * self.gap, "c_offset": inner + side + 3 * self.gap, "dt_stride": self.heads + 1,
            "dt_offset": 1, "dt_min": self.dt_min, "dt_max": self.dt_max, "has_d": self.has_d, "done": done,
        }  # fmt: skip


def scan_case(sizes: Sizes, tokens: int, elem: str = "f32", done: int = 0) -> Case:
    """Inputs of a scan over so many tokens, from a state that is not zero; the same first rows for any number."""
    whole = make_case(CATALOG["ssm_step"], sizes.numbers(MOST_TOKENS, done), elem)
    return tokens_of(whole, 0, tokens, whole.inputs["state"])


def tokens_of(case: Case, first: int, end: int, state: NDArray[Any]) -> Case:
    """The case of tokens first .. end - 1 alone, with the state as it is before them."""
    rows = {name: case.inputs[name][first:end] for name in ("xbc", "dt", "out")}
    step = Step(tokens=end - first, done=case.step.done)
    return Case(
        case.constants, {**case.inputs, **rows, "state": state}, step, {**case.names, "tokens": end - first}
    )


def play_chunked(case: Case, tier: str = "base") -> Arrays:
    """`out` and `state`. Everything between is as large as the largest prefill needs, and NaN where nothing wrote."""
    held = {**case.inputs, "xbc": _in_slab(case.inputs["xbc"])}
    names = dict(case.names)
    if any(
        names[name] % 4 for name in ("head_dim", "state_size", "stride", "x_offset", "b_offset", "c_offset")
    ):
        rows = _play("ssd_align", held, names, case.step, tier)["out"]
        inner, side = (
            int(names[count]) * -(-int(names[width]) // 4) * 4
            for count, width in (("heads", "head_dim"), ("groups", "state_size"))
        )
        names |= {"stride": rows.shape[1], "x_offset": 0, "b_offset": inner, "c_offset": inner + side}
        held["xbc"] = rows
    written = {}
    for name in CHUNKED:
        got = _play(name, held, names, case.step, tier)
        held |= got
        written |= got
    return {"out": written["out"][: case.step.tokens], "state": written["state"]}


def _play(name: str, held: Arrays, names: Mapping[str, float], step: Step, tier: str) -> Arrays:
    kernel = CATALOG[name]
    blank = _blank(kernel, names, TIERS[tier].elem)
    inputs = {
        each.name: held[each.name] if each.access == "read" or each.name == "state" else blank[each.name]
        for each in kernel.bindings
        if each.dtype != "step"
    }
    constants = {override: float(np.float32(names[override])) for override in kernel.overrides}
    return run(kernel, TIERS[tier], Case(constants, inputs, step, names))


def _blank(kernel: Kernel, names: Mapping[str, float], elem: str) -> dict[str, NDArray[Any]]:
    """What is written, full of NaN, with room for the largest prefill."""
    room = {**names, "tokens": MOST_TOKENS}
    half = np.float16 if elem == "f16" else np.float32
    return {
        each.name: np.full(
            [measure(dim, room) for dim in each.shape], np.nan, half if each.dtype == "elem" else np.float32
        )
        for each in kernel.bindings
        if each.access == "write"
    }


def _in_slab(rows: NDArray[Any]) -> NDArray[Any]:
    """`rows` at the start of a slab for the largest prefill; NaN behind them."""
    return np.concatenate([rows, np.full((MOST_TOKENS - len(rows), rows.shape[1]), np.nan, rows.dtype)])
