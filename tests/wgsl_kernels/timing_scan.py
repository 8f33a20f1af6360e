"""Time the Mamba-2 scan of many tokens in chunks (`ssd_*`) beside the serial kernel that was before.

    python -m tests.wgsl_kernels.timing_scan --tokens 256 --sizes 48 64 1 128 --repeat 5 [--browser] \\
        [--against ssd_out=build/other.wgsl]

Sizes are heads, head_dim, groups and state_size; the default ones are Granite-4.0-H-1B's. Each kernel has its own noise
and is timed alone, its best round of several counts, and the sum is compared. Nothing is checked: tests do that.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.conftest import CHROMIUM_FLAGS
from tests.wgsl_kernels import browser_runner, wgpu_runner
from tests.wgsl_kernels.timing import best_times
from wgsl_kernels import CATALOG, TIERS, Kernel
from wgsl_kernels.reference.inputs import Case, make_case

CHUNKED = ("ssd_decay", "ssd_scores", "ssd_states", "ssd_out")
SERIAL = Path(__file__).with_name("baselines") / "ssm_prefill.wgsl"

Timed = tuple[Kernel, Case]


def main() -> None:
    options = _parser().parse_args()
    for tokens in options.tokens:
        kernels = [_serial(), *(CATALOG[name] for name in CHUNKED), *map(_other, options.against)]
        timed = [(kernel, make_case(kernel, _numbers(tokens, options.sizes), "f32")) for kernel in kernels]
        seconds = (_in_browser if options.browser else _on_wgpu)(timed, options.repeat)
        whole = sum(seconds[1 : 1 + len(CHUNKED)])
        print(f"{tokens} tokens: serial {seconds[0] * 1e3:.2f} ms, chunked {whole * 1e3:.2f} ms, "
              f"serial / chunked {seconds[0] / whole:.2f}")  # fmt: skip
        for (kernel, _), each in zip(timed[1:], seconds[1:], strict=True):
            print(f"    {Path(kernel.shader).name:28} {each * 1e3:9.2f} ms")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, nargs="+", default=[256])
    parser.add_argument("--sizes", type=int, nargs=4, default=[48, 64, 1, 128])
    parser.add_argument("--against", action="append", default=[], help="KERNEL=SHADER, timed too")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--browser", action="store_true")
    return parser


def _serial() -> Kernel:
    return replace(CATALOG["ssm_step"], shader=str(SERIAL))


def _other(name_and_path: str) -> Kernel:
    name, path = name_and_path.split("=")
    return replace(CATALOG[name], shader=str(Path(path).resolve()))


def _numbers(tokens: int, sizes: Sequence[int]) -> dict[str, float]:
    heads, head_dim, groups, state_size = sizes
    inner, side = heads * head_dim, groups * state_size
    return {
        "tokens": tokens, "heads": heads, "head_dim": head_dim, "groups": groups, "state_size": state_size,
        "stride": inner + 2 * side, "x_offset": 0, "b_offset": inner, "c_offset": inner + side, "dt_stride": heads,
        "dt_offset": 0, "dt_min": 0, "dt_max": 3e38, "has_d": 1,
    }  # fmt: skip


def _on_wgpu(timed: Sequence[Timed], repeat: int) -> list[float]:
    prepared = [wgpu_runner.prepare(kernel, TIERS["base"], case) for kernel, case in timed]
    return best_times([each.play for each in prepared], repeat, prepared[0].device)


def _in_browser(timed: Sequence[Timed], repeat: int) -> list[float]:
    from playwright.sync_api import sync_playwright

    from scripts.programs import find_chromium

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_FLAGS))
        page = browser_runner.open_page(browser)
        times = [
            browser_runner.best_times(page, [kernel], TIERS["base"], case, repeat)[0]
            for kernel, case in timed
        ]
        browser.close()
    return times


if __name__ == "__main__":
    main()
