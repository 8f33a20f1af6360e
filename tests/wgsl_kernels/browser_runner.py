"""Run catalog cases in a browser's page (Dawn and tint) and bring back what they wrote."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from tests.wgsl_kernels.layout import bound_bytes, read_back
from wgsl_kernels import Kernel, Tier, compose, grid
from wgsl_kernels.reference.inputs import Case

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_ORIGIN = "http://localhost/"  # never fetched: WebGPU wants a secure context, and localhost is one


def open_page(browser: "Browser") -> "Page":
    """An empty page with WebGPU and the runner's functions."""
    page = browser.new_page()
    page.route(f"{_ORIGIN}**", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto(_ORIGIN)
    page.add_script_tag(content=Path(__file__).with_name("browser_runner.js").read_text())
    return page


def compile_messages(page: "Page", wgsl: str) -> list[str]:
    """What tint says about a shader on a device without features."""
    messages: list[str] = page.evaluate("(code) => compile([], code)", wgsl)
    return messages


def run_cases(
    page: "Page", kernel: Kernel, tier: Tier, cases: Sequence[Case]
) -> list[Mapping[str, NDArray[Any]]]:
    """The written bindings of every case, all run in one call."""
    message = [
        list(tier.features),
        compose(kernel, tier, minify=True),
        [_dispatch(kernel, case) for case in cases],
    ]
    texts = page.evaluate("([features, code, dispatches]) => runAll(features, code, dispatches)", message)
    written = [binding for binding in kernel.bindings if binding.access == "write"]
    return [
        {
            binding.name: read_back(binding, case, base64.b64decode(text))
            for binding, text in zip(written, of_case, strict=True)
        }
        for case, of_case in zip(cases, texts, strict=True)
    ]


def best_times(page: "Page", shaders: Sequence[Kernel], tier: Tier, case: Case, rounds: int) -> list[float]:
    """Seconds of the best round of each shader, each with its own grid; they must share one row's bindings."""
    timed = [[compose(shader, tier, minify=True), _dispatch(shader, case)] for shader in shaders]
    times: list[float] = page.evaluate(
        "([features, timed, rounds]) => bestTimes(features, timed, rounds)",
        [list(tier.features), timed, rounds],
    )
    return times


def _dispatch(kernel: Kernel, case: Case) -> dict[str, Any]:
    bound = [
        {
            "binding": binding.index,
            "uniform": binding.access == "uniform",
            "written": binding.access == "write",
            "data": base64.b64encode(bound_bytes(binding, case)).decode(),
        }
        for binding in kernel.bindings
    ]
    return {"constants": dict(case.constants), "grid": list(grid(kernel, case.names)), "bound": bound}
