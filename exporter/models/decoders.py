"""What text generators share: their context, their attention's sizes, and the decoder of Llama with its variations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import onnx_ir as ir

from exporter.components import (
    ACTIVATIONS,
    AttentionShape,
    CausalFrame,
    GraphBuilder,
    MlpShape,
    Rotary,
    WeightSource,
    causal_frame,
    embedding,
    gated_mlp,
    head_weight,
    logits,
    rms_norm,
    self_attention,
)
from exporter.errors import ConfigError
from exporter.models.architecture import Built
from exporter.models.config import Config

DEFAULT_CONTEXT = 4096

# onnxruntime's attention turns heads of a multiple of 16 values, and reads others in multiples of 8.
_TURNED_GRAIN, _PLAIN_GRAIN = 16, 8
_WIDEST_HEAD = 256

Attend = Callable[[GraphBuilder, ir.Value, str, int, AttentionShape, CausalFrame], ir.Value]


def attention_shape(
    c: Config,
    hidden: int,
    *,
    rope: bool = True,
    head_dim: int | None = None,
    kv_heads: int | None = None,
) -> AttentionShape:
    """The sizes of causal attention from the usual keys, its scale head_dim^-0.5; change the rest with `replace`.

    `head_dim` and `kv_heads` are what the class takes where the keys are absent; None is hidden / heads, and heads.
    Raises ConfigError for what does not divide, or what onnxruntime's operator does not compute.
    """
    heads = c.integer("num_attention_heads")
    kv_heads = c.integer_or_null("num_key_value_heads", kv_heads) or heads
    head_dim = c.integer("head_dim", head_dim or hidden // heads or 1, high=_WIDEST_HEAD)
    if heads % kv_heads:
        raise c.bad("num_key_value_heads", f"a divisor of num_attention_heads {heads}")
    grain = _TURNED_GRAIN if rope else _PLAIN_GRAIN
    if head_dim % grain:
        raise c.bad(
            "head_dim", f"a multiple of {grain} (found {head_dim}), which onnxruntime's attention needs"
        )
    return AttentionShape(hidden, heads, kv_heads, head_dim, scale=head_dim**-0.5)


def context_length(asked: int | None, longest: int) -> int:
    """The tokens that a graph is built for: `asked` or 4096, at most `longest`.

    Raises ConfigError if that is less than one to read and one to write.
    """
    if longest < 2:
        raise ConfigError(
            f"the checkpoint has positions for {longest} token",
            "config.json",
            "A text generator needs 2 or more.",
        )
    return min(asked or DEFAULT_CONTEXT, longest)


def rotary_notes(rotary: Rotary | None, asked: int | None) -> tuple[str, ...]:
    """What to tell the user if the frequencies end the context before `asked` or 4096 tokens."""
    if rotary is None or rotary.limit is None or rotary.limit >= (asked or DEFAULT_CONTEXT):
        return ()
    return (
        f"the context ends at {rotary.limit} tokens: past them, 'dynamic' rotary frequencies change with the length",
    )


def activation_name(c: Config, key: str = "hidden_act", default: str = "silu") -> str:
    """The activation of the MLP."""
    return c.choice(key, list(ACTIVATIONS), default)


def mlp_shape(c: Config, hidden: int, activation: str, *, bias: bool = False) -> MlpShape:
    """The sizes of an MLP from the usual keys."""
    return MlpShape(hidden, c.integer("intermediate_size"), activation, bias)


def layer_count(c: Config) -> int:
    """num_hidden_layers."""
    return c.integer("num_hidden_layers", high=1000)


def require_causal(c: Config) -> None:
    """Refuses a checkpoint that was made for attention in both directions."""
    if c.flag("use_bidirectional_attention", False):
        raise c.bad("use_bidirectional_attention", "false, as in a text generator")


def late_windows(c: Config, layers: int) -> list[int]:
    """The windows of Qwen: if `use_sliding_window`, on the layers from `max_window_layers` on."""
    window = c.integer_or_null("sliding_window", 4096) if c.flag("use_sliding_window", False) else None
    first = c.integer("max_window_layers", 28, low=0) if window is not None else layers
    default = ["sliding_attention" if layer >= first else "full_attention" for layer in range(layers)]
    return sliding_windows(c, layers, window, default)


def sliding_windows(c: Config, layers: int, window: int | None, default: Sequence[str]) -> list[int]:
    """The attention window of each layer from `layer_types`, 0 for all tokens; `default` where the key is absent."""
    kinds = c.words("layer_types", layers, default)
    unknown = sorted(set(kinds) - {"full_attention", "sliding_attention"})
    if unknown:
        raise c.bad("layer_types", "made of full_attention and sliding_attention")
    if window is None and "sliding_attention" in kinds:
        raise c.bad("sliding_window", "a number, which the sliding_attention of layer_types needs")
    return [(window or 0) if kind == "sliding_attention" else 0 for kind in kinds]


def tensor_prefix(weights: WeightSource, embedding_name: str, prefix: str) -> str:
    """`prefix`, or nothing where the checkpoint was saved from the model without its head."""
    bare = embedding_name in weights.tensors and prefix + embedding_name not in weights.tensors
    return "" if bare else prefix


@dataclass(frozen=True)
class Decoder:
    """A decoder of Llama's design: RMSNorm, attention, RMSNorm, gated MLP, each branch added to the stream.

    `windows` has the attention window of each layer, 0 for all tokens. `norm_offset` is added to the weights of norms.
    `branch_norms`: a norm also follows each branch, before its sum. `attend` makes the attention of a layer.
    """

    vocabulary: int
    longest: int
    epsilon: float
    tied: bool
    attention: AttentionShape
    windows: Sequence[int]
    mlp: MlpShape
    rotary: Rotary
    embedding_factor: float = 1.0
    norm_offset: float = 0.0
    branch_norms: bool = False
    logit_cap: float = 0.0
    attend: Attend = self_attention

    @property
    def hidden(self) -> int:
        return self.mlp.hidden


def build_decoder(name: str, d: Decoder, weights: WeightSource, context: int | None) -> Built:
    """Inputs input_ids (batch, tokens), attention_mask (batch, past + tokens) int64 and the caches; output logits."""
    length = context_length(context, d.longest)
    g = GraphBuilder(name, weights)
    frame = causal_frame(g, d.rotary, length)
    prefix = tensor_prefix(weights, "embed_tokens.weight", "model.")
    table = g.weight(f"{prefix}embed_tokens.weight", shape=(d.vocabulary, d.hidden))
    x = embedding(g, frame, table, d.embedding_factor)
    for layer, window in enumerate(d.windows):
        # A window that no text outgrows is none.
        shape = replace(d.attention, window=window if window < length else 0)
        with g.scope(f"layers.{layer}"):
            x = _layer(g, x, f"{prefix}layers.{layer}", layer, frame, d, shape)
    x = _norm(g, x, f"{prefix}norm", d)
    head = head_weight(g, weights, "lm_head.weight", table, (d.vocabulary, d.hidden), d.tied)
    logits(g, x, head, d.vocabulary, cap=d.logit_cap)
    return Built(g.finish(), length, d.vocabulary, notes=rotary_notes(d.rotary, context))


def _norm(g: GraphBuilder, x: ir.Value, prefix: str, d: Decoder) -> ir.Value:
    return rms_norm(g, x, f"{prefix}.weight", d.hidden, d.epsilon, d.norm_offset)


def _layer(
    g: GraphBuilder,
    x: ir.Value,
    prefix: str,
    layer: int,
    frame: CausalFrame,
    d: Decoder,
    shape: AttentionShape,
) -> ir.Value:
    normed = _norm(g, x, f"{prefix}.input_layernorm", d)
    branch = d.attend(g, normed, f"{prefix}.self_attn", layer, shape, frame)
    if d.branch_norms:
        branch = _norm(g, branch, f"{prefix}.post_attention_layernorm", d)
    x = g.op("Add", x, branch, name="residual")
    before = "pre_feedforward_layernorm" if d.branch_norms else "post_attention_layernorm"
    normed = _norm(g, x, f"{prefix}.{before}", d)
    mlp = f"{prefix}.mlp"
    branch = gated_mlp(g, normed, [f"{mlp}.gate_proj", f"{mlp}.up_proj"], f"{mlp}.down_proj", d.mlp)
    if d.branch_norms:
        branch = _norm(g, branch, f"{prefix}.post_feedforward_layernorm", d)
    return g.op("Add", x, branch, name="residual")
