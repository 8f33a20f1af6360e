from typing import Any

import numpy as np
import pytest

from bench.kernel_checks import error_of_allowed
from bench.kernels import against_roofs, distinct, flop, grid_of, symbols_of, traffic
from wgsl_kernels import CATALOG, TIERS

ROOFS = {"bytesPerSecond": 1e9, "flopPerSecond": 1e10}
GEMM = {"shader": "gemm_q4_store", "constants": {"inner": 100, "rows": 50}}
PLAN: dict[str, Any] = {
    "symbols": {"tokens": 256, "past": 4096},
    "kernels": [GEMM, {"shader": "attention_causal", "constants": {}}],
    "buffers": [
        {"name": "w", "kind": "weight", "bytes": 2500},
        {"name": "x", "kind": "activation", "bytes": 400},
        {"name": "keys", "kind": "state", "role": "key", "bytes": 40960},
    ],
    "phases": {
        "decode": [
            {"kernel": 0, "bind": [[0, 0, 0, 2500], [1, 1, 0, 400]], "grid": [4, 1, 1]},
            {"kernel": 0, "bind": [[0, 0, 256, 2500], [1, 1, 0, 400]], "grid": [4, 1, 1]},
            {"kernel": 1, "bind": [[0, 1, 0, 400], [1, 2, 0, 40960]], "grid": [12, 1, 1]},
        ]
    },
}


def test_dispatches_that_differ_in_place_only_are_one_row() -> None:
    assert [(phase, count) for phase, _, count in distinct(PLAN)] == [("decode", 2), ("decode", 1)]


def test_a_grid_is_worked_out_from_the_symbols() -> None:
    dispatch = {"grid": [3, {"of": "tokens", "times": 1, "per": 64}, 1]}
    assert grid_of(dispatch, {"tokens": 65}) == [3, 2, 1]


def test_a_prompt_is_timed_with_a_whole_block_and_decoding_with_one_token() -> None:
    assert symbols_of(PLAN, "prefill")["tokens"] == 256
    assert symbols_of(PLAN, "decode") == {"tokens": 1, "past": 1024, "sequences": 1}


def test_of_a_cache_only_what_is_filled_is_moved() -> None:
    attention = PLAN["phases"]["decode"][2]
    assert traffic(PLAN, attention, {"tokens": 1, "past": 1023}) == 400 + 40960 // 4


def test_operations_are_known_of_linears_only() -> None:
    assert flop(GEMM, {"tokens": 8}) == 2 * 100 * 50 * 8
    assert flop({"shader": "gemv_q4_store", "constants": GEMM["constants"]}, {"tokens": 8}) == 2 * 100 * 50
    assert flop({"shader": "rms_norm", "constants": {}}, {"tokens": 8}) is None


@pytest.mark.parametrize(("operations", "part"), [(None, 0.1), (1_000_000, 0.1), (5_000_000, 0.5)])
def test_the_nearer_roof_counts(operations: int | None, part: float) -> None:
    assert against_roofs(1.0, 100_000, operations, ROOFS)["of_roof"] == pytest.approx(part)


def test_an_error_is_told_as_a_part_of_what_the_row_allows() -> None:
    kernel = CATALOG["rms_norm"]
    want = np.array([1.0, np.nan])
    allowed = kernel.tolerance.f32 + kernel.tolerance.absolute
    got = np.array([1.0 + allowed / 2, np.nan])
    assert error_of_allowed(kernel, TIERS["base"], got, want) == pytest.approx(0.5)
    assert error_of_allowed(kernel, TIERS["base"], np.array([1.0, 0.0]), want) == float("inf")
