"""Quantization: the bytes mean what onnxruntime reads in them, and the searched scales are better than plain ones."""

import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from onnx import TensorProto, helper
from onnxruntime.capi._pybind_state import quantize_matmul_4bits, quantize_matmul_8bits

from exporter.checkpoints import open_checkpoint
from exporter.errors import SchemeError, WeightsError
from exporter.quantization import SCHEMES, Packed, dequantize, find_scheme, quantize, to_float16

BLOCKED = ("q8", "q4")
SMALLEST_SCALE = 2.0**-14
DOCUMENT = Path(__file__).parents[2] / "docs" / "quantization.md"


def random_weight(rows: int, inner: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((rows, inner)) * 0.05).astype(np.float32)


def rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(error, dtype=np.float64))))


def run_matmul_nbits(packed: Packed, x: np.ndarray, inner: int) -> np.ndarray:
    """x @ weight.T as onnxruntime's CPU kernel computes it from our bytes."""
    rows = packed.b.shape[0]
    scales = packed.scales.astype(np.float32)
    node = helper.make_node(
        "MatMulNBits", ["x", "b", "s"], ["y"], domain="com.microsoft",
        K=inner, N=rows, bits=packed.scheme.bits, block_size=packed.scheme.block,
    )  # fmt: skip
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x.shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [x.shape[0], rows])],
        [onnx.numpy_helper.from_array(packed.b, "b"), onnx.numpy_helper.from_array(scales.reshape(-1), "s")],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {"x": x})[0]
    return result


@pytest.mark.parametrize("name", BLOCKED)
@pytest.mark.parametrize(("rows", "inner"), [(64, 96), (7, 80), (3, 32), (5, 31), (1, 1), (16, 384)])
def test_onnxruntime_multiplies_by_what_dequantize_gives(name: str, rows: int, inner: int) -> None:
    packed = quantize(SCHEMES[name], random_weight(rows, inner))
    x = np.random.default_rng(1).standard_normal((4, inner)).astype(np.float32)
    expected = x.astype(np.float64) @ dequantize(packed, inner).astype(np.float64).T
    np.testing.assert_allclose(run_matmul_nbits(packed, x, inner), expected, rtol=0, atol=1e-5)


