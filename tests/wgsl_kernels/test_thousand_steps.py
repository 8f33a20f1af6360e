"""A thousand tokens through the decode kernel of Mamba-2, against the recurrence in float64."""

import numpy as np
import pytest

from tests.wgsl_kernels.wgpu_runner import prepare
from wgsl_kernels import CATALOG, TIERS
from wgsl_kernels.reference import Step, twin_of
from wgsl_kernels.reference.inputs import make_case

pytestmark = pytest.mark.gpu

STEPS = 1000
# What is rounded at a step fades with the state that it is part of: errors do not add up over the tokens. In the f16
# tier the two runs read the same half-precision rows and ring; the state and all sums are float32 there, too.
LARGEST_ERROR = 5e-6


@pytest.mark.parametrize("tier", ["base", "f16"])
def test_errors_do_not_grow_over_a_thousand_tokens(tier: str) -> None:
    kernel = CATALOG["mamba_step_gated"]
    numbers = next(case for case in kernel.cases if case["heads"] == 6)
    case = make_case(kernel, {**numbers, "past": 0}, TIERS[tier].elem)
    prepared, twin = prepare(kernel, TIERS[tier], case), twin_of(kernel)
    rng = np.random.default_rng(0)
    exact = dict(case.inputs)
    worst = 0.0
    for past in range(STEPS):
        row = rng.normal(0, 2, case.inputs["row"].shape).astype(case.inputs["row"].dtype)
        step = Step(past=past)
        prepared.device.queue.write_buffer(prepared.buffers["row"], 0, _whole_words(row))
        prepared.device.queue.write_buffer(prepared.buffers["step"], 0, step.words().tobytes())
        prepared.submit()
        exact |= twin({**exact, "row": row}, case.constants, step)
        if past % 100 == 99:
            worst = max(
                worst,
                _error(prepared.read("state"), exact["state"]),
                _error(prepared.read("out"), exact["out"]),
            )
    assert worst <= LARGEST_ERROR, f"off by {worst:.2g} of the largest value"


def _whole_words(array: np.ndarray) -> bytes:
    data = array.tobytes()
    return data + b"\0" * (-len(data) % 4)


def _error(data: bytes, want: np.ndarray) -> float:
    got = np.frombuffer(data, np.float32, want.size).reshape(want.shape)
    return float(np.abs(got - want).max() / np.abs(want).max())
