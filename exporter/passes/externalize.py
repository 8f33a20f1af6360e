"""Rewrite: weights move out of the graph into shards, a few slabs in memory at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
import onnx_ir as ir

from exporter.passes.slabs import slab_reader
from exporter.passes.weights import rows_of, shared_with, tensor_of, weights
from exporter.placement import Placed

P = TypeVar("P", bound=Placed)


def store_weights(model: ir.Model, store: Callable[[int, Iterator[np.ndarray]], P]) -> dict[str, P]:
    """Hand each weight's size in bytes and its slabs to `store`, those with the same bytes once.

    Slabs that `store` does not take are not computed. Returns where each weight went.
    """
    places: dict[str, P] = {}
    with slab_reader() as reader:
        for value in weights(model):
            key = str(shared_with(model, value).name)
            if key not in places:
                places[key] = store(tensor_of(value).nbytes, reader.read(rows_of(value)))
            places[str(value.name)] = places[key]
    return places


def stored_bytes(model: ir.Model) -> int:
    """Bytes of all weights, those that are stored once counted once."""
    return sum(tensor_of(value).nbytes for value in weights(model) if shared_with(model, value) is value)


def point_at_shards(model: ir.Model, places: Mapping[str, Placed], files: Sequence[str]) -> None:
    """Make each weight of `model` external data in `files[place.shard_index]`."""
    for value in weights(model):
        tensor, name = tensor_of(value), str(value.name)
        place = places[name]
        value.const_value = ir.ExternalTensor(
            files[place.shard_index],
            place.offset,
            place.bytes,
            tensor.dtype,
            shape=ir.Shape(tensor.shape.numpy()),
            name=name,
        )
