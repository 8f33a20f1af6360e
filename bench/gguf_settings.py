"""A GGUF's header: the sizes and factors of a model in llama.cpp's words."""

import numpy as np
from gguf import GGML_QUANT_VERSION, GGUFWriter

from bench.gguf_sizes import Mamba, Sizes

# What frequencies differ by when they come of one base and were rounded to f32.
_ROUNDING = 1e-5


def write_settings(writer: GGUFWriter, sizes: Sizes, context: int) -> None:
    """Everything but tokens and weights; raises ValueError for what llama.cpp would compute otherwise."""
    writer.add_quantization_version(GGML_QUANT_VERSION)
    writer.add_block_count(sizes.layers)
    writer.add_context_length(context)
    writer.add_embedding_length(sizes.hidden)
    writer.add_feed_forward_length(sizes.inner)
    writer.add_vocab_size(sizes.vocabulary)
    writer.add_layer_norm_rms_eps(sizes.epsilon)
    _write_attention(writer, sizes)
    if sizes.mamba:
        _write_mamba(writer, sizes.mamba)
    if writer.arch == "llama":
        _check_llama(sizes)
    else:
        _write_factors(writer, sizes)


def _write_attention(writer: GGUFWriter, sizes: Sizes) -> None:
    """A layer without heads of keys is one of Mamba."""
    attention = sizes.attention
    kv_heads = [attention.kv_heads if layer in sizes.attentive else 0 for layer in range(sizes.layers)]
    writer.add_head_count(attention.heads)
    writer.add_head_count_kv(kv_heads if sizes.mamba else attention.kv_heads)
    writer.add_key_length(attention.head_dim)
    writer.add_value_length(attention.head_dim)
    if attention.frequencies:
        _write_rope(writer, np.array(attention.frequencies))


def _write_rope(writer: GGUFWriter, frequencies: np.ndarray) -> None:
    """The base that gives the last frequency, and where others need it, what llama.cpp divides each by."""
    exponents = np.arange(len(frequencies)) / len(frequencies)
    base = float(frequencies[-1] ** (-1 / exponents[-1]))
    factors = base**-exponents / frequencies
    writer.add_rope_dimension_count(2 * len(frequencies))
    writer.add_rope_freq_base(base)
    if abs(factors - 1).max() < _ROUNDING:
        return
    if writer.arch != "llama":
        raise ValueError("its rotary frequencies are stretched, which llama.cpp knows of llama only")
    writer.add_tensor("rope_freqs.weight", factors.astype(np.float32))


def _write_mamba(writer: GGUFWriter, mamba: Mamba) -> None:
    writer.add_ssm_conv_kernel(mamba.taps)
    writer.add_ssm_state_size(mamba.state_size)
    writer.add_ssm_group_count(mamba.groups)
    writer.add_ssm_inner_size(mamba.heads * mamba.head_dim)
    writer.add_ssm_time_step_rank(mamba.heads)


def _write_factors(writer: GGUFWriter, sizes: Sizes) -> None:
    """Granite's; llama.cpp divides the logits where the graph multiplies them."""
    writer.add_embedding_scale(sizes.embedding_factor or 1.0)
    writer.add_residual_scale(sizes.residual_factor or 1.0)
    writer.add_logit_scale(1.0 / (sizes.logits_factor or 1.0))
    writer.add_rope_scaling_finetuned(sizes.attention.frequencies is not None)
    writer.add_attention_scale(sizes.attention.scale)


def _check_llama(sizes: Sizes) -> None:
    """llama.cpp's llama has no factors, and its own scale of scores."""
    factors = (sizes.embedding_factor, sizes.residual_factor, sizes.logits_factor)
    attention = sizes.attention
    if any(factors) or not np.isclose(attention.scale, attention.head_dim**-0.5):
        raise ValueError("it has factors that llama.cpp's llama has not")
