"""Writes a tiny checkpoint from a row of config values, through transformers' own class."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from tests.tiny_granite import SPECIAL_TOKENS, write_tokenizer

Tensors = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class TinyModel:
    """One checkpoint: the `model_type`, what tells it from its sisters, and its config values.

    `rewrite` are further keys put into config.json after saving, in spellings that only hub checkpoints use;
    `restore` makes the saved tensors those that such a checkpoint stores.
    """

    model_type: str
    variant: str
    config: Mapping[str, object]
    rewrite: Mapping[str, object] = field(default_factory=dict)
    restore: Callable[[Tensors], Tensors] | None = None

    @property
    def name(self) -> str:
        return f"{self.model_type}-{self.variant}"

    @property
    def vocabulary(self) -> int:
        size = self.config["vocab_size"]
        assert isinstance(size, int)
        return size


def write_tiny_model(folder: Path, row: TinyModel) -> None:
    """Write config.json, model.safetensors and the tokenizer and generation files into `folder`."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(20261124)
    ends = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1}
    config = AutoConfig.for_model(row.model_type, **{"initializer_range": 0.1, **ends, **row.config})
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():  # move every vector off its initial ones and zeros, so that no term is invisible
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    model.generation_config.update(do_sample=False, **ends)
    model.save_pretrained(folder)
    write_tokenizer(folder, row.vocabulary)
    if row.rewrite:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | dict(row.rewrite)))
    if row.restore is not None:
        path = folder / "model.safetensors"
        save_file(dict(row.restore(load_file(path))), path, metadata={"format": "pt"})


def random_ids(length: int, vocabulary: int) -> list[int]:
    """`length` ids of ordinary tokens, the same ones each time."""
    drawn = np.random.default_rng(length).integers(len(SPECIAL_TOKENS), vocabulary, length)
    return [int(i) for i in drawn]
