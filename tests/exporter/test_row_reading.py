"""Weights are read some rows at a time: the same values as whole, from only those bytes, in little memory."""

import tracemalloc
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx_ir as ir
import pytest

from exporter.checkpoints.safetensors_file import SafetensorsFile
from exporter.components import GraphBuilder
from exporter.errors import WeightsError
from exporter.row_tensor import RowTensor
from tests.exporter.safetensors_bytes import tensors_bytes

DTYPES = ("float64", "float32", "float16", "bfloat16")


def _file(path: Path, **arrays: np.ndarray) -> SafetensorsFile:
    path.write_bytes(tensors_bytes(arrays))
    return SafetensorsFile(path, path.name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(7,), (11, 3), (2, 3, 5)])
def test_rows_are_those_of_the_whole_tensor(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
    array = np.random.default_rng(1).standard_normal(shape).astype(kind)
    file = _file(tmp_path / "a.safetensors", before=array, a=array * 2)
    whole = file.read("a").reshape(-1, shape[-1])
    for start, stop in ((0, 1), (0, len(whole)), (len(whole) // 2, len(whole))):
        np.testing.assert_array_equal(file.read_rows("a", start, stop), whole[start:stop])


def test_only_the_rows_asked_for_are_in_memory(tmp_path: Path) -> None:
    file = _file(tmp_path / "a.safetensors", a=np.ones((4096, 1024), np.float32))
    tracemalloc.start()
    file.read_rows("a", 4000, 4010)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000


def test_values_that_are_no_numbers_are_told_where_they_are_read(tmp_path: Path) -> None:
    array = np.ones((4, 4), np.float32)
    array[3, 1] = np.nan
    file = _file(tmp_path / "a.safetensors", a=array)
    file.read_rows("a", 0, 3)
    with pytest.raises(WeightsError, match="NaN"):
        file.read_rows("a", 3, 4)


class Counting:
    """Tensors whose values count up, and the rows that were read of each."""

    def __init__(self) -> None:
        self.tensors: dict[str, np.ndarray] = {}
        self.read_of: list[tuple[str, int, int]] = []

    def require(self, name: str, shape: tuple[int, ...]) -> None:
        first = sum(array.size for array in self.tensors.values())
        self.tensors[name] = np.arange(first, first + np.prod(shape), dtype=np.float32).reshape(shape)

    def read(self, name: str) -> np.ndarray:
        return self.tensors[name]

    def read_rows(self, name: str, start: int, stop: int) -> np.ndarray:
        self.read_of.append((name, start, stop))
        return self.tensors[name].reshape(-1, self.tensors[name].shape[-1])[start:stop]


@pytest.mark.parametrize("tail", [(4,), (3, 4)])
def test_a_stack_reads_the_rows_of_the_parts_that_it_needs(tail: tuple[int, ...]) -> None:
    source = Counting()
    value = GraphBuilder("test", source).weight("q", "k", "v", shape=(9, *tail), rows=[5, 3, 1])
    tensor = value.const_value
    assert isinstance(tensor, RowTensor)
    whole = np.concatenate(list(source.tensors.values()))
    inner = whole.size // (9 * tail[-1])
    np.testing.assert_array_equal(tensor.numpy(), whole)
    source.read_of.clear()
    found = tensor.read(4 * inner, 6 * inner)
    np.testing.assert_array_equal(found.reshape(2, *tail), whole[4:6])
    assert source.read_of == [("q", 4 * inner, 5 * inner), ("k", 0, inner)]


def test_slabs_cover_all_rows_in_order() -> None:
    def read(start: int, stop: int) -> np.ndarray:
        return np.arange(start, stop, dtype=np.float32)

    tensor = RowTensor("a", ir.DataType.FLOAT, (10, 1), read, slab_values=4)
    assert list(tensor.spans()) == [(0, 4), (4, 8), (8, 10)]
