"""Packed weight formats: the bytes they take, and the values they stand for."""

import numpy as np
import pytest

from wgsl_kernels import FORMATS
from wgsl_kernels.reference.weights import dequantize


@pytest.mark.parametrize(
    ("name", "inner", "weight_bytes", "scale_bytes"),
    [
        ("f32", 33, 396, 0),
        ("f16", 33, 198, 0),
        ("q8", 33, 192, 12),
        ("q4", 33, 96, 12),
        ("q4", 1536, 2304, 288),
        ("q2", 33, 48, 12),
        ("q2z", 33, 48, 12),
    ],
)
def test_bytes_of_three_rows(name: str, inner: int, weight_bytes: int, scale_bytes: int) -> None:
    assert FORMATS[name].weight_bytes(3, inner) == weight_bytes
    assert FORMATS[name].scale_bytes(3, inner) == scale_bytes


@pytest.mark.parametrize(
    ("name", "inner", "zero_bytes"),
    [("q4", 33, 0), ("q8z", 33, 6), ("q4z", 33, 3), ("q4z", 96, 6), ("q2z", 128, 3), ("q2z", 129, 6)],
)
def test_zero_points_of_three_rows_start_at_whole_bytes(name: str, inner: int, zero_bytes: int) -> None:
    assert FORMATS[name].zero_bytes(3, inner) == zero_bytes


@pytest.mark.parametrize("name", FORMATS)
def test_shape_and_bytes_agree(name: str) -> None:
    fmt = FORMATS[name]
    item = 1 if fmt.block else fmt.bits // 8
    assert np.prod(fmt.shape(5, 70)) * item == fmt.weight_bytes(5, 70)


def test_q4_is_low_nibble_first_around_8() -> None:
    block = np.zeros((1, 1, 16), np.uint8)
    block[0, 0, :2] = [0x81, 0xF7]
    values = dequantize({"weight": block, "scales": np.array([[0.5]], np.float16)}, inner=5)
    assert values.tolist() == [[-3.5, 0.0, -0.5, 3.5, -4.0]]


def test_q8_is_around_128_with_a_scale_a_block() -> None:
    block = np.full((1, 2, 32), 128, np.uint8)
    block[0, 0, 0], block[0, 1, 0] = 0, 255
    values = dequantize({"weight": block, "scales": np.array([[0.5, 2.0]], np.float16)}, inner=33)
    assert (values[0, 0], values[0, 1], values[0, 32]) == (-64.0, 0.0, 254.0)


def test_q2_is_lowest_bits_first_around_2() -> None:
    block = np.zeros((1, 1, 8), np.uint8)
    block[0, 0, :2] = [0b11_10_01_00, 0b00_00_00_11]
    values = dequantize({"weight": block, "scales": np.array([[0.5]], np.float16)}, inner=6)
    assert values.tolist() == [[-1.0, -0.5, 0.0, 0.5, 0.5, -1.0]]


def test_stored_zero_points_are_packed_by_row() -> None:
    weight = np.full((2, 3, 16), 0x55, np.uint8)
    zeros = np.array([[0x21, 0xF3], [0x54, 0xF6]], np.uint8)
    values = dequantize({"weight": weight, "scales": np.ones((2, 3), np.float16), "zeros": zeros}, inner=65)
    assert values[:, [0, 32, 64]].tolist() == [[4.0, 3.0, 2.0], [1.0, 0.0, -1.0]]
