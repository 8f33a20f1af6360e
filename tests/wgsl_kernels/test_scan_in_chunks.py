"""The chunked Mamba-2 prefill as a whole: it is the recurrence, at any number of tokens, cut anywhere."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.wgsl_kernels.scan_chain import Arrays, Sizes, play_chunked, scan_case, tokens_of
from tests.wgsl_kernels.wgpu_runner import run
from wgsl_kernels import CATALOG, TIERS
from wgsl_kernels.reference.inputs import Case
from wgsl_kernels.reference.ssm import ssm

pytestmark = pytest.mark.gpu

# As for the kernels: exp of a place is good to 3 + 2|x| ulp, and sums are in f32. f16 outputs round at 2^-11.
LARGEST_ERROR = {"base": 1e-5, "f16": 7e-4}
SIZES = {
    "one of each": Sizes(1, 1, 1, 1),
    "granite": Sizes(4, 32, 1, 128),
    "eight groups": Sizes(8, 64, 8, 64, gap=4),
    "odd": Sizes(6, 37, 2, 13, gap=1),
    "bamba": Sizes(2, 80, 1, 256, gap=4),
    "limits, no D": Sizes(4, 8, 2, 16, has_d=0, dt_min=0.001, dt_max=0.1),
}


def agree(got: Arrays, wanted: Arrays, tolerance: float) -> None:
    for name in ("out", "state"):
        want = wanted[name].astype(np.float64)
        error = np.abs(got[name] - want).max() / np.abs(want).max()
        assert error <= tolerance, f"{name}: {error:.3g} of the largest value, {tolerance:.3g} allowed"


@pytest.mark.parametrize("tokens", [1, 2, 9, 63, 64, 65, 131, 256])
@pytest.mark.parametrize("sizes", SIZES)
def test_chunks_are_the_recurrence(sizes: str, tokens: int) -> None:
    case = scan_case(SIZES[sizes], tokens)
    agree(play_chunked(case), ssm(case.inputs, case.constants, case.step), LARGEST_ERROR["base"])


@pytest.mark.parametrize("sizes", ["granite", "odd"])
def test_chunks_of_halves_are_the_recurrence(sizes: str) -> None:
    case = scan_case(SIZES[sizes], 131, "f16")
    agree(play_chunked(case, "f16"), ssm(case.inputs, case.constants, case.step), LARGEST_ERROR["f16"])


@pytest.mark.parametrize("cuts", [[0, 1, 131], [0, 64, 131], [0, 67, 130, 131]])
def test_pieces_equal_the_whole(cuts: list[int]) -> None:
    """Other cuts are other chunks, so that sums are in another order: not bit for bit."""
    case = scan_case(SIZES["odd"], 131)
    state, outs = case.inputs["state"], []
    for first, end in pairwise(cuts):
        got = play_chunked(tokens_of(case, first, end, state))
        state = got["state"]
        outs.append(got["out"])
    agree({"out": np.concatenate(outs), "state": state}, play_chunked(case), LARGEST_ERROR["base"])


def test_steps_after_chunks_equal_longer_chunks() -> None:
    case = scan_case(SIZES["odd"], 70)
    got = play_chunked(tokens_of(case, 0, 67, case.inputs["state"]))
    outs = [got["out"]]
    for token in range(67, 70):
        got = run(CATALOG["ssm_step"], TIERS["base"], tokens_of(case, token, token + 1, got["state"]))
        outs.append(got["out"])
    agree({"out": np.concatenate(outs), "state": got["state"]}, play_chunked(case), LARGEST_ERROR["base"])


def test_when_all_is_done_the_state_stays() -> None:
    case = scan_case(SIZES["granite"], 67, done=1)
    got = play_chunked(case)
    np.testing.assert_array_equal(got["state"], case.inputs["state"])
    assert np.isnan(got["out"]).all()


def test_a_decay_beyond_floats_forgets_everything_before_it() -> None:
    """dt of 3e38 in the middle of a chunk: nothing becomes infinite, and what is older is gone."""
    case = scan_case(Sizes(2, 4, 1, 4, dt_max=1.0), 80)
    dt, xbc = case.inputs["dt"].copy(), case.inputs["xbc"].copy()
    dt[70] = 3e38
    xbc[70] = 0.0
    changed = {"dt": dt, "xbc": xbc, "a_log": np.array([80.0, 80.0], np.float32)}
    case = replace(case, inputs={**case.inputs, **changed})
    got = play_chunked(case)
    agree(got, ssm(case.inputs, case.constants, case.step), LARGEST_ERROR["base"])
    np.testing.assert_array_equal(got["out"][70], np.zeros(8))


@pytest.mark.parametrize("rate", [1e-4, 3.0])
def test_small_differences_survive_a_large_decay(rate: float) -> None:
    """Every 4th token is forgotten by a lot, so that places in the chunk reach thousands; one f32 sum would be off by
    1e-4 there."""
    case = scan_case(Sizes(1, 4, 1, 4, has_d=0), 64)
    dt = np.full_like(case.inputs["dt"], np.log(np.expm1(rate)))
    dt[::4] = 190.0
    fixed = {"dt": dt, "a_log": np.zeros(1, np.float32), "dt_bias": np.zeros(1, np.float32)}
    case = replace(case, inputs={**case.inputs, **fixed})
    wanted = ssm(case.inputs, case.constants, case.step)["out"]
    error = np.abs(play_chunked(case)["out"] - wanted).max(axis=1) / np.abs(wanted).max(axis=1)
    assert error.max() < 1e-5


def test_a_token_is_told_nothing_of_later_ones() -> None:
    case = scan_case(SIZES["granite"], 131)
    later = {name: _with_nan_from(case, name, 100) for name in ("xbc", "dt")}
    got = play_chunked(replace(case, inputs={**case.inputs, **later}))
    np.testing.assert_array_equal(got["out"][:96], play_chunked(case)["out"][:96])


def _with_nan_from(case: Case, name: str, token: int) -> NDArray[Any]:
    changed = case.inputs[name].copy()
    changed[token:] = np.nan
    return changed
