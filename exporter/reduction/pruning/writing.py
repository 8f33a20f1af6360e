"""The pruned checkpoint on disk: config.json edited, tensors cut a slab at a time, the other files as they were."""

import json
import shutil
from collections.abc import Callable, Iterator
from math import gcd, prod, sqrt
from pathlib import Path
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from exporter.checkpoints import Checkpoint
from exporter.errors import ConfigError, WeightsError
from exporter.reduction.pruning.anatomy import MAMBA, VALUE_BYTES, Anatomy, Part, read_config
from exporter.reduction.pruning.choosing import Choice
from exporter.reduction.pruning.layouts import Indices, Sizes, kept_pieces, shape_of

WEIGHTS = "model.safetensors"
_DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16}
_SLAB_VALUES = 1 << 22
_LAYER_LISTS = ("layer_types", "layers_block_type")

Advance = Callable[[int], None]


def write(
    folder: Path, checkpoint: Checkpoint, anatomy: Anatomy, sizes: Sizes, choice: Choice, advance: Advance
) -> None:
    """Writes the checkpoint into `folder`; `advance` is told of each further number of bytes."""
    config = edited_config(checkpoint, anatomy, sizes, choice)
    (folder / "config.json").write_text(
        json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    for name, path in checkpoint.companions().items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(path, folder / name)
    (checkpoint.origin or checkpoint.as_origin()).write(folder)
    with (folder / WEIGHTS).open("wb") as file:
        _write_tensors(file, checkpoint, anatomy, sizes, choice, advance)


def edited_config(checkpoint: Checkpoint, anatomy: Anatomy, sizes: Sizes, choice: Choice) -> dict[str, Any]:
    """The checkpoint's config.json with the new sizes; every other key is as it was, its spelling of infinity, too."""
    made: dict[str, Any] = json.loads((checkpoint.folder / "config.json").read_bytes())
    keys = anatomy.family.keys
    changed = {name for name in keys if sizes.get(name) != anatomy.sizes.get(name)}
    made.update({keys[name]: sizes[name] for name in changed if name in sizes})
    if "embedded" in keys and "embedded" not in sizes:
        made[keys["embedded"]] = sizes["hidden"]
    _keep_head_dim(made, anatomy, sizes)
    if "expand" in sizes and MAMBA not in anatomy.kinds:
        _keep_unused_mixer(made, anatomy, sizes)
    if sizes["layers"] < anatomy.sizes["layers"]:
        _shorten_layer_lists(made, checkpoint, choice)
    return made


def _keep_head_dim(made: dict[str, Any], anatomy: Anatomy, sizes: Sizes) -> None:
    """Without the key a head is hidden / heads wide, and after pruning that may be something else."""
    if (
        anatomy.family.own_head_dim
        and "heads" in sizes
        and sizes["hidden"] // sizes["heads"] != sizes["head_dim"]
    ):
        made["head_dim"] = sizes["head_dim"]


def _keep_unused_mixer(made: dict[str, Any], anatomy: Anatomy, sizes: Sizes) -> None:
    """transformers checks the mixer's sizes even in a model that has none."""
    inner, keys = sizes["expand"] * sizes["hidden"], anatomy.family.keys
    heads = gcd(sizes["mamba_heads"], inner)
    made.update({keys["mamba_heads"]: heads, keys["mamba_channels"]: inner // heads})


def _shorten_layer_lists(made: dict[str, Any], checkpoint: Checkpoint, choice: Choice) -> None:
    lists = {key: made[key] for key in _LAYER_LISTS if made.get(key)}
    if made.get("attn_layer_indices") is not None:
        attending = set(made["attn_layer_indices"])
        made["attn_layer_indices"] = [new for new, old in enumerate(choice.layers) if old in attending]
    elif not lists and "layer_types" in vars(read_config(checkpoint)):
        # They follow from a layer's number, which changes.
        lists = {"layer_types": read_config(checkpoint).layer_types}
    for key, kinds in lists.items():
        if not isinstance(kinds, list) or len(kinds) <= choice.layers[-1]:
            raise ConfigError(f"'{key}' has no word for each layer", "config.json", "Correct it.")
        made[key] = [kinds[old] for old in choice.layers]


def _write_tensors(
    file: BinaryIO, checkpoint: Checkpoint, anatomy: Anatomy, sizes: Sizes, choice: Choice, advance: Advance
) -> None:
    new_number = {old: new for new, old in enumerate(choice.layers)}
    parts = [part for part in anatomy.parts if part.layer is None or part.layer in new_number]
    file.write(_header(parts, anatomy, sizes, new_number))
    for part in parts:
        follow = _follow(part, anatomy, sizes)
        for values in _kept_values(checkpoint, part, anatomy, choice):
            raw = _stored(follow(values), part)
            file.write(raw)
            advance(len(raw))


def _header(parts: list[Part], anatomy: Anatomy, sizes: Sizes, new_number: dict[int, int]) -> bytes:
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    start = 0
    for part in parts:
        shape = part.info.shape if part.dims is None else shape_of(part.dims, sizes)
        end = start + prod(shape) * VALUE_BYTES[part.info.dtype]
        name = part.info.name
        if part.layer is not None:
            name = f"{part.prefix}{anatomy.family.layers}.{new_number[part.layer]}.{part.within}"
        entries[name] = {"dtype": part.info.dtype, "shape": list(shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _kept_values(checkpoint: Checkpoint, part: Part, anatomy: Anatomy, choice: Choice) -> Iterator[Any]:
    """What stays of a tensor as float32 (rows, columns), in order; no more than a slab is read at once."""
    shape = part.info.shape
    dims = part.dims or tuple(map(str, shape))
    for rows, columns in kept_pieces(dims, anatomy.sizes, choice.kept(part.layer)):
        step = max(_SLAB_VALUES // max(shape[-1], 1), 1)
        for first in range(int(rows[0]), int(rows[-1]) + 1, step):
            wanted = _between(rows, first, first + step)
            if len(wanted):
                read = checkpoint.read_rows(part.info.name, int(wanted[0]), int(wanted[-1]) + 1)
                yield read[wanted - wanted[0]][:, columns]


def _between(rows: Indices, first: int, last: int) -> Indices:
    return rows[np.searchsorted(rows, first) : np.searchsorted(rows, last)]


def _follow(part: Part, anatomy: Anatomy, sizes: Sizes) -> Callable[[Any], Any]:
    """How the values change when the embedding's factor, the root of the hidden size, does."""
    way = anatomy.family.follows.get(part.within) if part.layer is not None else None
    factor = np.float32(sqrt(sizes["hidden"] / anatomy.sizes["hidden"]))
    if way is None or factor == 1:
        return lambda values: values
    if way == "times":
        return lambda values: values * factor
    return lambda values: (values + 1) * factor - 1


def _stored(values: Any, part: Part) -> bytes:
    with np.errstate(over="ignore"):
        made = values.astype(_DTYPES[part.info.dtype])
    if not np.isfinite(made.astype(np.float32)).all():
        raise WeightsError(f'Tensor "{part.info.name}" overflows {part.info.dtype}', "the weights")
    return bytes(made.tobytes())
