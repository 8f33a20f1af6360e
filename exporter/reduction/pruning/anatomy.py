"""A checkpoint taken apart: the sizes of its dimensions, the layer and the dimensions of each tensor."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from exporter.checkpoints import Checkpoint, TensorInfo
from exporter.errors import ConfigError, WeightsError
from exporter.reduction.pruning.families import Family, family_of
from exporter.reduction.pruning.layouts import Dims, Sizes, shape_of

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

# The dimensions that can shrink, in the order of tables.
PRUNABLE = (
    "layers",
    "hidden",
    "mlp",
    "heads",
    "kv_heads",
    "mamba_heads",
    "mamba_channels",
    "experts",
    "expert_mlp",
)
ATTENTION, MAMBA = "attention", "mamba"
VALUE_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}

_ATTENTION_WIDTHS = ("heads*head_dim", "heads*3*head_dim")
_LARGEST, _MOST_LAYERS = 1 << 24, 1000
# What transformers stored once and reads no more.
_LEFTOVER = re.compile(r"(^|\.)(rotary_emb\.inv_freq|masked_bias|attention\.bias|position_ids)$")


# How often tensors of a type and of such dimensions are there.
Stored = Counter[tuple[str, Dims]]


@dataclass(frozen=True)
class Part:
    """A tensor: `layer` None is the body, `within` its name in there; `dims` None is one that stays as it is."""

    info: TensorInfo
    prefix: str
    layer: int | None
    within: str
    dims: Dims | None


@dataclass(frozen=True)
class Anatomy:
    """`sizes` has all dimensions, `kinds` whether a layer attends, and `parts` all tensors that are kept in part."""

    family: Family
    sizes: Sizes
    kinds: Sequence[str]
    parts: Sequence[Part]

    @property
    def prunable(self) -> tuple[str, ...]:
        """The dimensions that this checkpoint has and that may shrink."""
        missing = {
            *(() if ATTENTION in self.kinds else ("heads", "kv_heads")),
            *(() if MAMBA in self.kinds else ("mamba_heads", "mamba_channels")),
            *(() if self.sizes.get("experts") else ("experts", "expert_mlp")),
            *self.family.refused,
        }
        # Where each query head has its own key and value, those are no dimension of their own in some configs.
        absent = {"kv_heads"} - set(self.family.keys)
        return tuple(name for name in PRUNABLE if name in self.sizes and name not in missing | absent)

    def stored(self, layers: Sequence[int]) -> "Stored":
        """The tensors of the body and of `layers`."""
        found: Stored = Counter()
        for layer in (None, *layers):
            found.update(self._by_layer.get(layer, {}))
        return found

    @cached_property
    def _by_layer(self) -> "Mapping[int | None, Stored]":
        found: dict[int | None, Stored] = {}
        for part in self.parts:
            dims = part.dims or tuple(map(str, part.info.shape))
            found.setdefault(part.layer, Counter())[part.info.dtype, dims] += 1
        return found


def parameters(stored: Stored, sizes: Sizes) -> int:
    """Values in all of `stored` when dimensions have `sizes`."""
    return sum(count * prod(shape_of(dims, sizes)) for (_, dims), count in stored.items())


def stored_bytes(stored: Stored, sizes: Sizes) -> int:
    """Bytes of all of them, likewise."""
    return sum(
        count * VALUE_BYTES[dtype] * prod(shape_of(dims, sizes)) for (dtype, dims), count in stored.items()
    )


def take_apart(checkpoint: Checkpoint) -> Anatomy:
    """Raises UnsupportedModelError, ConfigError or WeightsError; only names and shapes are looked at."""
    family = family_of(checkpoint.config.get("model_type"))
    layers = checkpoint.config.get(family.keys["layers"])
    if isinstance(layers, int) and layers > _MOST_LAYERS:  # transformers makes lists of that length
        raise ConfigError(f"It has {layers} layers", "config.json", f"At most {_MOST_LAYERS} are believed.")
    config = read_config(checkpoint)
    sizes = _sizes(family, config)
    parts = list(_parts(family, checkpoint, sizes))
    return Anatomy(family, sizes, _kinds(parts, sizes["layers"], checkpoint.source), parts)


def read_config(checkpoint: Checkpoint) -> "PreTrainedConfig":
    """config.json with the defaults of transformers; raises ConfigError."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(checkpoint.folder, local_files_only=True, trust_remote_code=False)
    except Exception as problem:  # whatever a class makes of values that it was not written for
        what = f"transformers cannot read it: {problem}"
        raise ConfigError(what, "config.json", "Correct it, or use a complete checkpoint.") from None