def quantize_as_onnxruntime(name: str, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scheme = SCHEMES[name]
    rows, inner = weight.shape
    b = np.zeros(scheme.shape(rows, inner), np.uint8)
    scales = np.zeros((rows, scheme.blocks(inner)), np.float32)
    zero_points = np.zeros((rows, (scheme.blocks(inner) * scheme.bits + 7) // 8), np.uint8)
    quantizer = {4: quantize_matmul_4bits, 8: quantize_matmul_8bits}[scheme.bits]
    quantizer(b, np.ascontiguousarray(weight.T), scales, zero_points, scheme.block, rows, inner, True)
    return b, scales


@pytest.mark.parametrize("name", BLOCKED)
def test_plain_rounding_gives_onnxruntimes_bytes_where_float16_holds_its_scales(name: str) -> None:
    rng = np.random.default_rng(3)
    zero_point = SCHEMES[name].zero_point
    scale = rng.integers(1, 2000, (64, 3, 1)) * rng.choice([-1, 1], (64, 3, 1)) / 4096
    level = rng.integers(-zero_point + 1, zero_point - 1, (64, 3, 32)) + rng.uniform(-0.49, 0.49, (64, 3, 32))
    level[:, :, 5] = -zero_point
    weight = (level * scale).reshape(64, 96).astype(np.float32)
    b, scales = quantize_as_onnxruntime(name, weight)
    packed = quantize(SCHEMES[name], weight, method="nearest")
    np.testing.assert_array_equal(packed.scales.astype(np.float32), scales)
    np.testing.assert_array_equal(packed.b, b)


@pytest.fixture(scope="module")
def minilm_matrices() -> Mapping[str, np.ndarray]:
    """The matrices of all-MiniLM-L6-v2: embeddings and linears, 22.7 million weights."""
    checkpoint = open_checkpoint("minilm")
    matrices = [
        name for name, info in checkpoint.tensors.items() if len(info.shape) == 2 and info.dtype == "F32"
    ]
    return {name: checkpoint.read(name) for name in matrices}


def test_onnxruntime_and_plain_rounding_nearly_agree_on_real_weights(
    minilm_matrices: Mapping[str, np.ndarray],
) -> None:
    weight = minilm_matrices["encoder.layer.0.intermediate.dense.weight"]
    for name, share in (("q4", 0.001), ("q8", 0.01)):
        b, scales = quantize_as_onnxruntime(name, weight)
        packed = quantize(SCHEMES[name], weight, method="nearest")
        np.testing.assert_array_equal(packed.scales, scales.astype(np.float16))
        assert np.mean(packed.b != b) < share


def relative_error(matrices: Mapping[str, np.ndarray], round_trip: Mapping[str, np.ndarray]) -> float:
    squares = sum(float(np.sum(np.square(w, dtype=np.float64))) for w in matrices.values())
    errors = sum(float(np.sum(np.square(w - round_trip[n], dtype=np.float64))) for n, w in matrices.items())
    return float(np.sqrt(errors / squares))


def plain_max_over_seven(weight: np.ndarray) -> np.ndarray:
    """q4 with the largest magnitude at level 7 and a float16 scale: the simplest rounding."""
    blocks = weight.reshape(-1, 32)
    scale = (np.abs(blocks).max(axis=1, keepdims=True) / 7).astype(np.float16).astype(np.float32)
    return (np.clip(np.rint(blocks / scale), -8, 7) * scale).reshape(weight.shape)


def test_documented_errors_on_real_weights_are_those_measured(
    minilm_matrices: Mapping[str, np.ndarray],
) -> None:
    ways: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
        "q4, largest magnitude / 7": plain_max_over_seven,
        "q4, signed maximum / -8": lambda w: dequantize(
            quantize(SCHEMES["q4"], w, method="nearest"), w.shape[1]
        ),
        "q4, searched": lambda w: dequantize(quantize(SCHEMES["q4"], w), w.shape[1]),
        "q8, signed maximum / -128": lambda w: dequantize(
            quantize(SCHEMES["q8"], w, method="nearest"), w.shape[1]
        ),
        "q8, searched": lambda w: dequantize(quantize(SCHEMES["q8"], w), w.shape[1]),
    }
    documented = DOCUMENT.read_text()
    for way, round_trip in ways.items():
        error = relative_error(minilm_matrices, {name: round_trip(w) for name, w in minilm_matrices.items()})
        row = f"| {way} | {100 * error:.3f} % |"
        print(row)
        assert row in documented


@pytest.mark.parametrize("name", BLOCKED)
def test_the_search_is_never_worse_in_any_block(name: str) -> None:
    weight = np.random.default_rng(4).standard_t(3, (200, 64)).astype(np.float32)
    errors = [
        np.square(weight - dequantize(quantize(SCHEMES[name], weight, method=method), 64), dtype=np.float64)
        .reshape(-1, 32)
        .sum(axis=1)
        for method in ("nearest", "search")
    ]
    assert (errors[1] <= errors[0] * (1 + 1e-5)).all()


@pytest.mark.parametrize("name", BLOCKED)
def test_the_same_weight_gives_the_same_bytes_alone_or_among_others(name: str) -> None:
    weight = random_weight(3000, 96)
    whole = quantize(SCHEMES[name], weight)
    again = quantize(SCHEMES[name], weight.copy())
    part = quantize(SCHEMES[name], weight[1700:1703])
    assert whole.b.tobytes() == again.b.tobytes()
    assert whole.scales.tobytes() == again.scales.tobytes()
    np.testing.assert_array_equal(whole.b[1700:1703], part.b)
    np.testing.assert_array_equal(whole.scales[1700:1703], part.scales)


FLOATS = st.floats(-1000, 1000, width=32)
MATRICES = st.tuples(st.integers(1, 4), st.integers(1, 70)).flatmap(
    lambda shape: npst.arrays(np.float32, shape, elements=FLOATS)
)


@settings(max_examples=150, deadline=None)
@given(weight=MATRICES, name=st.sampled_from(BLOCKED))
def test_every_value_comes_back_within_the_bound_of_its_block(weight: np.ndarray, name: str) -> None:
    scheme = SCHEMES[name]
    packed = quantize(scheme, weight, method="nearest")
    rows, inner = weight.shape
    assert packed.b.shape == scheme.shape(rows, inner)
    assert packed.scales.shape == (rows, scheme.blocks(inner))
    padded = np.zeros((rows, scheme.blocks(inner) * 32), np.float32)
    padded[:, :inner] = weight - dequantize(packed, inner)
    largest = np.abs(np.pad(weight, ((0, 0), (0, padded.shape[1] - inner)))).reshape(rows, -1, 32).max(axis=2)
    # A step at most: the side opposite to the maximum has one level less, and the scale itself was rounded.
    step = np.maximum(largest / scheme.zero_point, SMALLEST_SCALE) * (1 + 2.0**-9)
    assert (np.abs(padded).reshape(rows, -1, 32).max(axis=2) <= step).all()
    searched = quantize(scheme, weight)
    assert rms(weight - dequantize(searched, inner)) <= rms(padded[:, :inner]) * (1 + 1e-5)


@pytest.mark.parametrize("name", BLOCKED)
def test_zeros_stay_zeros_and_padding_is_the_zero_point(name: str) -> None:
    packed = quantize(SCHEMES[name], np.zeros((2, 40), np.float32))
    assert not packed.scales.any()
    assert (packed.b == {"q8": 0x80, "q4": 0x88}[name]).all()
    assert not dequantize(packed, 40).any()


@pytest.mark.parametrize("name", BLOCKED)
@pytest.mark.parametrize("size", [1e-3, 1e-5, 1e-7, 1e-30, 1e-44])
def test_no_scale_is_subnormal_and_tiny_weights_stay_near(name: str, size: float) -> None:
    weight = (np.random.default_rng(5).uniform(-1, 1, (8, 64)) * size).astype(np.float32)
    packed = quantize(SCHEMES[name], weight)
    assert (np.abs(packed.scales[packed.scales != 0].astype(np.float32)) >= SMALLEST_SCALE).all()
    assert np.abs(weight - dequantize(packed, 64)).max() <= max(SMALLEST_SCALE, size / 4) / 2


@pytest.mark.parametrize(("name", "limit"), [("q8", 65504 * 128), ("q4", 65504 * 8)])
def test_values_beyond_a_float16_scale_are_refused(name: str, limit: int) -> None:
    weight = random_weight(4, 64)
    weight[2, 40] = -limit
    assert dequantize(quantize(SCHEMES[name], weight), 64)[2, 40] == -limit
    weight[2, 40] = np.nextafter(np.float32(limit), np.float32(np.inf))
    with pytest.raises(WeightsError, match=r'"layer.w" has 1 values'):
        quantize(SCHEMES[name], weight, "layer.w")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", BLOCKED)
def test_values_that_are_not_finite_are_refused(name: str, bad: float) -> None:
    weight = random_weight(4, 64)
    weight[1, 1:4] = bad
    with pytest.raises(WeightsError, match=r'"w" has 3 values'):
        quantize(SCHEMES[name], weight, "w")


def test_only_matrices_and_only_schemes_with_blocks() -> None:
    with pytest.raises(WeightsError, match=r"shape \[4\]"):
        quantize(SCHEMES["q4"], np.ones(4, np.float32), "bias")
    with pytest.raises(SchemeError, match="no blocks"):
        quantize(SCHEMES["f16"], np.ones((4, 4), np.float32))


def test_float16_rounds_to_nearest_and_refuses_what_overflows() -> None:
    weight = np.float32([[1 / 3, 65504, -65519, 1e-9]])
    np.testing.assert_array_equal(to_float16(weight), weight.astype(np.float16))
    for bad in (65520, np.inf, np.nan):
        with pytest.raises(WeightsError, match=r'"w" has 1 values'):
            to_float16(np.float32([0, bad]), "w")


def test_schemes_are_found_by_name_and_the_nearest_is_suggested() -> None:
    assert [find_scheme(name).name for name in SCHEMES] == list(SCHEMES)
    with pytest.raises(SchemeError, match='"q4"'):
        find_scheme("q44")
    with pytest.raises(SchemeError, match="f32, f16, q8, q4"):
        find_scheme("int3")


def test_memory_is_that_of_the_result_and_a_slab() -> None:
    weight = random_weight(4096, 1024)
    tracemalloc.start()
    packed = quantize(SCHEMES["q4"], weight)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < packed.b.nbytes + packed.scales.nbytes + (8 << 20)
