"""What a kernel with a state owes to the one after it: pieces make the whole, and nothing leaks in from outside."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.wgsl_kernels.wgpu_runner import run
from wgsl_kernels import CATALOG, TIERS
from wgsl_kernels.reference import Step
from wgsl_kernels.reference.inputs import Case, make_case

pytestmark = pytest.mark.gpu

Arrays = Mapping[str, NDArray[Any]]
BY_TOKEN = ("x", "out")


def run_case(kernel: str, case: Case, tier: str = "base") -> Arrays:
    return run(CATALOG[kernel], TIERS[tier], case)


def tokens_of(case: Case, first: int, end: int, state: NDArray[Any]) -> Case:
    """The case of tokens first .. end - 1 alone, with the state as it is before them."""
    rows = {name: array[first:end] for name, array in case.inputs.items() if name in BY_TOKEN}
    inputs = {**case.inputs, **rows, _state_of(case): state}
    step = Step(tokens=end - first, past=case.step.past + first)
    return replace(case, inputs=inputs, step=step, names={**case.names, "tokens": end - first})


def _state_of(case: Case) -> str:
    return "ring" if "ring" in case.inputs else "state"


def in_pieces(kernels: list[str], case: Case, cuts: list[int], tier: str = "base") -> tuple[Any, Any]:
    """The output and the last state of the pieces between `cuts`, each played by its kernel."""
    state, outs = case.inputs[_state_of(case)], []
    for kernel, first, end in zip(kernels, cuts, cuts[1:], strict=False):
        got = run_case(kernel, tokens_of(case, first, end, state), tier)
        state = got[_state_of(case)]
        outs.append(got["out"])
    return np.concatenate(outs), state


@pytest.mark.parametrize("tier", ["base", "f16"])
@pytest.mark.parametrize("cuts", [[0, 7, 33], [0, 1, 2, 3, 6, 33], [0, 32, 33]])
def test_convolution_in_pieces_equals_the_whole_bit_for_bit(cuts: list[int], tier: str) -> None:
    numbers = next(case for case in CATALOG["causal_conv"].cases if case["tokens"] == 33)
    case = make_case(CATALOG["causal_conv"], numbers, TIERS[tier].elem)
    whole = run_case("causal_conv", case, tier)
    out, state = in_pieces(["causal_conv"] * 5, case, cuts, tier)
    np.testing.assert_array_equal(out, whole["out"])
    np.testing.assert_array_equal(state, whole["ring"])


def test_softplus_is_as_exact_as_exp_from_tiny_to_large() -> None:
    heads = 511
    raw = np.linspace(-20, 90, heads, dtype=np.float32)
    got = run_case("ssm_step", _unit_case(heads, dt=raw, a_log=np.zeros(heads)))
    # WGSL's exp may be off by 3 + 2|x| ulp, 2.6e-6 at 20; log(1 + exp(x)) would be off by more than 1e-3.
    np.testing.assert_allclose(got["out"][0], np.logaddexp(0.0, raw.astype(np.float64)), rtol=3e-6)


def test_a_decay_beyond_floats_forgets_the_state_entirely() -> None:
    raw = np.array([30.0, 1e4, 1e4, 3e38], np.float32)
    got = run_case("ssm_step", _unit_case(4, dt=raw, a_log=np.array([4.0, 5.0, 80.0, 80.0]), x=0.0))
    np.testing.assert_array_equal(got["state"].ravel(), np.zeros(4))
    np.testing.assert_array_equal(got["out"].ravel(), np.zeros(4))


def _unit_case(heads: int, dt: NDArray[Any], a_log: NDArray[Any], x: float = 1.0) -> Case:
    """One token, one channel and one state a head; B = C = 1, state 0 (or 1 where x is 0), so that y = dt' x."""
    numbers = {
        "tokens": 1, "heads": heads, "head_dim": 1, "groups": 1, "state_size": 1, "stride": heads + 2, "x_offset": 0,
        "b_offset": heads, "c_offset": heads + 1, "dt_stride": heads, "dt_offset": 0, "dt_min": 0, "dt_max": 3.4e38,
        "has_d": 0,
    }  # fmt: skip
    case = make_case(CATALOG["ssm_step"], numbers, "f32")
    xbc = np.ones((1, heads + 2), np.float32)
    xbc[:, :heads] = x
    state = np.full((heads, 1, 1), float(x == 0.0), np.float32)
    given = {"xbc": xbc, "dt": dt[None], "a_log": a_log, "dt_bias": np.zeros(heads), "state": state}
    return replace(
        case, inputs={**case.inputs, **{name: array.astype(np.float32) for name, array in given.items()}}
    )


def test_causal_attention_reads_no_row_of_the_cache_beyond_its_token() -> None:
    row = CATALOG["attention_causal"]
    case = make_case(row, next(c for c in row.cases if c["context"] > c["past"] + c["tokens"]), "f32")
    rows = case.step.past + case.step.tokens
    dirty = {name: case.inputs[name].copy() for name in ("key", "value")}
    for cache in dirty.values():
        cache[rows:] = np.nan
    clean = run_case("attention_causal", case)
    got = run_case("attention_causal", replace(case, inputs={**case.inputs, **dirty}))
    np.testing.assert_array_equal(got["out"], clean["out"])


def test_causal_attention_reads_no_row_of_the_cache_before_the_window() -> None:
    row = CATALOG["attention_causal"]
    case = make_case(row, next(c for c in row.cases if 0 < c["window"] < c["past"]), "f32")
    first = case.step.past + 1 - int(case.constants["window"])
    dirty = {name: case.inputs[name].copy() for name in ("key", "value")}
    for cache in dirty.values():
        cache[:first] = np.nan
    clean = run_case("attention_causal", case)
    got = run_case("attention_causal", replace(case, inputs={**case.inputs, **dirty}))
    np.testing.assert_array_equal(got["out"], clean["out"])


def test_packed_sequences_do_not_see_each_other() -> None:
    row = CATALOG["attention_bidirectional"]
    case = make_case(row, next(c for c in row.cases if c["tokens"] == 67), "f32")
    begin, end = case.inputs["bounds"][3:5]
    shouting = {name: case.inputs[name].copy() for name in ("key", "value")}
    for rows in shouting.values():
        rows[begin:end] = 1000.0
    calm = run_case("attention_bidirectional", case)["out"]
    got = run_case("attention_bidirectional", replace(case, inputs={**case.inputs, **shouting}))["out"]
    outside = np.r_[0:begin, end : len(calm)]
    np.testing.assert_array_equal(got[outside], calm[outside])
    assert (got[begin:end] != calm[begin:end]).any()