def _sizes(family: Family, config: "PreTrainedConfig") -> dict[str, int]:
    """All dimensions, those that follow from others among them."""
    sizes = {name: _whole(config, key, name) for name, key in family.keys.items() if name not in _DERIVED}
    for name in _DERIVED & set(family.keys):
        found = getattr(config, family.keys[name], None)
        if found is not None:
            sizes[name] = _whole(config, family.keys[name], name)
    if "heads" in sizes:
        sizes.setdefault("kv_heads", sizes["heads"])
        sizes.setdefault("head_dim", sizes["hidden"] // sizes["heads"])
    for many, few in (("heads", "kv_heads"), ("mamba_heads", "groups")):
        if many in sizes and sizes[many] % sizes[few]:
            what = f"'{family.keys[many]}' is {sizes[many]}, which {sizes[few]} groups cannot share evenly"
            raise ConfigError(what, "config.json", "Correct it.")
    if "embedded" in family.keys and sizes["embedded"] == sizes["hidden"]:
        del sizes["embedded"]
    if "groups" in sizes:
        sizes["bc"] = 2 * sizes["groups"] * sizes["state"]
    return sizes


_DERIVED = {"kv_heads", "head_dim"}


def _whole(config: "PreTrainedConfig", key: str, name: str) -> int:
    value = getattr(config, key, None)
    least = 0 if name in ("experts", "chosen_experts") else 1
    if type(value) is not int or not least <= value <= _LARGEST:
        raise ConfigError(
            f"'{key}' is {value!r}", "config.json", f"It must be a whole number from {least} on."
        )
    return value


def _parts(family: Family, checkpoint: Checkpoint, sizes: Sizes) -> Iterator[Part]:
    place = re.compile(rf"{re.escape(family.layers)}\.(\d+)\.(.+)")
    prefixes = sorted(family.prefixes, key=len, reverse=True)
    for name, info in checkpoint.tensors.items():
        if _LEFTOVER.search(name):
            continue
        prefix = next(prefix for prefix in prefixes if name.startswith(prefix))
        found = place.fullmatch(name.removeprefix(prefix))
        layer = int(found[1]) if found else None
        within = found[2] if found else name.removeprefix(prefix)
        dims = _dims(family, layer, within, sizes, name)
        _check(checkpoint, info, layer, dims, sizes)
        yield Part(info, prefix, layer, within, dims)


def _dims(family: Family, layer: int | None, within: str, sizes: Sizes, name: str) -> Dims | None:
    known = family.body if layer is None else family.layer
    # An embedding of the stream's own width is not projected.
    if within in known:
        return tuple(dim if dim in sizes or dim != "embedded" else "hidden" for dim in known[within])
    if family.others_stay:
        return None
    raise WeightsError(
        f'Tensor "{name}" is none that pruning knows how to cut',
        "the weights",
        "Save the checkpoint with transformers' own class.",
    )


def _check(
    checkpoint: Checkpoint, info: TensorInfo, layer: int | None, dims: Dims | None, sizes: Sizes
) -> None:
    """Raises WeightsError where config.json and the weights do not belong together."""
    if layer is not None and layer >= sizes["layers"]:
        raise WeightsError(
            f'Tensor "{info.name}" is of a layer that config.json does not have', checkpoint.source
        )
    if dims is not None:
        checkpoint.require(info.name, shape_of(dims, sizes))
    if info.dtype not in VALUE_BYTES:
        raise WeightsError(
            f'Tensor "{info.name}" is {info.dtype}; {", ".join(VALUE_BYTES)} can be pruned',
            checkpoint.source,
            "Give the checkpoint from before it was quantized.",
        )


def _kinds(parts: Sequence[Part], layers: int, where: str) -> list[str]:
    """The kind of each layer, by its tensors; raises WeightsError for a layer that has none."""
    found: dict[int, str] = {}
    for part in parts:
        if part.layer is not None:
            mamba = any("mamba_heads" in dim for dim in part.dims or ())
            kind = MAMBA if mamba else ATTENTION
            found[part.layer] = MAMBA if MAMBA in (found.get(part.layer), kind) else ATTENTION
    missing = sorted(set(range(layers)) - set(found))
    if missing:
        raise WeightsError(f"Layer {missing[0]} has no tensors", where, "The weights are incomplete.")
    return [found[layer] for layer in range(layers)]
