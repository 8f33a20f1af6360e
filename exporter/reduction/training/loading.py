"""Reads a checkpoint folder to train it, or to learn from it: whole, or not at all, and never from a hub."""

from pathlib import Path
from typing import Any

from exporter.checkpoints.checkpoint import Checkpoint
from exporter.errors import ReductionError, WeightsError


def load_decoder(folder: Path) -> Any:
    """The model in float32.

    Raises ReductionError where transformers cannot load it, WeightsError where a tensor is missing, and what Checkpoint
    raises.
    """
    import torch
    from transformers import AutoModelForCausalLM

    if not (folder / "config.json").is_file():
        raise ReductionError("There is no checkpoint", str(folder), "Give a folder with config.json.")
    _require_decoder(Checkpoint(folder, folder.name), folder)
    try:
        model, found = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError) as problem:
        raise ReductionError(f"transformers cannot load it: {problem}", str(folder), "") from None
    if missing := sorted(found["missing_keys"]):
        raise WeightsError(f'Tensor "{missing[0]}" is missing', str(folder), "The weights are incomplete.")
    return model


def _require_decoder(checkpoint: Checkpoint, folder: Path) -> None:
    """Raises ReductionError for an encoder: transformers would give BERT a head that foretells what it sees."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    kind = checkpoint.config.get("model_type")
    if kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not checkpoint.config.get("is_decoder"):
        raise ReductionError(
            f"A model of type {kind} is an encoder, which foretells no tokens",
            str(folder),
            "Take a model that generates text.",
        )
