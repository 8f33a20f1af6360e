"""Coded chunks: what was coded comes back, in fewer bytes, at every size; what is damaged is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.coding import CHUNK_BYTES, STRETCH_BYTES, Span, coded_chunks, decode_chunk
from exporter.coding.chunks import HEAD

WIDTHS = {1: np.uint8, 2: np.float16, 4: np.float32}


def shard_of(tensors: list[np.ndarray]) -> tuple[np.ndarray, list[Span]]:
    """Tensors at multiples of 256 bytes, as an export writes them."""
    data, spans = bytearray(), []
    for tensor in tensors:
        data += bytes(-len(data) % 256)
        spans.append(Span(len(data), tensor.nbytes, tensor.itemsize))
        data += tensor.tobytes()
    return np.frombuffer(bytes(data + bytes(-len(data) % 4)), np.uint8), spans


def decoded(chunks: list[bytes], size: int) -> np.ndarray:
    shard = np.zeros(size, np.uint8)
    for chunk in reversed(chunks):
        start, stretch = decode_chunk(chunk)
        assert start % 4 == 0
        assert len(stretch) % 4 == 0
        assert len(stretch) <= STRETCH_BYTES
        shard[start : start + len(stretch)] = stretch
    return shard


def normal(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(count)


def levels(count: int, spread: float) -> np.ndarray:
    return np.clip(np.rint(normal(count) * spread) + 128, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 31, 4095, 65536, 65537, 131072 + 7])
@pytest.mark.parametrize("width", WIDTHS)
def test_what_was_coded_comes_back(count: int, width: int) -> None:
    tensor = levels(count, 3) if width == 1 else normal(count).astype(WIDTHS[width])
    shard, spans = shard_of([tensor])
    chunks = list(coded_chunks(shard, spans))
    assert (decoded(chunks, len(shard)) == shard).all()


def test_many_tensors_fill_chunks_to_the_brim() -> None:
    repeated = np.repeat(normal(400).astype(np.float16), 12)
    tensors = [
        levels(90_001, 4),
        repeated,
        np.zeros(5000, np.uint8),
        normal(20_003).astype(np.float32),
        levels(7, 9),
    ]
    shard, spans = shard_of(tensors)
    chunks = list(coded_chunks(shard, spans, 8192))
    assert (decoded(chunks, len(shard)) == shard).all()
    assert {len(chunk) for chunk in chunks[:-1]} == {8192}
    unused = [len(chunk) - len(chunk.rstrip(b"\0")) for chunk in chunks[:-1]]
    assert np.mean(unused) < 0.02 * 8192


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 4]), st.binary(min_size=1, max_size=700), st.integers(1, 9)),
        min_size=1,
        max_size=6,
    )
)
def test_any_bytes_come_back(pieces: list[tuple[int, bytes, int]]) -> None:
    tensors = [np.frombuffer(data * width * again, WIDTHS[width]) for width, data, again in pieces]
    shard, spans = shard_of(tensors)
    assert (decoded(list(coded_chunks(shard, spans, 1024)), len(shard)) == shard).all()


def test_it_takes_no_more_than_the_entropy_says() -> None:
    data = levels(1 << 20, 4)
    shard, spans = shard_of([data])
    share = np.bincount(data) / len(data)
    entropy = -(share[share > 0] * np.log2(share[share > 0])).sum() * len(data) / 8
    assert sum(map(len, coded_chunks(shard, spans))) < 1.004 * entropy


def test_numbers_in_succession_are_stored_once() -> None:
    shard, spans = shard_of([np.repeat(normal(1000).astype(np.float16), 48)])
    assert sum(map(len, coded_chunks(shard, spans))) < 2100


def test_noise_grows_by_little() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 1 << 20, np.uint8)
    shard, spans = shard_of([noise])
    assert sum(map(len, coded_chunks(shard, spans))) < 1.001 * len(noise)


def test_a_stretch_is_no_longer_than_a_reader_has_memory_for() -> None:
    shard, spans = shard_of([np.zeros(3 * STRETCH_BYTES, np.uint8)])
    stretches = [HEAD.unpack_from(chunk)[:2] for chunk in coded_chunks(shard, spans)]
    assert [start for start, _ in stretches] == [0, STRETCH_BYTES, 2 * STRETCH_BYTES]
    assert all(length == STRETCH_BYTES for _, length in stretches)


def test_the_same_weights_give_the_same_bytes() -> None:
    shard, spans = shard_of([levels(100_000, 4), normal(5000).astype(np.float16)])
    assert list(coded_chunks(shard, spans)) == list(coded_chunks(shard.copy(), spans))


def test_a_lane_that_ends_elsewhere_is_refused() -> None:
    shard, spans = shard_of([levels(4096, 4)])
    [chunk] = coded_chunks(shard, spans, CHUNK_BYTES)
    damaged = bytearray(chunk)
    damaged[-200] ^= 4
    with pytest.raises(ValueError, match="do not end"):
        decode_chunk(bytes(damaged))
    with pytest.raises(ValueError, match="too early"):
        decode_chunk(chunk[: len(chunk) // 2])
