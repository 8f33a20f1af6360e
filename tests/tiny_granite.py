"""A Granite-4.0-H checkpoint under a megabyte: seeded weights, a tokenizer trained on the spot."""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

VOCABULARY = 512
SPECIAL_TOKENS = ("<|end_of_text|>", "<|pad|>", "<|start_of_role|>", "<|end_of_role|>")
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|start_of_role|>{{ message['role'] }}<|end_of_role|>{{ message['content'] }}<|end_of_text|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|start_of_role|>assistant<|end_of_role|>{% endif %}"
)
CORPUS = (
    "The lightest thing that travels on the wind is the down of a thistle.",
    "A shard is a GPU buffer, and a chunk is verified before it reaches the GPU.",
    "Granite, basalt and slate are rocks; Mamba, attention and convolution are layers.",
    "Où est la bibliothèque? Die Straße ist naß. 東京は大きい。 🌬️ 0123456789 +-*/=<>(){}[]",
    "def scan(x, dt, A, B, C): return [y for y in steps(x, dt, A, B, C)]",
)


# What the checkpoints differ in, and prompts around the conv kernel, a tile and more than a tile.
VARIANTS: tuple[dict[str, object], ...] = tuple(
    {"groups": groups, "position": position, "tied": tied}
    for groups, position, tied in itertools.product((1, 2), (None, "rope"), (True, False))
)
PROMPT_LENGTHS = (1, 2, 3, 4, 63, 64, 65, 200)


@dataclass(frozen=True)
class Variant:
    """What differs between tiny checkpoints; `position` None is NoPE."""

    groups: int = 1
    position: Literal["rope"] | None = None
    tied: bool = True
    layers: tuple[str, ...] = ("mamba", "attention", "mamba", "mamba")

    @property
    def name(self) -> str:
        tied = "tied" if self.tied else "untied"
        kinds = "".join(kind[0] for kind in self.layers)
        return f"tiny-granite-g{self.groups}-{self.position or 'nope'}-{tied}-{kinds}"


def write_tiny_granite(folder: Path, variant: Variant) -> None:
    """Write config.json, model.safetensors and the tokenizer and generation files into `folder`."""
    import torch
    from transformers import GraniteMoeHybridForCausalLM

    torch.manual_seed(20261121)
    model = GraniteMoeHybridForCausalLM(_config(variant))
    _perturb(model)
    model.generation_config.update(do_sample=False, eos_token_id=0, pad_token_id=1, bos_token_id=0)
    model.save_pretrained(folder)
    write_tokenizer(folder, VOCABULARY)


def _config(variant: Variant):  # noqa: ANN202  # its class comes with torch, which is imported where used
    from transformers import GraniteMoeHybridConfig

    kinds = {"mamba": "linear_attention", "attention": "full_attention"}
    return GraniteMoeHybridConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        num_hidden_layers=len(variant.layers),
        layer_types=[kinds[kind] for kind in variant.layers],
        num_attention_heads=4,
        num_key_value_heads=2,
        shared_intermediate_size=96,
        num_local_experts=0,
        num_experts_per_tok=0,
        max_position_embeddings=512,
        position_embedding_type=variant.position,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=variant.tied,
        mamba_n_heads=8,
        mamba_d_head=16,
        mamba_n_groups=variant.groups,
        mamba_d_state=16,
        mamba_chunk_size=16,
        embedding_multiplier=1.3,
        residual_multiplier=0.6,
        attention_multiplier=0.15,
        logits_scaling=0.5,
        initializer_range=0.1,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=1,
    )


def _perturb(model) -> None:  # noqa: ANN001  # as above
    """Move every vector off its initial ones and zeros, so that no term of the mathematics is invisible."""
    import torch

    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)


def write_tokenizer(folder: Path, vocabulary: int) -> None:
    """Train a byte-level BPE; the vocabulary is filled up to the model's so that every sampled id decodes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([f"<|unused_{i}|>" for i in range(vocabulary - tokenizer.get_vocab_size())])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "GPT2TokenizerFast",
        "bos_token": SPECIAL_TOKENS[0],
        "eos_token": SPECIAL_TOKENS[0],
        "pad_token": SPECIAL_TOKENS[1],
        "add_bos_token": False,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")


def random_ids(length: int) -> list[int]:
    """`length` ids of ordinary tokens, the same ones each time."""
    import numpy as np

    return [int(i) for i in np.random.default_rng(length).integers(len(SPECIAL_TOKENS), VOCABULARY, length)]
