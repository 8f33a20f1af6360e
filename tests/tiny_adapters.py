"""LoRA adapters of peft for the tiny checkpoints: seeded, with B away from the zeros that training begins with."""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

GRANITE_TARGETS = ("in_proj", "out_proj", "q_proj", "v_proj", "o_proj", "input_linear", "output_linear")
BERT_TARGETS = ("query", "value", "intermediate.dense", "output.dense")
LLAMA_TARGETS = ("q_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@contextmanager
def _unwarned() -> Iterator[None]:
    """peft uses what transformers is about to take away; neither is ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def write_adapter(
    folder: Path,
    checkpoint: Path,
    targets: Sequence[str],
    *,
    seed: int = 1,
    size: float = 0.1,
    **config: object,
) -> Path:
    """Write an adapter for `checkpoint` with peft itself; `size` is the deviation of B. Returns `folder`."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModel, AutoModelForCausalLM

    torch.manual_seed(seed)
    settings = {"r": 4, "lora_alpha": 6, "target_modules": list(targets), **config}
    encodes = "query" in targets
    kind = AutoModel if encodes else AutoModelForCausalLM
    base = kind.from_pretrained(checkpoint, dtype=torch.float32)
    with _unwarned(), torch.no_grad():
        model = get_peft_model(base, LoraConfig(**settings))  # type: ignore[arg-type]
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0.0, size)
        model.save_pretrained(folder)
    return folder


def merged_by_peft(checkpoint: Path, adapter: Path, folder: Path) -> Path:
    """What peft's own merge_and_unload makes of the two, as a checkpoint."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
    with _unwarned():
        PeftModel.from_pretrained(base, adapter).merge_and_unload().save_pretrained(folder)
    return folder


def changed_adapter(
    source: Path,
    folder: Path,
    config: Mapping[str, object] | None = None,
    tensors: Mapping[str, np.ndarray | None] | None = None,
) -> Path:
    """A copy of `source` with other settings, and with tensors added, replaced or (None) taken away."""
    folder.mkdir()
    settings = json.loads((source / "adapter_config.json").read_text()) | dict(config or {})
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    stored = load_file(source / "adapter_model.safetensors") | dict(tensors or {})
    kept = {name: array for name, array in stored.items() if array is not None}
    save_file(kept, folder / "adapter_model.safetensors")
    return folder
