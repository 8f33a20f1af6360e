"""q2 and stored zero points, in every way of rounding: onnxruntime's bytes and products, rows on their own."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi._pybind_state import quantize_matmul_2bits, quantize_matmul_4bits, quantize_matmul_8bits

from exporter.quantization import METHODS, SCHEMES, Curvature, Packed, dequantize, quantize

FORMS = ("q2", "q2z", "q4z", "q8z")
ALL = ("q8", "q4", *FORMS)
QUANTIZERS = {2: quantize_matmul_2bits, 4: quantize_matmul_4bits, 8: quantize_matmul_8bits}


def by_onnxruntime(name: str, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blocks, float32 scales and zero points of onnxruntime's own quantizer."""
    scheme, (rows, inner) = SCHEMES[name], weight.shape
    blocks = scheme.blocks(inner)
    b = np.zeros(scheme.shape(rows, inner), np.uint8)
    scales = np.zeros((rows, blocks), np.float32)
    zeros = np.zeros((rows, -(-blocks * scheme.bits // 8)), np.uint8)
    columns = np.ascontiguousarray(weight.T)
    QUANTIZERS[scheme.bits](b, columns, scales, zeros, scheme.block, rows, inner, not scheme.zeros)
    return b, scales, zeros


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("blocks", [1, 3, 5])
def test_plain_rounding_gives_onnxruntimes_bytes_where_float16_holds_its_scales(
    name: str, blocks: int
) -> None:
    """Levels are at most 0.3 from whole, so that both round alike; the ends of each block are whole.

    Bits left over after a row's last zero point mean nothing: 0 here, the middle of the range there.
    """
    rng = np.random.default_rng(blocks)
    scheme = SCHEMES[name]
    top = 2**scheme.bits - 1
    shape = (64, blocks, 1)
    zero = rng.integers(0, top + 1, shape) if scheme.zeros else np.full(shape, scheme.zero_point)
    scale = rng.integers(1, 2000, shape) / 4096
    q = rng.integers(1, top, (64, blocks, 32)) + rng.uniform(-0.3, 0.3, (64, blocks, 32))
    q[..., 3], q[..., 9] = 0, top
    weight = ((q - zero) * scale).reshape(64, -1).astype(np.float32)
    b, scales, zeros = by_onnxruntime(name, weight)
    packed = quantize(scheme, weight, method="nearest")
    np.testing.assert_array_equal(packed.scales, scales.astype(np.float16))
    exact = packed.scales.astype(np.float32) == scales
    assert exact.mean() > 0.5
    np.testing.assert_array_equal(packed.b[exact], b[exact])
    if packed.zeros is not None:
        used = np.full(zeros.shape[1], 255)
        used[-1] >>= 8 * zeros.shape[1] - blocks * scheme.bits
        np.testing.assert_array_equal(packed.zeros & used, zeros & used)


def product(packed: Packed, x: np.ndarray, inner: int) -> np.ndarray:
    """x @ weight.T as onnxruntime computes it from our bytes."""
    rows = packed.b.shape[0]
    arrays = {"b": packed.b, "s": packed.scales.astype(np.float32)}
    if packed.zeros is not None:
        arrays["z"] = packed.zeros
    sizes = {"K": inner, "N": rows, "bits": packed.scheme.bits, "block_size": packed.scheme.block}
    node = helper.make_node("MatMulNBits", ["x", *arrays], ["y"], domain="com.microsoft", **sizes)
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x.shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [x.shape[0], rows])],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    content = helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {"x": x})[0]
    return result


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(("rows", "inner"), [(64, 96), (7, 80), (5, 31), (1, 1), (16, 384)])
def test_onnxruntime_multiplies_by_what_dequantize_gives(name: str, rows: int, inner: int) -> None:
    rng = np.random.default_rng(rows)
    packed = quantize(SCHEMES[name], (rng.standard_normal((rows, inner)) * 0.05).astype(np.float32))
    x = rng.standard_normal((4, inner)).astype(np.float32)
    expected = x.astype(np.float64) @ dequantize(packed, inner).astype(np.float64).T
    np.testing.assert_allclose(product(packed, x, inner), expected, rtol=0, atol=1e-5)


def inputs(inner: int, count: int = 400) -> np.ndarray:
    """Inputs that depend on each other and differ in size, as those of a network do."""
    rng = np.random.default_rng(8)
    mixed = rng.standard_normal((count, inner)) @ rng.standard_normal((inner, inner)) / np.sqrt(inner)
    return (mixed + 2 * rng.standard_normal((count, 1)) * rng.uniform(0, 1, inner)).astype(np.float32)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ALL)
def test_a_rows_bytes_are_the_same_whichever_rows_are_beside_it(name: str, method: str) -> None:
    weight = np.random.default_rng(4).standard_normal((700, 72)).astype(np.float32)
    x = inputs(72)
    curvature = Curvature(x.T @ x)
    whole = quantize(SCHEMES[name], weight, method=method, hessian=curvature)
    part = quantize(SCHEMES[name], weight[301:305], method=method, hessian=curvature)
    np.testing.assert_array_equal(whole.b[301:305], part.b)
    np.testing.assert_array_equal(whole.scales[301:305], part.scales)
    if whole.zeros is not None and part.zeros is not None:
        np.testing.assert_array_equal(whole.zeros[301:305], part.zeros)
    assert (np.abs(whole.scales.astype(np.float32)) >= 2.0**-14).all()


@pytest.mark.parametrize("name", ALL)
def test_gptq_changes_products_less_than_the_search_and_that_less_than_plain_rounding(name: str) -> None:
    weight = (np.random.default_rng(5).standard_t(5, (64, 160)) * 0.02).astype(np.float32)
    x, unseen = inputs(160, 800)[:400], inputs(160, 800)[400:]
    hessian = (x.T @ x).astype(np.float32)
    changed = {}
    for method in ("nearest", "search", "gptq"):
        back = dequantize(quantize(SCHEMES[name], weight, method=method, hessian=hessian), 160)
        changed[method] = float(np.square(unseen @ (back - weight).T).sum())
    assert changed["gptq"] < 0.8 * changed["search"]
    assert changed["search"] < changed["nearest"]


@pytest.mark.parametrize("name", ALL)
def test_half_quadratic_rounding_leaves_more_values_near_than_plain_rounding(name: str) -> None:
    weight = np.random.default_rng(6).standard_t(3, (200, 64)).astype(np.float32)
    norms = {
        method: np.sqrt(np.abs(weight - dequantize(quantize(SCHEMES[name], weight, method=method), 64))).sum()
        for method in ("nearest", "hqq")
    }
    assert norms["hqq"] < norms["nearest"]
