"""Tiers: the sets of WebGPU features that a plan may ask for. All tiers read the same weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tier:
    """`elem` is the type of activations and caches; `swaps` replaces parts by ones that need the features."""

    name: str
    features: tuple[str, ...] = ()
    elem: str = "f32"
    swaps: Mapping[str, str] = field(default_factory=dict)

    @property
    def elem_bytes(self) -> int:
        """Bytes of one element of an activation or a cache."""
        return 2 if self.elem == "f16" else 4


TIERS: Mapping[str, Tier] = {
    "base": Tier("base"),
    "subgroups": Tier(
        "subgroups",
        features=("subgroups",),
        swaps={
            "reduce_workgroup.wgsl": "reduce_subgroup.wgsl",
            "direct_input.wgsl": "direct_input_quads.wgsl",
            "sum_of_one.wgsl": "sum_of_quad.wgsl",
        },
    ),
    "f16": Tier("f16", features=("shader-f16",), elem="f16"),
}
