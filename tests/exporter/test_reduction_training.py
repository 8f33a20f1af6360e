"""The training loop: faster forms say the same, a killed run goes on exactly, a loss that is no number stops it."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from exporter.errors import ReductionError
from exporter.reduction.training import checkpoints, granite
from exporter.reduction.training.batches import NO_LABEL, Batch, Tokens, batches, packed
from exporter.reduction.training.fast_mamba import fast_mamba
from exporter.reduction.training.loop import Run
from exporter.reduction.training.losses import cross_entropy, layer_outputs, logits
from exporter.reduction.training.optimizers import make_optimizers
from exporter.reduction.training.recipe import Recipe
from tests.tiny_granite import Variant, write_tiny_granite
from tests.tiny_models import DECODERS, write_tiny_model

STEPS = 6


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_granite(folder, Variant())
    return folder


def loaded(checkpoint: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(checkpoint)


def step_data(step: int) -> list[Batch]:
    """Seeded by the step alone."""
    import torch

    source = torch.Generator().manual_seed(step)
    rows = torch.randint(3, 100, (6, 20), generator=source).tolist()
    return batches([Tokens(row[: 8 + 2 * i], 3) for i, row in enumerate(rows)], 40, 0)


def weights_after(model: Any, folder: Path, recipe: Recipe) -> dict[str, Any]:
    with fast_mamba():
        Run(model, recipe, folder).train(step_data, cross_entropy, lambda line: None)
    return {name: one.detach().clone() for name, one in model.named_parameters()}


def recipe(steps: int = STEPS, **more: Any) -> Recipe:
    return Recipe(steps, warm_up=2, cool_down=2, save_every=2, log_every=1, **more)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("tokens", [1, 3, 64, 150])
def test_the_faster_forms_say_the_same(tmp_path: Path, groups: int, tokens: int) -> None:
    import torch

    write_tiny_granite(tmp_path, Variant(groups=groups))
    model = loaded(tmp_path).eval()
    ids = torch.arange(3, 3 + tokens)[None] % 90 + 3
    with torch.no_grad():
        plain = model(ids).logits
        with fast_mamba():
            fast = model(ids).logits
            begun = model(ids, use_cache=True).past_key_values
            cached = model(ids[:, :1], past_key_values=begun).logits
        begun = model(ids, use_cache=True).past_key_values
        expected = model(ids[:, :1], past_key_values=begun).logits
    assert (fast - plain).abs().max() < 1e-5
    assert (cached - expected).abs().max() < 1e-5


SEQUENCES = [
    Tokens([*range(5, 5 + length)], start) for length, start in ((70, 8), (12, 2), (40, 1), (3, 1), (131, 60))
]


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("pack", [False, True])
def test_the_loss_is_that_of_transformers_for_each_sequence_alone(
    tmp_path: Path, groups: int, pack: bool
) -> None:
    import torch

    write_tiny_granite(tmp_path, Variant(groups=groups))
    model = loaded(tmp_path).eval()
    assert granite.packs(model)
    made = packed(SEQUENCES, 400, 0, 200) if pack else batches(SEQUENCES, 400, 0)
    ours = sum(cross_entropy(model, batch).sum() for batch in made)
    ours.backward()
    gradients = {name: one.grad.clone() for name, one in model.named_parameters()}
    model.zero_grad()
    theirs = torch.zeros(())
    for one in SEQUENCES:
        labels = torch.tensor([[-100] * one.start + [*one.ids[one.start :]]])
        count = len(one.ids) - one.start
        theirs = theirs + model(torch.tensor([one.ids]), labels=labels).loss * count
    theirs.backward()
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), rel=1e-5)
    for name, one in model.named_parameters():
        assert (one.grad - gradients[name]).abs().max() < 1e-4 * max(1.0, float(one.grad.abs().max())), name


def test_in_bfloat16_the_loss_and_its_slope_are_nearly_the_same(checkpoint: Path) -> None:
    import torch

    model = loaded(checkpoint).eval()
    (batch,) = packed(SEQUENCES, 400, 0, 400)
    found = []
    for low in (False, True):
        model.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=low):
            loss = cross_entropy(model, batch).sum()
        loss.backward()
        found.append((float(loss.detach()), torch.cat([one.grad.flatten() for one in model.parameters()])))
    (loss, slope), (low_loss, low_slope) = found
    assert low_loss != loss
    assert low_loss == pytest.approx(loss, rel=0.01)
    assert float(torch.cosine_similarity(slope, low_slope, dim=0)) > 0.99


def test_to_compile_without_a_compiler_is_refused(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ReductionError, match=r"without a C\+\+ compiler: there is no no-such-compiler"):
        Run(loaded(checkpoint), recipe(compiled=True), tmp_path)


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
def test_an_adapter_counts_as_peft_counts_it(checkpoint: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    names = ["q_proj", "in_proj", "out_proj", "input_linear", "output_linear"]
    adapted = get_peft_model(
        loaded(checkpoint), LoraConfig(r=3, lora_alpha=5, target_modules=names, init_lora_weights=False)
    ).eval()
    (one,) = SEQUENCES[:1]
    labels = torch.tensor([[-100] * one.start + [*one.ids[one.start :]]])
    theirs = adapted(torch.tensor([one.ids]), labels=labels).loss * (len(one.ids) - one.start)
    ours = cross_entropy(adapted.base_model.model, batches([one], 1, 0)[0]).sum()
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), rel=1e-5)
    plain = cross_entropy(loaded(checkpoint), batches([one], 1, 0)[0]).sum()
    assert abs(float((ours - plain).detach())) > 0.1


def test_another_architecture_is_computed_by_transformers_itself(tmp_path: Path) -> None:
    import torch

    write_tiny_granite(tmp_path, Variant(position="rope"))
    model = loaded(tmp_path).eval()
    assert not granite.packs(model)
    (batch,) = batches(SEQUENCES[:2], 1000, 0)
    with torch.no_grad():
        found = cross_entropy(model, batch).sum()
        alone = sum(cross_entropy(model, batches([one], 1000, 0)[0]).sum() for one in SEQUENCES[:2])
    assert float(found) == pytest.approx(float(alone), rel=1e-5)


@pytest.mark.parametrize("name", sorted({row.model_type: name for name, row in DECODERS.items()}.values()))
def test_of_every_architecture_the_logits_are_those_that_the_model_says(name: str, tmp_path: Path) -> None:
    """Caps and scales of the head, too, which weigh more where logits are large."""
    import torch

    write_tiny_model(tmp_path, DECODERS[name])
    model = loaded(tmp_path).eval()
    (batch,) = batches([Tokens(range(5, 25), 1)], 100, 0)
    with torch.no_grad():
        model.get_output_embeddings().weight *= 20
        layers = layer_outputs(model, batch)
        wanted = model(batch.ids).logits[0, :-1]
    assert len(layers) == model.config.num_hidden_layers
    assert (logits(model, layers[-1]) - wanted).abs().max() < 1e-4 * wanted.abs().max()


@pytest.mark.parametrize("name", sorted({row.model_type: name for name, row in DECODERS.items()}.values()))
def test_tables_of_tokens_are_not_orthogonalized(name: str, tmp_path: Path) -> None:
    write_tiny_model(tmp_path, DECODERS[name])
    model = loaded(tmp_path)
    matrices = {id(one) for one in make_optimizers(model, recipe())["muon"].param_groups[0]["params"]}
    tables = {id(each.weight) for each in (model.get_input_embeddings(), model.get_output_embeddings())}
    assert matrices
    assert not matrices & tables


def test_batches_hold_every_sequence_and_are_not_above_their_size() -> None:
    made = batches([Tokens(range(3, 3 + n), 1) for n in (5, 60, 7, 30, 6)], 64, 0)
    assert sorted(int((row != -1).sum()) for batch in made for row in batch.documents) == [5, 6, 7, 30, 60]
    assert all(batch.ids.numel() <= 64 or len(batch.ids) == 1 for batch in made)


def test_packed_rows_are_full_of_whole_sequences_and_of_one_shape() -> None:
    sizes = [5, 60, 7, 30, 6, 90, 64, 1, 33]
    made = packed([Tokens(range(3, 3 + n), 1) for n in sizes], 128, 0, 64)
    assert {tuple(batch.ids.shape) for batch in made} == {(2, 64)}
    lengths = [
        int((row == number).sum())
        for batch in made
        for row in batch.documents
        for number in range(int(row.max()) + 1)
    ]
    assert sorted(lengths) == sorted(min(64, n) for n in sizes)
    assert sum(batch.targets for batch in made) == sum(min(64, n) - 1 for n in sizes)


@pytest.mark.parametrize(("precision", "bound"), [("no", 1e-3), ("bf16", 1e-4)])
def test_matrices_of_one_shape_are_updated_as_torch_updates_each(precision: str, bound: float) -> None:
    """torch itself iterates in bfloat16."""
    import torch

    torch.manual_seed(0)
    ours = torch.nn.ParameterList([torch.randn(shape) for shape in ((48, 16), (16, 64), (48, 16))])
    theirs = [one.detach().clone().requires_grad_() for one in ours]
    optimizer = make_optimizers(ours, Recipe(1, learning_rate=0.01, mixed_precision=precision))["muon"]
    expected = torch.optim.Muon(theirs, lr=0.01, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        optimizer.step()
        expected.step()
    for one, other in zip(ours, theirs, strict=True):
        assert float((one - other).detach().abs().max()) < bound


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(
    checkpoint: Path, tmp_path: Path, dropout: float
) -> None:
    whole = weights_after(loaded(checkpoint), tmp_path / "whole", recipe(dropout=dropout))

    class Killed(Exception):
        pass

    def killed(step: int) -> list[Batch]:
        if step == STEPS // 2 + 1:
            raise Killed
        return step_data(step)

    run = Run(loaded(checkpoint), recipe(dropout=dropout), tmp_path / "cut")
    with fast_mamba(), pytest.raises(Killed):
        run.train(killed, cross_entropy, lambda line: None)
    resumed = weights_after(loaded(checkpoint), tmp_path / "cut", recipe(dropout=dropout))
    assert all((whole[name] == resumed[name]).all() for name in whole)
    log = [json.loads(line) for line in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log][-1] == STEPS


def test_a_token_that_counts_less_weighs_less_where_it_is_foretold(checkpoint: Path) -> None:
    import torch

    model = loaded(checkpoint)
    (batch,) = batches(SEQUENCES[:1], 1000, 0)
    wanted = batch.labels[batch.labels != NO_LABEL]
    light = int(wanted[0])
    with torch.no_grad():
        plain, weighted = cross_entropy(model, batch), cross_entropy(model, batch, {light: 0.25})
    assert torch.equal(weighted, torch.where(wanted == light, 0.25 * plain, plain))
    assert not torch.equal(weighted, plain)


def test_a_token_with_a_margin_is_favoured_while_it_trains(checkpoint: Path) -> None:
    import torch

    model = loaded(checkpoint)
    (batch,) = batches(SEQUENCES[:1], 1000, 0)
    wanted = batch.labels[batch.labels != NO_LABEL]
    favoured = int(wanted[0])
    with torch.no_grad():
        said = logits(model, layer_outputs(model, batch)[-1])
        said[:, favoured] += 2.5
        found = cross_entropy(model, batch, margins={favoured: 2.5})
    assert torch.allclose(found, torch.nn.functional.cross_entropy(said, wanted, reduction="none"), atol=1e-6)
    assert found[0] < cross_entropy(model, batch)[0]


def test_dropout_is_for_training_only(checkpoint: Path) -> None:
    import torch

    model = loaded(checkpoint)
    granite.set_options(model, granite.Options(dropout=0.5))
    (batch,) = batches(SEQUENCES[:1], 1000, 0)
    with torch.no_grad():
        rough = [float(cross_entropy(model.train(), batch).sum()) for _ in range(2)]
        even = [float(cross_entropy(model.eval(), batch).sum()) for _ in range(2)]
    assert rough[0] != rough[1]
    assert even[0] == even[1]


def test_training_lowers_the_loss(checkpoint: Path, tmp_path: Path) -> None:
    losses: list[float] = []

    def same(step: int) -> list[Batch]:
        return step_data(0)

    with fast_mamba():
        Run(loaded(checkpoint), recipe(12), tmp_path).train(same, cross_entropy, lambda line: None)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert losses[-1] < losses[0] * 0.9


def test_gradients_that_are_no_numbers_stop_before_any_weight_is_changed(
    checkpoint: Path, tmp_path: Path
) -> None:
    model = loaded(checkpoint)
    run = Run(model, recipe(), tmp_path)
    model.model.norm.weight.register_hook(lambda gradient: gradient * math.nan)
    with (
        fast_mamba(),
        pytest.raises(ReductionError, match="the norm of the gradients of step 0 is no number"),
    ):
        run.train(step_data, cross_entropy, lambda line: None)
    before = loaded(checkpoint).state_dict()
    assert all(one.equal(before[name]) for name, one in model.state_dict().items())


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(
    checkpoint: Path, tmp_path: Path
) -> None:
    def loss(model: Any, batch: Batch) -> Any:
        value = cross_entropy(model, batch)
        loss.calls += 1  # type: ignore[attr-defined]
        return value * math.nan if loss.calls > 7 else value  # type: ignore[attr-defined]

    loss.calls = 0  # type: ignore[attr-defined]
    with fast_mamba(), pytest.raises(ReductionError, match="the checkpoint of step 2 is kept"):
        Run(loaded(checkpoint), recipe(), tmp_path).train(step_data, loss, lambda line: None)
    kept = checkpoints.load(tmp_path)
    assert kept is not None
    assert kept.step == 2
    assert all(bool(one.isfinite().all()) for one in kept.weights.values())


def test_a_checkpoint_that_was_not_finished_is_none(tmp_path: Path) -> None:
    import torch

    good = checkpoints.Checkpoint({"w": torch.ones(2)}, {}, 4, {"tokens": 1, "seconds": 1.0})
    checkpoints.save(tmp_path, good)
    (tmp_path / "making").mkdir()
    (tmp_path / "making" / "weights.safetensors").write_bytes(b"half")
    found = checkpoints.load(tmp_path)
    assert found is not None
    assert found.step == 4
