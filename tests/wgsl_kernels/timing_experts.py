"""Time a mixture of experts in the form for few tokens (GEMV) beside that for many (grouped GEMM).

    python -m tests.wgsl_kernels.timing_experts --tokens 1 8 64 --format q4 --repeat 5

The sizes are Granite-4.0-H-Tiny's. Both forms play one after the other, several rounds, and the best round counts; only
the ratio means something. Few tokens choose their experts on the way; for many, `top_experts` is left out.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.wgsl_kernels import wgpu_runner
from tests.wgsl_kernels.timing import best_times
from wgsl_kernels import CATALOG, FORMATS, TIERS
from wgsl_kernels.reference import Step
from wgsl_kernels.reference.experts import group_by_expert, top_experts
from wgsl_kernels.reference.inputs import make_case

HIDDEN, WIDTH, EXPERTS, SLOTS = 1536, 512, 64, 6  # f32 would pass the binding limit

Arrays = Mapping[str, NDArray[Any]]


def main() -> None:
    options = _parser().parse_args()
    for tokens in options.tokens:
        routes = _routes(tokens)
        up = {"inner": HIDDEN, "rows": 2 * WIDTH}
        down = {"inner": WIDTH, "rows": HIDDEN, "accumulate": 0}
        few = _form(
            tokens, routes, {f"experts_{way}_gemv_{options.format}": sizes for way, sizes in _ways(up, down)}
        )
        many = _form(
            tokens,
            routes,
            {
                "group_by_expert": {},
                **{f"experts_{way}_gemm_{options.format}": sizes for way, sizes in _ways(up, down)},
                "sum_experts": {"width": HIDDEN},
            },
        )
        seconds = best_times([_in_turn(few), _in_turn(many)], options.repeat, few[0].device)
        print(
            f"{tokens:4} tokens: GEMV {seconds[0] * 1e3:9.2f} ms, GEMM {seconds[1] * 1e3:9.2f} ms, "
            f"GEMM / GEMV {seconds[1] / seconds[0]:.2f}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--format", choices=FORMATS, default="q4")
    parser.add_argument("--repeat", type=int, default=5)
    return parser


def _ways(up: Mapping[str, float], down: Mapping[str, float]) -> tuple[tuple[str, Mapping[str, float]], ...]:
    return ("up", up), ("down", down)


def _routes(tokens: int) -> Arrays:
    """Router logits, the experts that they choose for a token's slots, and the pairs in the order of these."""
    logits = np.random.default_rng(tokens).normal(0, 1, (tokens, EXPERTS)).astype(np.float32)
    chosen = top_experts({"logits": logits}, {"slots": SLOTS}, Step(tokens=tokens))["experts"]
    grouped = group_by_expert({"experts": chosen}, {"expert_total": EXPERTS}, Step(tokens=tokens))
    bits = np.take_along_axis(logits.view(np.uint32), chosen.astype(int), axis=-1)
    return {"logits": logits, "routes": np.stack([chosen, bits], axis=-1), **grouped}


def _form(
    tokens: int, routes: Arrays, kernels: Mapping[str, Mapping[str, float]]
) -> list[wgpu_runner.Prepared]:
    """The dispatches of one form, each with its own noise and all with the same routes."""
    cut = {
        "tokens": tokens,
        "slots": SLOTS,
        "expert_total": EXPERTS,
        "first_expert": 0,
        "expert_count": EXPERTS,
    }
    prepared = []
    for name, sizes in kernels.items():
        kernel = CATALOG[name]
        case = make_case(kernel, {**cut, **sizes}, "f32")
        read = {binding.name for binding in kernel.bindings if binding.access == "read"}
        shared = {key: array for key, array in routes.items() if key in read}
        case = replace(case, inputs={**case.inputs, **shared})
        prepared.append(wgpu_runner.prepare(kernel, TIERS["base"], case))
    return prepared


def _in_turn(prepared: list[wgpu_runner.Prepared]) -> Callable[[], None]:
    def play() -> None:
        for each in prepared[:-1]:
            each.submit()
        prepared[-1].play()

    return play


if __name__ == "__main__":
    main()
