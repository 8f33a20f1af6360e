"""What does nothing is found and goes, by the command as people type it: the logits stay."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from exporter.__main__ import main
from exporter.checkpoints import Checkpoint
from exporter.reduction.pruning.anatomy import Anatomy, take_apart
from exporter.reduction.pruning.layouts import kept_places
from tests.tiny_granite import CORPUS, VOCABULARY, Variant, write_tiny_granite
from tests.tiny_models import DECODERS, random_ids, write_tiny_model

IDS = random_ids(40, VOCABULARY)
# Dimension by dimension: of every layer these neurons and heads are made useless; heads share a group with another.
NEURONS = (1, 5, 6, 20, 33)
FAMILIES = [
    ("bamba-hybrid", "mlp=91,heads=1", (0,)),
    ("gemma-mqa", "mlp=43,heads=1", (1,)),
    ("gemma2-caps", "mlp=43,heads=1", (0,)),
    ("gpt_neox-parallel", "mlp=91", ()),
    ("granitemoehybrid-experts-nope", "mlp=43,heads=1", (1,)),
    ("llama-gqa-untied", "mlp=91,heads=2", (0, 3)),
    ("llama-mha-yarn", "mlp=43,heads=1", (0,)),
    ("mistral-no-window", "mlp=43,heads=2", (1, 3)),
    ("opt-norm-first", "mlp=43", ()),
    ("phi-parallel", "mlp=91,heads=1", (1,)),
    ("qwen2-tied", "mlp=43,heads=1", (0,)),
    ("qwen3-head-norms", "mlp=43,heads=2", (1, 2)),
]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Enough that every neuron is heard at least once: one that never is looks useless, too."""
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(CORPUS), encoding="utf-8")
    return path


def _logits(folder: Path, ids: list[int]) -> torch.Tensor:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        return model(torch.tensor([ids])).logits


def _anatomy(folder: Path) -> Anatomy:
    return take_apart(Checkpoint(folder, "tiny"))


def _plant(folder: Path, useless: dict[str, tuple[int, ...]], layer: int | None = None) -> None:
    """Makes the weights that read useless parts zero, and with `layer` all that this layer adds."""
    anatomy, path = _anatomy(folder), folder / "model.safetensors"
    tensors = load_file(path)
    for part in anatomy.parts:
        if part.layer is None or part.dims is None:
            continue
        last = part.dims[-1]
        if part.dims[0] == "hidden" and last in ("mlp", "heads*head_dim"):
            name = last.partition("*")[0]
            kept = {name: np.array(useless.get(name, ()), np.int64)}
            tensors[part.info.name][:, kept_places(last, anatomy.sizes, kept)] = 0
        adds = part.dims[0] == "hidden" and "norm" not in part.within
        if part.layer == layer and adds:
            tensors[part.info.name][:] = 0
    save_file(tensors, path, metadata={"format": "pt"})


def _prune(whole: Path, made: Path, to: str, texts: Path) -> None:
    assert main(["prune", str(whole), "-o", str(made), "--to", to, "--calibration", str(texts)]) == 0


def _same(found: torch.Tensor, expected: torch.Tensor) -> bool:
    return bool((found - expected).abs().max() < 1e-5 * max(float(expected.abs().max()), 1.0))


@pytest.mark.parametrize(("name", "to", "heads"), FAMILIES, ids=lambda value: str(value))
def test_useless_neurons_and_heads_go_first(
    name: str, to: str, heads: tuple[int, ...], tmp_path: Path, texts: Path
) -> None:
    whole, made = tmp_path / "whole", tmp_path / "made"
    write_tiny_model(whole, DECODERS[name])
    _plant(whole, {"mlp": NEURONS, "heads": heads})
    _prune(whole, made, to, texts)
    ids = random_ids(20, DECODERS[name].vocabulary)
    assert _same(_logits(made, ids), _logits(whole, ids))


@pytest.mark.parametrize("layer", [0, 1, 3])
def test_a_useless_layer_goes_first(layer: int, tmp_path: Path, texts: Path) -> None:
    whole, made = tmp_path / "whole", tmp_path / "made"
    kinds = ("mamba", "attention", "mamba", "attention")
    write_tiny_granite(whole, Variant(layers=kinds))
    _plant(whole, {}, layer)
    _prune(whole, made, "layers=3", texts)
    left = json.loads((made / "config.json").read_text())["layer_types"]
    words = {"mamba": "linear_attention", "attention": "full_attention"}
    assert left == [words[kind] for at, kind in enumerate(kinds) if at != layer]
    assert _same(_logits(made, IDS), _logits(whole, IDS))


def test_useless_channels_and_mamba_heads_go_first(tmp_path: Path, texts: Path) -> None:
    """Norms average over fewer channels then, which the test makes up for."""
    whole, made = tmp_path / "whole", tmp_path / "made"
    write_tiny_granite(whole, Variant(groups=2))
    channels, heads = np.arange(3, 19), np.array([1, 6])
    path = whole / "model.safetensors"
    anatomy, tensors = _anatomy(whole), load_file(path)
    for part in anatomy.parts:
        for axis, dim in enumerate(part.dims or ()):
            values = np.moveaxis(tensors[part.info.name], axis, 0)
            if dim == "hidden" and ("vocabulary" in part.dims or (axis == 0 and "norm" not in part.within)):
                values[channels] = 0
            elif dim.startswith("mamba_heads*") and axis == 0 and "norm" not in part.within:
                first, inner = dim.count("mamba_heads*") == 2, anatomy.sizes["mamba_heads"] * 16
                x = heads[:, None] * 16 + np.arange(16) + (inner if first else 0)
                values[x.ravel()] = 0
    save_file(tensors, path, metadata={"format": "pt"})
    _prune(whole, made, "hidden=48,mamba_heads=6", texts)
    _make_up_for(made, 4 / 3)
    assert _same(_logits(made, IDS), _logits(whole, IDS))


def _make_up_for(folder: Path, ratio: float) -> None:
    """Norms that average over `ratio` times fewer channels, the gated ones, too."""
    config = folder / "config.json"
    settings = json.loads(config.read_text())
    config.write_text(json.dumps(settings | {"rms_norm_eps": settings["rms_norm_eps"] * ratio}))
    path = folder / "model.safetensors"
    tensors = load_file(path)
    for name, values in tensors.items():
        if name.endswith("norm.weight"):
            values *= ratio**0.5
    save_file(tensors, path, metadata={"format": "pt"})


def test_useless_experts_and_their_neurons_go_first(tmp_path: Path, texts: Path) -> None:
    """An expert that adds nothing goes even though tokens are sent to it."""
    whole, made = tmp_path / "whole", tmp_path / "made"
    write_tiny_model(whole, DECODERS["granitemoehybrid-experts-nope"])
    path = whole / "model.safetensors"
    tensors = load_file(path)
    for name, values in tensors.items():
        if name.endswith("block_sparse_moe.output_linear.weight"):
            values[3] = 0
            for expert in range(5):
                values[expert, :, expert : expert + 8] = 0
    save_file(tensors, path, metadata={"format": "pt"})
    _prune(whole, made, "experts=4,expert_mlp=56", texts)
    left = load_file(made / "model.safetensors")
    for name, values in tensors.items():
        if name.endswith("block_sparse_moe.output_linear.weight"):
            kept = [
                np.delete(values[expert], np.arange(expert, expert + 8), axis=1) for expert in (0, 1, 2, 4)
            ]
            np.testing.assert_array_equal(left[name], np.stack(kept))
        if name.endswith("router.layer.weight"):
            np.testing.assert_array_equal(left[name], np.delete(values, 3, axis=0))
