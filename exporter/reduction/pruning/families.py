"""What each architecture is made of: its tensors by dimension, its config keys, the modules that are listened to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from exporter.errors import UnsupportedModelError
from exporter.reduction.pruning.layouts import Dims

Tensors = Mapping[str, Dims]
# How a tensor follows when the stream is made `factor` times as large: itself, or the weight that 1 is added to.
Follow = Literal["times", "one-plus"]

_ATTENTION_WIDTH, _KV_WIDTH = "heads*head_dim", "kv_heads*head_dim"
_INNER = "mamba_heads*mamba_channels"
_EVERY = ("", "model.")


@dataclass(frozen=True)
class Family:
    """One `model_type`.

    `layers` is the path of its layers in the body, `prefixes` what checkpoints put before the body's names, and `root`
    what transformers' class without a head does.
    `keys` are config keys by size. `layer` and `body` are all tensors; with `others_stay` there may be more,
    which no dimension that can shrink touches. `norms` and `last_norms` are those over the hidden channels.
    `readers` are the modules whose input shows what a dimension is worth, `mixer` is the Mamba-2 mixer.
    `own_head_dim`: the width of a head need not be hidden / heads. `refused` says why a dimension stays.
    `follows`: the embedding is multiplied by the root of the hidden size, and these keep up with it.
    """

    keys: Mapping[str, str]
    layer: Tensors
    body: Tensors = field(default_factory=dict)
    layers: str = "layers"
    root: str = ""
    prefixes: tuple[str, ...] = _EVERY
    norms: tuple[str, ...] = ()
    last_norms: tuple[str, ...] = ()
    readers: Mapping[str, str] = field(default_factory=dict)
    mixer: str = ""
    own_head_dim: bool = True
    others_stay: bool = False
    refused: Mapping[str, str] = field(default_factory=dict)
    follows: Mapping[str, Follow] = field(default_factory=dict)


def _linear(name: str, rows: str, columns: str) -> Tensors:
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def _norm(*names: str) -> Tensors:
    return {f"{name}.{part}": ("hidden",) for name in names for part in ("weight", "bias")}


def _attention(path: str, out: str) -> Tensors:
    return {
        **_linear(f"{path}.q_proj", _ATTENTION_WIDTH, "hidden"),
        **_linear(f"{path}.k_proj", _KV_WIDTH, "hidden"),
        **_linear(f"{path}.v_proj", _KV_WIDTH, "hidden"),
        **_linear(f"{path}.{out}", "hidden", _ATTENTION_WIDTH),
    }


def _gated_mlp(path: str) -> Tensors:
    return {
        **_linear(f"{path}.gate_proj", "mlp", "hidden"),
        **_linear(f"{path}.up_proj", "mlp", "hidden"),
        **_linear(f"{path}.down_proj", "hidden", "mlp"),
    }


def _plain_mlp(up: str, down: str) -> Tensors:
    return {**_linear(up, "mlp", "hidden"), **_linear(down, "hidden", "mlp")}


def _mixer(path: str) -> Tensors:
    """Mamba-2: gate, x, B and C, dt out of one linear; a convolution over x, B and C; the gated norm."""
    return {
        **_linear(f"{path}.in_proj", f"{_INNER} + {_INNER} + bc + mamba_heads", "hidden"),
        **_linear(f"{path}.out_proj", "hidden", _INNER),
        f"{path}.conv1d.weight": (f"{_INNER} + bc", "1", "taps"),
        f"{path}.conv1d.bias": (f"{_INNER} + bc",),
        f"{path}.norm.weight": (_INNER,),
        **{f"{path}.{name}": ("mamba_heads",) for name in ("A_log", "D", "dt_bias")},
    }


def _experts(path: str) -> Tensors:
    """In both spellings: the hub's, and that of transformers 5."""
    router, gate_up, down = (
        ("experts", "hidden"),
        ("experts", "expert_mlp + expert_mlp", "hidden"),
        ("experts", "hidden", "expert_mlp"),
    )
    return {
        f"{path}.router.layer.weight": router,
        f"{path}.router.weight": router,
        f"{path}.input_linear.weight": gate_up,
        f"{path}.experts.gate_up_proj": gate_up,
        f"{path}.output_linear.weight": down,
        f"{path}.experts.down_proj": down,
    }


