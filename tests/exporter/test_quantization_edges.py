"""Edges of q2, stored zero points, half-quadratic rounding and GPTQ: tiny, huge and empty weights, dead inputs."""

import numpy as np
import pytest

from exporter.errors import SchemeError, WeightsError
from exporter.quantization import METHODS, SCHEMES, Curvature, Packed, dequantize, quantize

FORMS = ("q2", "q2z", "q4z", "q8z")
ALL = ("q8", "q4", *FORMS)
SMALLEST_SCALE = 2.0**-14


def rounded(name: str, weight: np.ndarray, method: str, hessian: np.ndarray | None = None) -> Packed:
    """`weight` by `method`; GPTQ with inputs that do not depend on each other unless `hessian` is given."""
    known = np.eye(weight.shape[1], dtype=np.float32) if hessian is None else hessian
    return quantize(SCHEMES[name], weight, "w", method, known if method == "gptq" else hessian)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [1e-3, 1e-7, 1e-44])
def test_no_scale_is_subnormal_and_tiny_weights_stay_near(name: str, method: str, size: float) -> None:
    weight = (np.random.default_rng(5).uniform(-1, 1, (8, 70)) * size).astype(np.float32)
    packed = rounded(name, weight, method)
    scales = np.abs(packed.scales[packed.scales != 0].astype(np.float32))
    assert (scales >= SMALLEST_SCALE).all()
    # A step is at most the range of a block over the levels on the shorter side of its zero.
    assert np.abs(weight - dequantize(packed, 70)).max() <= max(SMALLEST_SCALE, 1.5 * size)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ALL)
def test_zeros_stay_zeros_beside_other_blocks(name: str, method: str) -> None:
    weight = np.zeros((3, 80), np.float32)
    weight[1, 32:64] = np.random.default_rng(1).standard_normal(32)
    back = dequantize(rounded(name, weight, method), 80)
    assert not back[weight == 0].any()
    assert back[1].any()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ALL)
def test_blocks_of_one_sign_far_from_zero_are_rounded_within_a_step(name: str, method: str) -> None:
    weight = np.random.default_rng(2).uniform(5, 6, (4, 64)).astype(np.float32)
    back = dequantize(rounded(name, weight, method), 64)
    scheme = SCHEMES[name]
    levels = 2**scheme.bits - 1 if scheme.zeros else scheme.zero_point
    assert np.abs(weight - back).max() <= 6 / levels


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, 65504 * 129.0])
def test_values_that_no_scale_reaches_are_refused(name: str, method: str, bad: float) -> None:
    weight = np.ones((4, 64), np.float32)
    weight[1, 1:4] = bad
    with pytest.raises(WeightsError, match=r'"w" has 3 values'):
        rounded(name, weight, method)


def test_rounding_is_found_by_name_and_the_nearest_is_suggested() -> None:
    with pytest.raises(SchemeError, match='"gptq"'):
        quantize(SCHEMES["q4"], np.ones((1, 32), np.float32), method="gtpq")


@pytest.mark.parametrize("name", ["q4", "q2z"])
def test_gptq_without_texts_is_the_search(name: str) -> None:
    weight = np.random.default_rng(3).standard_normal((5, 64)).astype(np.float32)
    searched, alone = (quantize(SCHEMES[name], weight, method=method) for method in ("search", "gptq"))
    assert searched.b.tobytes() == alone.b.tobytes()
    assert searched.scales.tobytes() == alone.scales.tobytes()


@pytest.mark.parametrize("name", ALL)
def test_gptq_stays_near_the_weights_where_inputs_are_always_zero_or_all_alike(name: str) -> None:
    """Such moments are singular: nothing says how an error could be made good, or anything may."""
    weight = np.random.default_rng(4).uniform(-1, 1, (6, 72)).astype(np.float32)
    alike = np.full((72, 72), 1e8, np.float32)
    step = 2 / (2 ** SCHEMES[name].bits - 1)
    back = dequantize(rounded(name, weight, "gptq", np.zeros((72, 72), np.float32)), 72)
    assert np.abs(weight - back).max() <= step
    back = dequantize(rounded(name, weight, "gptq", alike), 72)
    # With inputs all alike only the sum of a row matters, and the last columns mend it.
    assert np.abs((back - weight).sum(axis=1)).max() <= 4 * step


def test_moments_that_cannot_be_right_are_refused() -> None:
    weight = np.ones((2, 64), np.float32)
    with pytest.raises(WeightsError, match="rows of 64, the second moments of its inputs are of 32"):
        rounded("q4", weight, "gptq", np.eye(32, dtype=np.float32))
    for bad in (np.ones((64, 32), np.float32), np.full((64, 64), np.nan, np.float32)):
        with pytest.raises(WeightsError, match="not finite"):
            Curvature(bad)


@pytest.mark.parametrize("bits", [2, 4])
def test_half_quadratic_rounding_next_to_onnxruntimes(bits: int) -> None:
    """Its zero points are fractions, so its bytes cannot be ours; ours leave more values near, in whole levels."""
    torch = pytest.importorskip("torch")
    from onnxruntime.quantization.matmul_nbits_quantizer import (
        HQQWeightOnlyQuantConfig,
        HQQWeightOnlyQuantizer,
    )

    weight = (np.random.default_rng(6).standard_t(4, (64, 96)) * 0.05).astype(np.float32)
    theirs = HQQWeightOnlyQuantizer(HQQWeightOnlyQuantConfig(block_size=32, bits=bits))
    q, scale, zero = (
        part.numpy() for part in theirs.quantize_internal(torch.from_numpy(weight), bits=bits, group_size=32)
    )
    levels = q.reshape(64, 3, 32) - zero[..., None]
    their_error = np.sqrt(np.abs(weight - (levels * scale[..., None]).reshape(64, 96))).mean()
    back = dequantize(quantize(SCHEMES[f"q{bits}z"], weight, method="hqq"), 96)
    assert np.sqrt(np.abs(weight - back)).mean() <= 1.02 * their_error
