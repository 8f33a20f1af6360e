"""Weight shards: alignment, hashes, sharing, own shards for large tensors, and the same bytes every time."""

import hashlib
import tracemalloc
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from exporter.artifact import ALIGNMENT, CHUNK_BYTES, SHARED_BYTES, Location, Shard, ShardWriter
from exporter.errors import OutputError


def write(
    folder: Path, arrays: list[np.ndarray], shard_bytes: int
) -> tuple[list[Location], tuple[Shard, ...]]:
    with ShardWriter(folder, shard_bytes) as writer:
        locations = [writer.add(array.nbytes, [array]) for array in arrays]
        return locations, writer.close()


def read_back(folder: Path, location: Location, shards: tuple[Shard, ...], like: np.ndarray) -> np.ndarray:
    data = (folder / shards[location.shard_index].file).read_bytes()
    stored = data[location.offset : location.offset + location.bytes]
    return np.frombuffer(stored, like.dtype).reshape(like.shape)


def test_every_array_is_found_again_where_its_location_says(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    arrays = [
        rng.integers(0, 255, size, dtype=np.uint8) for size in (1, 255, 256, 257, 999, 1024, 1025, 5000, 3)
    ]
    arrays += [np.float32([[1, 2], [3, 4]]), np.float16(3).reshape(()), np.ones(5, ml_dtypes.bfloat16)]
    locations, shards = write(tmp_path, arrays, 1024)
    for array, location in zip(arrays, locations, strict=True):
        assert location.offset % ALIGNMENT == 0
        assert location.bytes == array.nbytes
        np.testing.assert_array_equal(read_back(tmp_path, location, shards, array), array)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(shard.file for shard in shards)


def test_shards_keep_to_their_size_and_larger_arrays_stand_alone(tmp_path: Path) -> None:
    sizes = [600, 200, 5000, 100, 700]
    arrays = [np.full(size, i, np.uint8) for i, size in enumerate(sizes)]
    locations, shards = write(tmp_path, arrays, 1024)
    assert [(at.shard_index, at.offset) for at in locations] == [(0, 0), (0, 768), (1, 0), (2, 0), (2, 256)]
    assert [shard.bytes for shard in shards] == [968, 5000, 956]


def test_gaps_are_zero_and_sizes_fit_a_copy_to_the_gpu(tmp_path: Path) -> None:
    _, shards = write(tmp_path, [np.full(3, 255, np.uint8), np.full(5, 255, np.uint8)], 1 << 20)
    data = (tmp_path / shards[0].file).read_bytes()
    assert data == b"\xff" * 3 + bytes(253) + b"\xff" * 5 + bytes(3)


def test_hashes_are_those_of_the_file_and_of_its_chunks(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    big = rng.integers(0, 255, 2 * CHUNK_BYTES + 17, dtype=np.uint8)
    small = rng.integers(0, 255, 1000, dtype=np.uint8)
    exact = rng.integers(0, 255, CHUNK_BYTES, dtype=np.uint8)
    _, shards = write(tmp_path, [small, big, exact], 3 * CHUNK_BYTES)
    for shard in shards:
        data = (tmp_path / shard.file).read_bytes()
        assert shard.bytes == len(data)
        assert shard.file == f"{shard.sha256}.bin" == f"{hashlib.sha256(data).hexdigest()}.bin"
        pieces = [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]
        assert shard.chunks == tuple(hashlib.sha256(piece).hexdigest() for piece in pieces)


def test_the_same_bytes_are_stored_once_whatever_their_shape(tmp_path: Path) -> None:
    table = np.arange(SHARED_BYTES // 4, dtype=np.float32).reshape(-1, 32)
    locations, shards = write(tmp_path, [table, table.copy(), table.reshape(-1), table + 1], 4 << 20)
    assert locations[0] == locations[1] == locations[2] != locations[3]
    assert sum(shard.bytes for shard in shards) < 3 * table.nbytes


@pytest.mark.parametrize("differs_in", [0, 1, 4])
def test_a_tensor_that_begins_like_another_is_stored_whole(tmp_path: Path, differs_in: int) -> None:
    """Whether it is a new one shows only after some of its slabs have been taken."""
    slabs = list(np.zeros((5, SHARED_BYTES), np.uint8))
    other = [slab + (index == differs_in) for index, slab in enumerate(slabs)]
    size = 5 * SHARED_BYTES
    with ShardWriter(tmp_path, 2 * size) as writer:
        locations = [writer.add(size, slabs), writer.add(size, other), writer.add(size, slabs)]
        shards = writer.close()
    for location, expected in zip(locations, (slabs, other, slabs), strict=True):
        whole = np.concatenate(expected)
        np.testing.assert_array_equal(read_back(tmp_path, location, shards, whole), whole)


def test_views_and_foreign_byte_orders_are_stored_row_major_little_endian(tmp_path: Path) -> None:
    table = np.arange(12, dtype=np.float32).reshape(3, 4)
    locations, shards = write(tmp_path, [table.T, table.astype(">f4")], 1 << 20)
    np.testing.assert_array_equal(read_back(tmp_path, locations[0], shards, np.empty((4, 3), "<f4")), table.T)
    np.testing.assert_array_equal(read_back(tmp_path, locations[1], shards, table), table)


def test_writing_again_gives_the_same_files(tmp_path: Path) -> None:
    arrays = [np.arange(n, dtype=np.float32) for n in (100, 5000, 20)]
    runs = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        runs.append(write(tmp_path / name, arrays, 4096))
    assert runs[0] == runs[1]


def test_a_large_array_is_not_copied(tmp_path: Path) -> None:
    array = np.ones(16 << 20, np.uint8)
    tracemalloc.start()
    write(tmp_path, [array], 1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_refuses_tiny_shards_and_empty_arrays(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too small"):
        ShardWriter(tmp_path, 255)
    with ShardWriter(tmp_path, 1024) as writer, pytest.raises(OutputError, match="no bytes"):
        writer.add(0, [np.empty((0, 3), np.float32)])


def test_no_arrays_make_no_shards(tmp_path: Path) -> None:
    assert write(tmp_path, [], 1024) == ([], ())
    assert list(tmp_path.iterdir()) == []


def test_a_failure_closes_the_files_that_are_open(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, 1024) as writer:
        writer.add(12, [np.ones(3, np.float32)])
    assert [path.name for path in tmp_path.iterdir()] == ["shard-0.partial"]
