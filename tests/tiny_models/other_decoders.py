"""Rows of the state-space, mixture-of-experts and LayerNorm decoders."""

from dataclasses import replace

from tests.tiny_models.checkpoint import Tensors, TinyModel

_MAMBA2 = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_heads": 8,
    "head_dim": 8,
    "state_size": 16,
    "chunk_size": 16,
}
_BAMBA = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "mamba_n_heads": 8,
    "mamba_d_head": 16,
    "mamba_d_state": 16,
    "mamba_chunk_size": 16,
    "max_position_embeddings": 256,
}
_PHI = {
    "vocab_size": 307,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.2,
}
_NEOX = {
    "vocab_size": 320,
    "hidden_size": 128,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 256,
}
_OPT = {
    "vocab_size": 307,
    "hidden_size": 32,
    "ffn_dim": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
    "init_std": 0.2,
}
_MIXTURE = {
    "vocab_size": 307,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "shared_intermediate_size": 48,
    "intermediate_size": 32,
    "num_local_experts": 5,
    "num_experts_per_tok": 2,
    "mamba_n_heads": 4,
    "mamba_d_head": 16,
    "mamba_d_state": 16,
    "mamba_chunk_size": 16,
    "embedding_multiplier": 4.0,
    "residual_multiplier": 0.5,
    "attention_multiplier": 0.25,
    "logits_scaling": 2.0,
    "max_position_embeddings": 256,
    "initializer_range": 0.2,
}
# What transformers 5 calls the tensors of a mixture when it does not save them as the hub has them.
_NEW_NAMES = {
    "input_linear.weight": "experts.gate_up_proj",
    "output_linear.weight": "experts.down_proj",
    "router.layer.weight": "router.weight",
}


def _with_new_names(tensors: Tensors) -> Tensors:
    made = {}
    for name, array in tensors.items():
        old = next((old for old in _NEW_NAMES if name.endswith(f"block_sparse_moe.{old}")), "")
        made[name.removesuffix(old) + _NEW_NAMES.get(old, "")] = array
    return made


def _decoder_only(tensors: Tensors) -> Tensors:
    return {name.removeprefix("model."): array for name, array in tensors.items() if name != "lm_head.weight"}


OTHER_DECODERS: tuple[TinyModel, ...] = (
    TinyModel(
        "mamba2",
        "one-group-tied",
        {**_MAMBA2, "vocab_size": 320, "n_groups": 1, "tie_word_embeddings": True},
    ),
    TinyModel(
        "mamba2", "four-groups-biased", {**_MAMBA2, "vocab_size": 307, "n_groups": 4, "use_bias": True}
    ),
    # No part of a row is a whole vec4 long.
    TinyModel(
        "mamba2",
        "odd-sizes",
        {**_MAMBA2, "vocab_size": 307, "num_heads": 64, "head_dim": 1, "state_size": 9, "n_groups": 2},
    ),
    TinyModel("bamba", "hybrid", {**_BAMBA, "vocab_size": 307, "attn_layer_indices": [1]}),
    TinyModel(
        "bamba",
        "groups-tied",
        {
            **_BAMBA,
            "vocab_size": 320,
            "attn_layer_indices": [0, 2],
            "mamba_n_groups": 2,
            "tie_word_embeddings": True,
        },
    ),
    TinyModel(
        "granitemoehybrid",
        "experts-nope",
        # 128 gate and up rows an expert: more than onnxruntime's QMoE reads exactly with 2 bits.
        {
            **_MIXTURE,
            "layer_types": ["mamba", "attention"],
            "tie_word_embeddings": True,
            "intermediate_size": 64,
        },
    ),
    TinyModel(
        "granitemoehybrid",
        "one-expert-rope",
        {
            **_MIXTURE,
            "layer_types": ["attention", "mamba"],
            "position_embedding_type": "rope",
            "num_experts_per_tok": 1,
        },
    ),
    replace(
        TinyModel(
            "granitemoehybrid",
            "all-experts-new-names",
            {
                **_MIXTURE,
                "layer_types": ["attention"] * 2,
                "intermediate_size": 40,
                "num_local_experts": 3,
                "num_experts_per_tok": 3,
            },
        ),
        restore=_with_new_names,
    ),
    TinyModel("phi", "parallel", _PHI),
    TinyModel("gpt_neox", "parallel", _NEOX),
    replace(
        TinyModel("gpt_neox", "serial", {**_NEOX, "use_parallel_residual": False, "attention_bias": False}),
        # The class reads its own names only.
        rewrite={"rope_parameters": None, "rotary_pct": 0.25, "rotary_emb_base": 10000, "rope_theta": 500000},
    ),
    TinyModel("opt", "norm-first", _OPT),
    replace(
        TinyModel(
            "opt", "norm-after-projected", {**_OPT, "do_layer_norm_before": False, "word_embed_proj_dim": 16}
        ),
        restore=_decoder_only,
    ),
)
