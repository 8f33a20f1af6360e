"""Time a kernel, and other shaders for the same catalog row beside it, on lavapipe (or a GPU) or in Chromium.

    python -m tests.wgsl_kernels.timing gemm_q4_store tokens=200 inner=384 rows=1152 out_stride=1152 column=0 alpha=1 \\
        --against tests/wgsl_kernels/baselines/gemm_naive.wgsl [--browser] [--repeat 5]

Each shader runs in turn, several rounds, and the best round counts: only ratios within one run mean something. On
lavapipe the times are of the processor, which other work on the machine disturbs least. Every shader is checked against
the twin first.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.conftest import CHROMIUM_FLAGS
from tests.wgsl_kernels import browser_runner, wgpu_runner
from tests.wgsl_kernels.layout import check
from wgsl_kernels import CATALOG, TIERS, Kernel
from wgsl_kernels.reference.inputs import Case, make_case


def main() -> None:
    options = _parser().parse_args()
    kernel, tier = CATALOG[options.kernel], TIERS[options.tier]
    numbers = {name: float(value) for name, value in (each.split("=") for each in options.numbers)}
    case = make_case(kernel, numbers or kernel.cases[-1], tier.elem)
    shaders = [kernel, *(replace(kernel, shader=str(path.resolve())) for path in options.against)]
    best = (_in_browser if options.browser else _on_wgpu)(shaders, options.tier, case, options.repeat)
    for shader, seconds in zip(shaders, best, strict=True):
        print(f"{Path(shader.shader).name:28} {seconds * 1e3:9.2f} ms   {seconds / best[0]:6.2f}x")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kernel", choices=CATALOG)
    parser.add_argument("numbers", nargs="*", metavar="NAME=NUMBER", help="the case; else the row's last one")
    parser.add_argument(
        "--against", type=Path, action="append", default=[], help="another shader for the row"
    )
    parser.add_argument("--tier", choices=TIERS, default="base")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--browser", action="store_true")
    return parser


def _on_wgpu(shaders: list[Kernel], tier: str, case: Case, repeat: int) -> list[float]:
    for shader in shaders:
        check(shader, TIERS[tier], case, wgpu_runner.run(shader, TIERS[tier], case))
    prepared = [wgpu_runner.prepare(shader, TIERS[tier], case) for shader in shaders]
    return best_times([each.play for each in prepared], repeat, prepared[0].device)


def _in_browser(shaders: list[Kernel], tier: str, case: Case, repeat: int) -> list[float]:
    from playwright.sync_api import sync_playwright

    from scripts.programs import find_chromium

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_FLAGS))
        page = browser_runner.open_page(browser)
        for shader in shaders:
            check(shader, TIERS[tier], case, browser_runner.run_cases(page, shader, TIERS[tier], [case])[0])
        best = browser_runner.best_times(page, shaders, TIERS[tier], case, repeat)
        browser.close()
    return best


def best_times(plays: list[Callable[[], None]], repeat: int, device: Any) -> list[float]:
    """Seconds of the best of so many rounds: of the processor where the wgpu device is software."""
    software = device.adapter.info["adapter_type"] == "CPU"
    clock = time.process_time if software else time.perf_counter
    rounds = [[_seconds(play, clock) for play in plays] for _ in range(repeat)]
    return [min(times) for times in zip(*rounds, strict=True)]


def _seconds(play: Callable[[], None], clock: Callable[[], float]) -> float:
    begin = clock()
    play()
    return clock() - begin


if __name__ == "__main__":
    main()
