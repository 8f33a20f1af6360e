"""The shape of the extraction model: a dense GraniteMoeHybrid, Mamba-2 with a few layers of attention, no positions."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.artifact import atomic_folder
from exporter.reduction.extraction.schema import KINDS

if TYPE_CHECKING:
    from transformers import GraniteMoeHybridConfig, PreTrainedModel

_LAYERS = ("mamba", "mamba", "attention", "mamba", "attention", "mamba", "attention", "mamba")
_HIDDEN, _INNER, _HEAD = 256, 352, 32


def new_model(vocabulary: int, end: int, seed: int = 0) -> "PreTrainedModel":
    """The model with random weights."""
    import torch
    from transformers import GraniteMoeHybridForCausalLM

    torch.manual_seed(seed)
    model = GraniteMoeHybridForCausalLM(model_config(vocabulary, end))
    _spread_time_steps(model)
    return model


def write_fresh(like: Path, folder: Path, seed: int = 0) -> None:
    """A checkpoint of the same shape and tokenizer as `like`, with random weights as a run begins with.

    It appears whole or not at all.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(like))
    _spread_time_steps(model)
    with atomic_folder(folder) as making:
        model.save_pretrained(making)
        shutil.copyfile(like / "tokenizer.json", making / "tokenizer.json")


def model_config(vocabulary: int, end: int) -> "GraniteMoeHybridConfig":
    """Its configuration; `end` is the token that ends an answer."""
    from transformers import GraniteMoeHybridConfig

    return GraniteMoeHybridConfig(
        vocab_size=vocabulary,
        hidden_size=_HIDDEN,
        intermediate_size=_INNER,
        shared_intermediate_size=_INNER,
        num_hidden_layers=len(_LAYERS),
        layer_types=list(_LAYERS),
        num_attention_heads=_HIDDEN // _HEAD,
        num_key_value_heads=_HIDDEN // _HEAD // 2,
        attention_multiplier=_HEAD**-0.5,
        position_embedding_type=None,
        num_local_experts=0,
        num_experts_per_tok=0,
        mamba_n_heads=2 * _HIDDEN // _HEAD,
        mamba_d_head=_HEAD,
        mamba_d_state=64,
        mamba_n_groups=1,
        mamba_expand=2,
        mamba_chunk_size=64,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        initializer_range=0.02,
        embedding_multiplier=1.0,
        residual_multiplier=1.0,
        logits_scaling=1.0,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=end,
        # What the exporter tells the page that asks the model.
        extraction={kind: list(fields) for kind, fields in KINDS.items()},
    )


def _spread_time_steps(model: "PreTrainedModel") -> None:
    """Time steps from 0.001 to 0.1, as Mamba-2 begins with; transformers sets all biases to 1, which soon forgets."""
    import torch

    for name, parameter in model.named_parameters():
        if name.endswith("dt_bias"):
            steps = torch.exp(
                torch.linspace(torch.tensor(0.001).log(), torch.tensor(0.1).log(), parameter.numel())
            )
            with torch.no_grad():
                parameter.copy_(steps + torch.log(-torch.expm1(-steps)))