def _ends(table: str, norm: str, head: str = "lm_head") -> Tensors:
    return {
        f"{table}.weight": ("vocabulary", "hidden"),
        **_norm(norm),
        **_linear(head, "vocabulary", "hidden"),
    }


_DECODER_KEYS = {
    "layers": "num_hidden_layers",
    "vocabulary": "vocab_size",
    "hidden": "hidden_size",
    "mlp": "intermediate_size",
    "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "head_dim": "head_dim",
}
_MAMBA_KEYS = {
    "mamba_heads": "mamba_n_heads",
    "mamba_channels": "mamba_d_head",
    "groups": "mamba_n_groups",
    "state": "mamba_d_state",
    "taps": "mamba_d_conv",
    "expand": "mamba_expand",
}
_LLAMA_NORMS = ("input_layernorm", "post_attention_layernorm")
_ENCODER_WIDTH = (
    "an encoder's width is that of its embeddings, which others have stored, and its heads divide it"
)
_ENCODER_REFUSED = dict.fromkeys(("hidden", "heads", "kv_heads"), _ENCODER_WIDTH)

_LLAMA = Family(
    keys=_DECODER_KEYS,
    layer={
        **_norm(*_LLAMA_NORMS),
        **_attention("self_attn", "o_proj"),
        **{f"self_attn.{name}.weight": ("head_dim",) for name in ("q_norm", "k_norm")},
        **_gated_mlp("mlp"),
    },
    body=_ends("embed_tokens", "norm"),
    norms=_LLAMA_NORMS,
    last_norms=("norm",),
    readers={"mlp": "mlp.down_proj", "heads": "self_attn.o_proj"},
)
_GEMMA = replace(
    _LLAMA,
    follows={
        f"{name}.{part}": "times"
        for name in ("self_attn.o_proj", "mlp.down_proj")
        for part in ("weight", "bias")
    },
)
_BRANCH_NORMS = ("post_attention_layernorm", "post_feedforward_layernorm")
_GEMMA2 = replace(
    _LLAMA,
    layer={**_LLAMA.layer, **_norm("pre_feedforward_layernorm", "post_feedforward_layernorm")},
    # What the norms after the branches make is read by no weight, and so shows nothing.
    norms=("input_layernorm", "pre_feedforward_layernorm"),
    follows={f"{name}.weight": "one-plus" for name in _BRANCH_NORMS},
)
_GRANITE = Family(
    keys={
        **_DECODER_KEYS,
        **_MAMBA_KEYS,
        "mlp": "shared_intermediate_size",
        "experts": "num_local_experts",
        "chosen_experts": "num_experts_per_tok",
        "expert_mlp": "intermediate_size",
    },
    layer={
        **_norm(*_LLAMA_NORMS),
        **_attention("self_attn", "o_proj"),
        **_mixer("mamba"),
        **_linear("shared_mlp.input_linear", "mlp + mlp", "hidden"),
        **_linear("shared_mlp.output_linear", "hidden", "mlp"),
        **_experts("block_sparse_moe"),
    },
    body=_ends("embed_tokens", "norm"),
    norms=_LLAMA_NORMS,
    last_norms=("norm",),
    readers={
        "mlp": "shared_mlp.output_linear",
        "heads": "self_attn.o_proj",
        "experts": "block_sparse_moe.experts",
    },
    mixer="mamba",
)
_BAMBA = Family(
    keys={**_DECODER_KEYS, **_MAMBA_KEYS},
    layer={
        **_norm("input_layernorm", "pre_ff_layernorm"),
        **_attention("self_attn", "o_proj"),
        **_mixer("mamba"),
        **_gated_mlp("feed_forward"),
    },
    body=_ends("embed_tokens", "final_layernorm"),
    norms=("input_layernorm", "pre_ff_layernorm"),
    last_norms=("final_layernorm",),
    readers={"mlp": "feed_forward.down_proj", "heads": "self_attn.o_proj"},
    mixer="mamba",
)
_MAMBA2 = Family(
    keys={
        "layers": "num_hidden_layers",
        "vocabulary": "vocab_size",
        "hidden": "hidden_size",
        "mamba_heads": "num_heads",
        "mamba_channels": "head_dim",
        "groups": "n_groups",
        "state": "state_size",
        "taps": "conv_kernel",
        "expand": "expand",
    },
    layer={**_norm("norm"), **_mixer("mixer")},
    # The first releases say "embedding".
    body={**_ends("embeddings", "norm_f"), "embedding.weight": ("vocabulary", "hidden")},
    prefixes=("", "backbone."),
    norms=("norm",),
    last_norms=("norm_f",),
    mixer="mixer",
)
_OPT_NORMS = ("self_attn_layer_norm", "final_layer_norm")
_OPT = Family(
    keys={
        "layers": "num_hidden_layers",
        "vocabulary": "vocab_size",
        "hidden": "hidden_size",
        "mlp": "ffn_dim",
        "heads": "num_attention_heads",
        "embedded": "word_embed_proj_dim",
        "positions": "max_position_embeddings",
    },
    layer={
        **_norm(*_OPT_NORMS),
        **_attention("self_attn", "out_proj"),
        **_plain_mlp("fc1", "fc2"),
    },
    body={
        "embed_tokens.weight": ("vocabulary", "embedded"),
        # Two rows were meant for padding.
        "embed_positions.weight": ("positions + 2", "hidden"),
        "project_in.weight": ("hidden", "embedded"),
        "project_out.weight": ("embedded", "hidden"),
        **_norm("final_layer_norm"),
        "lm_head.weight": ("vocabulary", "embedded"),
    },
    root="decoder.",
    prefixes=("", "decoder.", "model.decoder."),
    norms=_OPT_NORMS,
    last_norms=("final_layer_norm",),
    readers={"mlp": "fc2", "heads": "self_attn.out_proj"},
    own_head_dim=False,
)
_PHI = Family(
    keys=_DECODER_KEYS,
    layer={
        **_norm("input_layernorm"),
        **_attention("self_attn", "dense"),
        **_plain_mlp("mlp.fc1", "mlp.fc2"),
    },
    body=_ends("embed_tokens", "final_layernorm"),
    norms=("input_layernorm",),
    last_norms=("final_layernorm",),
    readers={"mlp": "mlp.fc2", "heads": "self_attn.dense"},
)
_GPT_NEOX = Family(
    keys={name: key for name, key in _DECODER_KEYS.items() if name not in ("kv_heads", "head_dim")},
    layer={
        **_norm(*_LLAMA_NORMS),
        **_linear("attention.query_key_value", "heads*3*head_dim", "hidden"),
        **_linear("attention.dense", "hidden", _ATTENTION_WIDTH),
        **_plain_mlp("mlp.dense_h_to_4h", "mlp.dense_4h_to_h"),
    },
    body={**_ends("embed_in", "final_layer_norm"), **_linear("embed_out", "vocabulary", "hidden")},
    prefixes=("", "gpt_neox."),
    norms=_LLAMA_NORMS,
    last_norms=("final_layer_norm",),
    readers={"mlp": "mlp.dense_4h_to_h", "heads": "attention.dense"},
    own_head_dim=False,
)
_BERT = Family(
    keys={"layers": "num_hidden_layers", "hidden": "hidden_size", "mlp": "intermediate_size"},
    layer=_plain_mlp("intermediate.dense", "output.dense"),
    layers="encoder.layer",
    prefixes=("", "bert."),
    readers={"mlp": "output.dense"},
    others_stay=True,
    refused=_ENCODER_REFUSED,
)
_DISTILBERT = Family(
    keys={"layers": "n_layers", "hidden": "dim", "mlp": "hidden_dim"},
    layer=_plain_mlp("ffn.lin1", "ffn.lin2"),
    layers="transformer.layer",
    prefixes=("", "distilbert."),
    readers={"mlp": "ffn.lin2"},
    others_stay=True,
    refused=_ENCODER_REFUSED,
)

FAMILIES: Mapping[str, Family] = {
    "bamba": _BAMBA,
    "bert": _BERT,
    "distilbert": _DISTILBERT,
    "gemma": _GEMMA,
    "gemma2": _GEMMA2,
    "gpt_neox": _GPT_NEOX,
    "granitemoehybrid": _GRANITE,
    "llama": _LLAMA,
    "mamba2": _MAMBA2,
    "mistral": _LLAMA,
    "opt": _OPT,
    "phi": _PHI,
    "qwen2": _LLAMA,
    "qwen3": _LLAMA,
}


def family_of(model_type: object) -> Family:
    """The family of a config's `model_type`; raises UnsupportedModelError."""
    if model_type not in FAMILIES:
        raise UnsupportedModelError(str(model_type), FAMILIES)
    return FAMILIES[str(model_type)]
