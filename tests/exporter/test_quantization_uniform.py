"""Uniform steps, which are downloaded entropy-coded: one scale a row, and less error than blocks for the same bits."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporter.coding import decode_chunk
from exporter.export_options import ExportOptions
from exporter.pipeline import export
from exporter.progress import Progress
from exporter.quantization import SCHEMES, Curvature, dequantize, quantize

UNIFORM = [name for name, scheme in SCHEMES.items() if scheme.step]


def weight_of(rows: int, inner: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    spread = random.uniform(0.2, 3, (rows, 1))
    return (random.standard_normal((rows, inner)) * spread).astype(np.float32)


def entropy(levels: np.ndarray) -> float:
    share = np.bincount(levels.ravel()) / levels.size
    return float(-(share[share > 0] * np.log2(share[share > 0])).sum())


def error(weight: np.ndarray, again: np.ndarray) -> float:
    return float(np.sqrt(np.square(weight - again).sum() / np.square(weight).sum()))


@pytest.mark.parametrize("name", UNIFORM)
@pytest.mark.parametrize(("rows", "inner"), [(1, 1), (1, 33), (7, 31), (64, 384)])
def test_values_are_within_half_a_step_of_their_row(name: str, rows: int, inner: int) -> None:
    weight = weight_of(rows, inner)
    packed = quantize(SCHEMES[name], weight)
    assert (packed.scales == packed.scales[:, :1]).all()
    away = np.abs(weight - dequantize(packed, inner))
    assert (away <= 0.501 * packed.scales[:, :1].astype(np.float32)).all()


@pytest.mark.parametrize("name", UNIFORM)
def test_it_takes_the_bits_of_its_name(name: str) -> None:
    packed = quantize(SCHEMES[name], weight_of(256, 512))
    assert abs(entropy(packed.b) - float(name[1:])) < 0.1


def test_outliers_are_kept() -> None:
    weight = weight_of(4, 64)
    weight[2, 5] = 900
    again = dequantize(quantize(SCHEMES["e4"], weight), 64)
    assert abs(again[2, 5] - 900) < 4
    assert error(weight[:2], again[:2]) < 0.09


def test_rows_do_not_depend_on_each_other_and_rows_of_zeros_stay() -> None:
    weight = weight_of(300, 96)
    weight[7] = 0
    whole, part = quantize(SCHEMES["e5"], weight), quantize(SCHEMES["e5"], weight[5:9])
    np.testing.assert_array_equal(whole.b[5:9], part.b)
    np.testing.assert_array_equal(whole.scales[5:9], part.scales)
    assert not dequantize(whole, 96)[7].any()


def test_at_fewer_bits_the_error_is_smaller_than_that_of_blocks() -> None:
    weight = weight_of(256, 1024)
    packed = quantize(SCHEMES["e4"], weight)
    bits = entropy(packed.b) + 16 / 1024
    blocks = quantize(SCHEMES["q4"], weight)
    assert bits < 0.92 * 4.5
    assert error(weight, dequantize(packed, 1024)) < 0.9 * error(weight, dequantize(blocks, 1024))


def test_gptq_changes_products_less() -> None:
    random = np.random.default_rng(1)
    inputs = (random.standard_normal((400, 64)) @ random.standard_normal((64, 64))).astype(np.float32)
    weight = weight_of(300, 64)
    curvature = Curvature(inputs.T @ inputs)
    nearest, made = (
        dequantize(quantize(SCHEMES["e3"], weight, hessian=curvature, method=method), 64)
        for method in ("nearest", "gptq")
    )
    assert error(inputs @ weight.T, inputs @ made.T) < 0.7 * error(inputs @ weight.T, inputs @ nearest.T)


def test_an_export_lists_what_is_fetched_for_each_shard(
    tiny_encoder: Callable[[str], Path], tmp_path: Path
) -> None:
    checkpoint, coded = tiny_encoder("bert-embeddings"), tmp_path / "artifact"
    export(ExportOptions(str(checkpoint), coded, quantize="e4"), Progress(quiet=True))
    manifest = json.loads((coded / "manifest.json").read_bytes())
    for shard, code in zip(manifest["shards"], manifest["coded"], strict=True):
        data, content = (coded / shard["file"]).read_bytes(), (coded / code["file"]).read_bytes()
        assert len(content) == code["bytes"] < 0.8 * shard["bytes"]
        made = np.zeros(len(data), np.uint8)
        for start in range(0, len(content), code["chunk_bytes"]):
            at, stretch = decode_chunk(content[start : start + code["chunk_bytes"]])
            made[at : at + len(stretch)] = stretch
        assert made.tobytes() == data
