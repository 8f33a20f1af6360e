"""A kernel's answer in the browser against its NumPy twin, over the cases of its catalog row."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wgsl_kernels import Binding, Kernel, Tier, compose, grid
from wgsl_kernels.reference import inputs_of, twin_of

Array = NDArray[Any]

MODULE = "kernels.js"
MOST_CASES = 2


class Caller(Protocol):
    """What is needed of the tab."""

    def call_of(self, module: str, name: str, *args: object) -> Any:
        """The value of that function of a module of page/."""


def check_kernel(tab: Caller, kernel: Kernel, tier: Tier) -> dict[str, Any]:
    """Whether the row's first cases agree, and the largest error as a part of what the row allows."""
    worst = max(_error(tab, kernel, tier, numbers) for numbers in kernel.cases[:MOST_CASES])
    return {
        "agrees": bool(worst <= 1),
        "error_of_allowed": worst if np.isfinite(worst) else None,  # JSON has no other numbers
        "cases": min(MOST_CASES, len(kernel.cases)),
    }


def _error(tab: Caller, kernel: Kernel, tier: Tier, numbers: Mapping[str, float]) -> float:
    case = inputs_of(kernel, numbers, tier.elem)
    bound = [_bound(binding, case) for binding in kernel.bindings]
    written = [index for index, binding in enumerate(kernel.bindings) if binding.access == "write"]
    job = {
        "code": compose(kernel, tier, minify=True),
        "constants": dict(case.constants),
        "grid": list(grid(kernel, case.names)),
        "bound": bound,
    }
    words = tab.call_of(MODULE, "runKernel", job, written)
    wanted = twin_of(kernel)(case.inputs, case.constants, case.step)
    errors = []
    for index, found in zip(written, words, strict=True):
        before = _values(kernel.bindings[index], case)
        got = np.array(found, np.uint32).view(before.dtype)[: before.size].reshape(before.shape)
        errors.append(error_of_allowed(kernel, tier, got, wanted[kernel.bindings[index].name]))
    return max(errors)


def _bound(binding: Binding, case: Any) -> dict[str, Any]:
    data = np.ascontiguousarray(_values(binding, case)).tobytes()
    data += b"\xff" * (-len(data) % 4)
    words = np.frombuffer(data, np.uint32).tolist()
    return {"binding": binding.index, "bytes": len(data), "fill": "words", "words": words}


def _values(binding: Binding, case: Any) -> Array:
    """What the binding holds before the kernel runs."""
    values: Array = case.step.words() if binding.dtype == "step" else case.inputs[binding.name]
    return values


def error_of_allowed(kernel: Kernel, tier: Tier, got: Array, want: Array) -> float:
    """The largest difference as a part of the row's tolerance; integers and NaN have to be equal."""
    if want.dtype.kind != "f":
        return 0.0 if np.array_equal(got, want) else float("inf")
    if not np.array_equal(np.isnan(got), np.isnan(want)):
        return float("inf")
    relative = kernel.tolerance.f16 if tier.elem == "f16" else kernel.tolerance.f32
    allowed = relative * np.nanmax(np.abs(want), initial=0.0) + kernel.tolerance.absolute
    error = np.nanmax(np.abs(got.astype(np.float64) - want), initial=0.0)
    if error == 0:
        return 0.0
    return float(error / allowed) if allowed else float("inf")
