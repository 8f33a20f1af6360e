"""A pruned checkpoint is the whole model without what went: the same logits as with those parts silenced in place."""

from functools import partial
from pathlib import Path

import pytest
import torch

from exporter.checkpoints import Checkpoint
from exporter.reduction.pruning.anatomy import Anatomy, parameters, take_apart
from exporter.reduction.pruning.choosing import choose, keep_layers
from exporter.reduction.pruning.fitting import fit
from exporter.reduction.pruning.goals import parse_goals
from exporter.reduction.pruning.writing import write
from tests.silenced import random_importance, silence
from tests.tiny_encoders import ENCODERS, write_tiny_encoder
from tests.tiny_granite import Variant, write_tiny_granite
from tests.tiny_models import DECODERS, random_ids, write_tiny_model

# Every family with what its tiny checkpoint lets go: width of all kinds, and a layer.
CASES = [
    ("llama-gqa-untied", "hidden=40,mlp=56,heads=2,layers=1"),
    ("llama-gqa-untied", "kv_heads=1"),
    ("llama-tied-llama3", "hidden=24,mlp=40"),
    ("llama-wide-heads-biased", "hidden=24,mlp=40,heads=1,layers=1"),
    ("llama-mha-yarn", "heads=1,hidden=20"),
    ("mistral-window", "hidden=24,mlp=32,heads=1,layers=1"),
    ("qwen2-tied", "hidden=24,mlp=32,heads=1,layers=1"),
    ("qwen2-window", "mlp=32,layers=1"),
    ("gemma-mqa", "hidden=24,mlp=32,heads=1,layers=1"),
    ("gemma2-caps", "hidden=24,mlp=32,heads=1,layers=1"),
    ("gemma2-layer-types", "layers=1"),
    ("qwen3-head-norms", "hidden=24,mlp=32,heads=2,layers=1"),
    ("mamba2-one-group-tied", "hidden=16,layers=1"),
    ("mamba2-four-groups-biased", "hidden=16,mamba_heads=4"),
    ("mamba2-four-groups-biased", "mamba_channels=4,layers=1"),
    ("bamba-hybrid", "hidden=48,mlp=64,heads=1,layers=2"),
    ("bamba-groups-tied", "hidden=32,mlp=64,mamba_heads=4"),
    ("granitemoehybrid-experts-nope", "hidden=24,mlp=32,heads=1,experts=3,expert_mlp=40"),
    ("granitemoehybrid-one-expert-rope", "hidden=16,experts=2,mamba_channels=8"),
    ("granitemoehybrid-all-experts-new-names", "hidden=24,expert_mlp=24,layers=1"),
    ("phi-parallel", "hidden=48,mlp=64,heads=1,layers=1"),
    ("gpt_neox-parallel", "hidden=64,mlp=64,layers=1"),
    ("gpt_neox-serial", "hidden=64"),
    ("opt-norm-first", "hidden=24,mlp=32,layers=1"),
    ("opt-norm-after-projected", "hidden=24,mlp=32"),
]
GRANITE = [
    (Variant(), "hidden=48,mlp=64,kv_heads=1,mamba_heads=6,layers=3"),
    (Variant(groups=2, position="rope", tied=False), "hidden=32,heads=2,mamba_heads=4"),
    (Variant(groups=2), "mamba_channels=8,layers=2,mlp=32"),
]


def _prune(whole: Path, made: Path, to: str) -> tuple[Anatomy, object]:
    """Prune by random scores; the checkpoint, taken apart, and the choice."""
    checkpoint = Checkpoint(whole, "whole")
    anatomy = take_apart(checkpoint)
    importance = random_importance(anatomy)
    sizes = fit(anatomy, parse_goals(to), partial(keep_layers, anatomy.kinds, importance.layers))
    choice = choose(anatomy, sizes, importance)
    made.mkdir()
    written: list[int] = []
    write(made, checkpoint, anatomy, sizes, choice, written.append)
    left = take_apart(Checkpoint(made, "made"))
    assert {name: left.sizes[name] for name in anatomy.prunable} == {
        name: sizes[name] for name in anatomy.prunable
    }
    counted = parameters(anatomy.stored(choice.layers), sizes)
    assert counted == parameters(left.stored(range(left.sizes["layers"])), left.sizes)
    return anatomy, choice


def _outputs(
    folder: Path, loader: str, ids: list[int], silenced: tuple[Anatomy, object] | None = None
) -> torch.Tensor:
    import transformers

    model = getattr(transformers, loader).from_pretrained(folder, dtype=torch.float32).eval()
    if silenced is not None:
        silence(model, *silenced)
    with torch.no_grad():
        out = model(torch.tensor([ids]), **({} if "Causal" not in loader else {"use_cache": False}))
    return out.logits if hasattr(out, "logits") else out.last_hidden_state


def _check(whole: Path, made: Path, to: str, ids: list[int], loader: str = "AutoModelForCausalLM") -> None:
    gone = _prune(whole, made, to)
    expected = _outputs(whole, loader, ids, gone)
    found = _outputs(made, loader, ids)
    before = _outputs(whole, loader, ids)
    scale = expected.abs().max()
    assert (found - expected).abs().max() < 1e-5 * max(scale, 1)
    assert (before - expected).abs().max() > 1e-3 * scale, "nothing of weight went, so nothing is proven"


@pytest.mark.parametrize(("name", "to"), CASES, ids=lambda value: str(value))
def test_a_pruned_decoder_is_the_whole_one_without_what_went(name: str, to: str, tmp_path: Path) -> None:
    row = DECODERS[name]
    write_tiny_model(tmp_path / "whole", row)
    _check(tmp_path / "whole", tmp_path / "made", to, random_ids(21, row.vocabulary))


@pytest.mark.parametrize(("variant", "to"), GRANITE, ids=lambda value: str(getattr(value, "name", value)))
def test_a_pruned_granite_is_the_whole_one_without_what_went(
    variant: Variant, to: str, tmp_path: Path
) -> None:
    write_tiny_granite(tmp_path / "whole", variant)
    _check(tmp_path / "whole", tmp_path / "made", to, random_ids(40, 512))


@pytest.mark.parametrize(
    ("name", "loader"),
    [
        ("bert-embeddings", "AutoModel"),
        ("bert-masked", "AutoModelForMaskedLM"),
        ("bert-old-names", "AutoModelForMaskedLM"),
        ("distilbert-classes", "AutoModelForSequenceClassification"),
    ],
)
def test_a_pruned_encoder_is_the_whole_one_without_what_went(name: str, loader: str, tmp_path: Path) -> None:
    row = ENCODERS[name]
    write_tiny_encoder(tmp_path / "whole", row)
    _check(tmp_path / "whole", tmp_path / "made", "mlp=32,layers=1", random_ids(21, row.vocabulary), loader)
