"""What hybrids of Mamba-2 and attention share: the kinds of their layers, and the sizes of their mixers."""

from collections.abc import Sequence

from exporter.components import Mamba2Shape
from exporter.models.config import Config

# Both spellings found in the wild: the hub's, and that of transformers 5.
_KINDS = {
    "mamba": "mamba",
    "linear_attention": "mamba",
    "attention": "attention",
    "full_attention": "attention",
}


def layer_kinds(c: Config, layers: int, default: Sequence[str]) -> Sequence[str]:
    """The kind of each layer, "mamba" or "attention", from `layer_types` or `layers_block_type`."""
    key = "layer_types" if c.has("layer_types") else "layers_block_type"
    words = c.words(key, layers, default)
    unknown = sorted(set(words) - set(_KINDS))
    if unknown:
        raise c.bad(key, f"made of {', '.join(_KINDS)} (found {', '.join(unknown)})")
    return [_KINDS[word] for word in words]


def hybrid_mixer(c: Config, hidden: int, epsilon: float) -> Mamba2Shape:
    """The sizes of a mixer from the keys `mamba_*`, which Granite and Bamba share.

    Raises ConfigError for sizes that do not fit each other.
    """
    heads = c.integer("mamba_n_heads", 128)
    inner = hidden * c.integer("mamba_expand", 2)
    head_dim = inner // heads if c.is_auto("mamba_d_head") else c.integer("mamba_d_head")
    groups = c.integer("mamba_n_groups", 1)
    if heads * head_dim != inner:
        raise c.bad("mamba_d_head", f"mamba_expand * hidden_size / mamba_n_heads = {inner} / {heads}")
    if heads % groups:
        raise c.bad("mamba_n_groups", f"a divisor of mamba_n_heads {heads}")
    dt_min, dt_max = c.limits("time_step_limit", (0.0, float("inf")))
    return Mamba2Shape(
        hidden=hidden,
        heads=heads,
        head_dim=head_dim,
        groups=groups,
        state_size=c.integer("mamba_d_state", 256, high=256),
        taps=c.integer("mamba_d_conv", 4, low=2, high=8),
        epsilon=epsilon,
        conv_bias=c.flag("mamba_conv_bias", True),
        proj_bias=c.flag("mamba_proj_bias", False),
        dt_min=dt_min,
        dt_max=dt_max,
    )
