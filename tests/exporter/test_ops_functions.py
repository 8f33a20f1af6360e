"""Every operator but the scan, against NumPy, in stock onnxruntime; and the door."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from exporter.ops import DOMAIN, FUNCTIONS, VERSION, function, functions_for
from tests.exporter.ops_runner import one_node_model, optimized_op_types, run_operator

EPSILON = 1e-5
SIGMOID_ERROR = 2e-7  # absolute: onnxruntime's CPU kernel is a rational approximation


def _random(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape) + sum(shape)).standard_normal(shape).astype(np.float32)


def _silu(x: np.ndarray) -> np.ndarray:
    wide = x.astype(np.float64)
    return wide / (1.0 + np.exp(-wide))


def _rms(x: np.ndarray) -> np.ndarray:
    wide = x.astype(np.float64)
    return wide / np.sqrt(np.mean(wide * wide, axis=-1, keepdims=True) + EPSILON)


_BYTES = np.arange(256, dtype=np.uint8).reshape(2, 16, 8)

EXAMPLES = {
    "SSMScan": (
        {
            "x": _random(2, 3, 8),
            "dt": _random(2, 3, 2),
            "B": _random(2, 3, 4),
            "C": _random(2, 3, 4),
            "A_log": _random(2),
            "D": _random(2),
            "dt_bias": _random(2),
            "past_state": _random(2, 2, 4, 4),
        },
        {"y": 3, "present_state": 4},
        {"num_heads": 2, "n_groups": 1},
    ),
    "RMSNorm": ({"x": _random(2, 3, 8), "weight": _random(8)}, {"y": 3}, {"epsilon": EPSILON}),
    "GatedRMSNorm": (
        {"x": _random(2, 3, 8), "gate": _random(2, 3, 8), "weight": _random(8)},
        {"y": 3},
        {"epsilon": EPSILON, "n_groups": 2},
    ),
    "HeadRMSNorm": (
        {"x": _random(2, 3, 8), "weight": _random(4)},
        {"y": 3},
        {"epsilon": EPSILON, "num_heads": 2},
    ),
    "Silu": ({"x": _random(2, 3, 8)}, {"y": 3}, {}),
    "SiluGate": ({"x": _random(2, 3, 8)}, {"y": 3}, {}),
    "GeluGate": ({"x": _random(2, 3, 8)}, {"y": 3}, {}),
    "SoftCap": ({"x": _random(2, 3, 8)}, {"y": 3}, {"cap": 30.0}),
    "RotaryTable": ({"inv_freq": _random(4)}, {"cos": 2, "sin": 2}, {"length": 6}),
    "MeanPool": ({"x": _random(2, 3, 8), "attention_mask": np.ones((2, 3), np.int64)}, {"y": 2}, {}),
    "LowRank": (
        {"y": _random(2, 3, 8), "h": _random(2, 3, 6), "up": _random(4, 3)},
        {"z": 3},
        {"offset": 2, "rank": 3, "column": 1, "after": 3, "scale": 0.5},
    ),
    "Octets": ({"x": _BYTES}, {"y": 3}, {}),
    "Nibbles": ({"x": _BYTES}, {"y": 3}, {}),
}
UNKNOWN = 0
OUTPUT_SHAPES = {
    "RMSNorm": [(2, 3, 8)],
    "GatedRMSNorm": [(2, 3, 8)],
    "HeadRMSNorm": [(2, 3, UNKNOWN)],  # its reshape asks for "the rest"
    "Silu": [(2, 3, 8)],
    "SiluGate": [(2, 3, 4)],
    "GeluGate": [(2, 3, 4)],
    "SoftCap": [(2, 3, 8)],
    "RotaryTable": [(UNKNOWN, 4), (UNKNOWN, 4)],  # onnx does not look through the cast of the length
    "MeanPool": [(2, 8)],
}


@pytest.mark.parametrize("op", FUNCTIONS)
def test_a_model_with_the_function_passes_the_full_check(op: str) -> None:
    model = one_node_model(op, *EXAMPLES[op])
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 10
    assert [(entry.domain, entry.name) for entry in model.functions] == [(DOMAIN, op)]
    assert {entry.domain: entry.version for entry in model.opset_import} == {
        "": 21,
        "com.microsoft": 1,
        DOMAIN: VERSION,
    }


@pytest.mark.parametrize("op", OUTPUT_SHAPES)
def test_shape_inference_sees_through_the_function(op: str) -> None:
    inferred = onnx.shape_inference.infer_shapes(
        one_node_model(op, *EXAMPLES[op]), strict_mode=True, data_prop=True
    )
    shapes = [tuple(dim.dim_value for dim in out.type.tensor_type.shape.dim) for out in inferred.graph.output]
    assert shapes == OUTPUT_SHAPES[op]


def test_the_door_gives_each_model_its_own_functions() -> None:
    assert function("RMSNorm") is not function("RMSNorm")
    assert [each.name for each in functions_for(["SiluGate", "SSMScan", "SiluGate"])] == [
        "SSMScan",
        "SiluGate",
    ]


def test_the_door_refuses_an_unknown_operator() -> None:
    with pytest.raises(KeyError, match="LayerNorm"):
        functions_for(["SSMScan", "LayerNorm"])


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 80), (1, 1, 4096), (7, 5)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_rms_norm(shape: tuple[int, ...], scale: float) -> None:
    x, weight = _random(*shape) * np.float32(scale), _random(shape[-1])
    (y,) = run_operator("RMSNorm", {"x": x, "weight": weight}, {"y": x.ndim}, {"epsilon": EPSILON})
    np.testing.assert_allclose(y, _rms(x) * weight, rtol=1e-5, atol=1e-9)


def test_onnxruntime_fuses_rms_norm_into_one_kernel(tmp_path: Path) -> None:
    model = one_node_model("RMSNorm", *EXAMPLES["RMSNorm"])
    assert optimized_op_types(model, tmp_path) == ["SimplifiedLayerNormalization"]


@pytest.mark.parametrize(("width", "groups"), [(1, 1), (96, 1), (96, 2), (640, 8), (16, 8)])
def test_gated_rms_norm_gates_first_and_keeps_groups_apart(width: int, groups: int) -> None:
    x, gate, weight = _random(2, 3, width), 4 + _random(2, 3, width)[::-1], _random(width)
    inputs = {"x": x, "gate": gate, "weight": weight}
    (y,) = run_operator("GatedRMSNorm", inputs, {"y": 3}, {"epsilon": EPSILON, "n_groups": groups})
    gated = (x * _silu(gate)).reshape(2, 3, groups, -1)
    np.testing.assert_allclose(y, _rms(gated).reshape(2, 3, width) * weight, rtol=1e-5, atol=SIGMOID_ERROR)


def test_gated_rms_norm_has_one_group_unless_told() -> None:
    inputs, outputs, _ = EXAMPLES["GatedRMSNorm"]
    (default,) = run_operator("GatedRMSNorm", inputs, outputs, {"epsilon": EPSILON})
    (one,) = run_operator("GatedRMSNorm", inputs, outputs, {"epsilon": EPSILON, "n_groups": 1})
    np.testing.assert_array_equal(default, one)


@pytest.mark.parametrize("shape", [(1, 1, 2), (2, 3, 130), (4, 6)])
def test_silu_gate_gates_with_the_first_half(shape: tuple[int, ...]) -> None:
    x = 30 * _random(*shape)
    (y,) = run_operator("SiluGate", {"x": x}, {"y": x.ndim})
    first, second = np.split(x, 2, axis=-1)
    np.testing.assert_allclose(y, _silu(first) * second, rtol=1e-5, atol=SIGMOID_ERROR * np.abs(x).max() ** 2)


@pytest.mark.parametrize("shape", [(1, 1, 2), (2, 3, 130), (4, 6)])
def test_gelu_gate_gates_with_the_first_half(shape: tuple[int, ...]) -> None:
    x = 3 * _random(*shape)
    (y,) = run_operator("GeluGate", {"x": x}, {"y": x.ndim})
    first, second = (half.astype(np.float64) for half in np.split(x, 2, axis=-1))
    inner = np.sqrt(2 / np.pi) * (first + 0.044715 * first**3)
    np.testing.assert_allclose(y, 0.5 * first * (1 + np.tanh(inner)) * second, rtol=1e-5, atol=2e-6)


def test_silu_and_soft_cap() -> None:
    x = 30 * _random(2, 3, 8)
    (y,) = run_operator("Silu", {"x": x}, {"y": 3})
    np.testing.assert_allclose(y, _silu(x), rtol=1e-5, atol=SIGMOID_ERROR * np.abs(x).max())
    (y,) = run_operator("SoftCap", {"x": x}, {"y": 3}, {"cap": 7.0})
    np.testing.assert_allclose(y, 7 * np.tanh(x.astype(np.float64) / 7), rtol=1e-5)


@pytest.mark.parametrize("heads", [1, 2, 8])
def test_head_rms_norm_keeps_heads_apart(heads: int) -> None:
    x, weight = _random(2, 3, 96), _random(96 // heads)
    inputs = {"x": x, "weight": weight}
    (y,) = run_operator("HeadRMSNorm", inputs, {"y": 3}, {"epsilon": EPSILON, "num_heads": heads})
    expected = _rms(x.reshape(2, 3, heads, -1)) * weight
    np.testing.assert_allclose(y, expected.reshape(2, 3, 96), rtol=1e-5, atol=1e-9)


def _bits(x: np.ndarray, count: int) -> np.ndarray:
    """The values of `count` bits in the last axis, the lowest bits of a byte first."""
    shifts = np.arange(0, 8, count, dtype=np.uint8)
    return ((x[..., None] >> shifts) & np.uint8(2**count - 1)).reshape(*x.shape[:-1], -1)


@pytest.mark.parametrize(("op", "bits"), [("Octets", 4), ("Nibbles", 2)])
def test_packed_values_are_given_twice_the_bits(op: str, bits: int) -> None:
    (y,) = run_operator(op, {"x": _BYTES}, {"y": 3})
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(_bits(y, 2 * bits), _bits(_BYTES, bits))


@pytest.mark.parametrize("op", ["Octets", "Nibbles"])
def test_onnxruntime_widens_stored_values_once_when_it_loads_the_model(op: str, tmp_path: Path) -> None:
    model = one_node_model(op, *EXAMPLES[op])
    del model.graph.input[:]
    model.graph.initializer.append(onnx.numpy_helper.from_array(_BYTES, "x"))
    assert optimized_op_types(model, tmp_path) == []


def test_rotary_table_is_scaled() -> None:
    inputs = {"inv_freq": _random(4)}
    plain = run_operator("RotaryTable", inputs, {"cos": 2, "sin": 2}, {"length": 9})
    scaled = run_operator("RotaryTable", inputs, {"cos": 2, "sin": 2}, {"length": 9, "scale": 1.25})
    for one, other in zip(plain, scaled, strict=True):
        np.testing.assert_allclose(other, 1.25 * one, rtol=1e-6)


@pytest.mark.parametrize(("length", "pairs"), [(1, 1), (5, 3), (131072, 2)])
def test_rotary_table_is_exact_at_far_positions(length: int, pairs: int) -> None:
    inv_freq = (10000.0 ** -(np.arange(pairs) / 7)).astype(np.float32)
    cos, sin = run_operator("RotaryTable", {"inv_freq": inv_freq}, {"cos": 2, "sin": 2}, {"length": length})
    angle = np.outer(np.arange(length), inv_freq.astype(np.float64))
    np.testing.assert_allclose(cos, np.cos(angle), rtol=0, atol=1e-7)
    np.testing.assert_allclose(sin, np.sin(angle), rtol=0, atol=1e-7)


def test_onnxruntime_folds_the_rotary_table_when_it_loads_the_model(tmp_path: Path) -> None:
    model = one_node_model("RotaryTable", *EXAMPLES["RotaryTable"])
    inv_freq = onnx.numpy_helper.from_array(_random(4), "inv_freq")
    del model.graph.input[:]
    model.graph.initializer.append(inv_freq)
    assert optimized_op_types(model, tmp_path) == []


def test_mean_pool_counts_only_kept_tokens() -> None:
    x = _random(4, 3, 5)
    mask = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 1], [0, 0, 0]], np.int64)
    x[1, 2] = np.nan
    x[3] = np.inf
    (y,) = run_operator("MeanPool", {"x": x, "attention_mask": mask}, {"y": 2})
    expected = [x[0].mean(axis=0), x[1, 0], x[2, 1:].mean(axis=0), np.zeros(5)]
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("lead", [(2, 3), (4,)], ids=["tokens", "rows"])
def test_low_rank_adds_its_product_to_its_columns(lead: tuple[int, ...]) -> None:
    y, h, up = _random(*lead, 8), _random(*lead, 6), _random(4, 3)
    attributes = EXAMPLES["LowRank"][2]
    (z,) = run_operator("LowRank", {"y": y, "h": h, "up": up}, {"z": y.ndim}, attributes)
    wanted = y.astype(np.float64)
    wanted[..., 1:5] += 0.5 * h[..., 2:5].astype(np.float64) @ up.T
    np.testing.assert_allclose(z, wanted, rtol=1e-6, atol=1e-6)
