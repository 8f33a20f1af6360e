"""Models as published: the graph built from their configuration has as many parameters as their makers say."""

from collections.abc import Mapping
from typing import Any

import pytest

from exporter.models import architecture
from exporter.passes import parameter_count
from tests.exporter.test_decoder_configs import AnyWeights

LLAMA3_SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}


def _sizes(
    model_type: str, hidden: int, inner: int, layers: int, heads: int, kv_heads: int, words: int, **more: Any
) -> Mapping[str, Any]:
    return {
        "model_type": model_type,
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": words,
        **more,
    }


def _granite(
    hidden: int,
    layers: int,
    attention: tuple[int, ...],
    heads: tuple[int, int, int],
    shared: int,
    experts: int = 0,
    inner: int = 0,
) -> Mapping[str, Any]:
    """Granite-4.0-H; `heads` are those of queries, of keys, and of the mixers."""
    return {
        **_sizes("granitemoehybrid", hidden, inner, layers, heads[0], heads[1], 100352),
        "mamba_n_heads": heads[2],
        "mamba_d_state": 128,
        "shared_intermediate_size": shared,
        "num_local_experts": experts,
        "layer_types": ["attention" if layer in attention else "mamba" for layer in range(layers)],
        "tie_word_embeddings": True,
    }


_FOUR = (5, 15, 25, 35)
_MAMBA2 = {"head_dim": 64, "n_groups": 1, "tie_word_embeddings": True}
_OPT_1_3B = _sizes("opt", 2048, 0, 24, 32, 32, 50272, ffn_dim=8192)
_OPT_350M = _sizes("opt", 1024, 0, 24, 16, 16, 50272, ffn_dim=4096, word_embed_proj_dim=512)
# OPT has two rows of positions that no token is at.
_UNUSED = 2

PUBLISHED: dict[str, tuple[int, Mapping[str, Any]]] = {
    "TinyLlama-1.1B": (1_100_048_384, _sizes("llama", 2048, 5632, 22, 32, 4, 32000)),
    "Llama-3.1-8B": (
        8_030_261_248,
        _sizes("llama", 4096, 14336, 32, 32, 8, 128256, rope_theta=5e5, rope_scaling=LLAMA3_SCALING),
    ),
    "Mistral-7B-v0.1": (7_241_732_096, _sizes("mistral", 4096, 14336, 32, 32, 8, 32000, sliding_window=4096)),
    "Qwen2-1.5B": (
        1_543_714_304,
        _sizes("qwen2", 1536, 8960, 28, 12, 2, 151936, rope_theta=1e6, tie_word_embeddings=True),
    ),
    "Qwen3-0.6B": (
        596_049_920,
        _sizes("qwen3", 1024, 3072, 28, 16, 8, 151936, head_dim=128, tie_word_embeddings=True),
    ),
    "Gemma-2B": (
        2_506_172_416,
        _sizes("gemma", 2048, 16384, 18, 8, 1, 256000, head_dim=256, hidden_act="gelu"),
    ),
    "Gemma-2-2B": (2_614_341_888, _sizes("gemma2", 2304, 9216, 26, 8, 4, 256000, head_dim=256)),
    "Granite-4.0-H-350M": (340_332_224, _granite(768, 32, (10, 13, 17, 27), (12, 4, 48), 2048)),
    "Granite-4.0-H-Micro": (3_191_396_096, _granite(2048, 40, _FOUR, (32, 8, 64), 8192)),
    "Granite-4.0-H-Tiny": (6_939_037_248, _granite(1536, 40, _FOUR, (12, 4, 48), 1024, 64, 512)),
    "Granite-4.0-H-Small": (32_207_337_984, _granite(4096, 40, _FOUR, (32, 8, 128), 1536, 72, 768)),
    "Mamba2-130M": (128_989_632, _sizes("mamba2", 768, 0, 24, 0, 0, 50288, num_heads=24, **_MAMBA2)),
    "Mamba2-2.7B": (2_702_599_680, _sizes("mamba2", 2560, 0, 64, 0, 0, 50288, num_heads=80, **_MAMBA2)),
    "Phi-2": (2_779_683_840, _sizes("phi", 2560, 10240, 32, 32, 32, 51200, partial_rotary_factor=0.4)),
    "Pythia-1B": (1_011_781_632, _sizes("gpt_neox", 2048, 8192, 16, 8, 8, 50304, rotary_pct=0.25)),
    "Pythia-1.4B": (1_414_647_808, _sizes("gpt_neox", 2048, 8192, 24, 16, 16, 50304, rotary_pct=0.25)),
    "OPT-1.3B": (1_315_758_080 - _UNUSED * 2048, _OPT_1_3B),
    "OPT-350M": (331_196_416 - _UNUSED * 1024, {**_OPT_350M, "do_layer_norm_before": False}),
    # Their cards round.
    "Bamba-9B": (
        9_780_000_000,
        _sizes(
            "bamba",
            4096,
            14336,
            32,
            32,
            8,
            128256,
            mamba_n_heads=128,
            mamba_d_state=128,
            attn_layer_indices=[9, 18, 27],
        ),
    ),
    "Minitron-4B-Width": (
        4_510_000_000,
        _sizes("llama", 3072, 9216, 32, 32, 8, 128256, head_dim=128, rope_scaling=LLAMA3_SCALING),
    ),
    "Minitron-4B-Depth": (
        4_540_000_000,
        _sizes("llama", 4096, 14336, 16, 32, 8, 128256, head_dim=128, rope_scaling=LLAMA3_SCALING),
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_graph_has_the_published_parameters(name: str) -> None:
    parameters, config = PUBLISHED[name]
    built = architecture(config).build(config, AnyWeights(), None)
    slack = 0 if parameters % 10**7 else 5 * 10**6
    assert abs(parameter_count(built.model) - parameters) <= slack
