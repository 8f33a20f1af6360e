"""Learning from the sequences that a model is worst at: which are chosen, and what a step makes of them."""

import json
from pathlib import Path

import pytest

from exporter.reduction.extraction import train
from exporter.reduction.training.batches import Batch, Tokens, packed
from exporter.reduction.training.hardest import hardest
from exporter.reduction.training.loop import Run
from exporter.reduction.training.losses import cross_entropy
from exporter.reduction.training.recipe import Recipe
from scripts import reduction_chain
from tests.tiny_granite import Variant, write_tiny_granite

# Twelve sequences; what is to be foretold begins at their third token.
SEQUENCES = [Tokens(range(5 * i + 1, 5 * i + 1 + length), 2) for i, length in enumerate((20, 9, 31, 14) * 3)]


def sequences_of(parts: list[Batch]) -> set[tuple[tuple[int, ...], int]]:
    """Ids of each, and how many of them are foretold."""
    return {
        (
            tuple(part.ids[row][part.documents[row] == number].tolist()),
            int((part.labels[row][part.documents[row] == number] >= 0).sum()),
        )
        for part in parts
        for row in range(len(part.ids))
        for number in set(part.documents[row].tolist()) - {-1}
    }


def losses_of(parts: list[Batch], of_first: dict[int, float]) -> list[object]:
    """A loss of each target, by the first token of its sequence; 0 for the others."""
    import torch

    found = []
    for part in parts:
        spread = torch.zeros(part.ids.shape)
        for row in range(len(part.ids)):
            for number in set(part.documents[row].tolist()) - {-1}:
                here = part.documents[row] == number
                spread[row, here] = of_first.get(int(part.ids[row][here][0]), 0.0)
        found.append(spread[part.labels >= 0])
    return found


def test_the_worst_are_taken_whole_and_packed_into_as_many_batches_as_wanted() -> None:
    parts = packed(SEQUENCES, 64, 0, 32)
    worst = [SEQUENCES[i] for i in (1, 6, 7)]
    of_first = {one.ids[0]: 1.0 + one.ids[0] for one in worst}
    chosen = hardest(parts, losses_of(parts, of_first), 1 / len(parts))
    assert len(chosen) == 1
    assert chosen[0].ids.shape == parts[0].ids.shape
    assert sequences_of(chosen) == {(tuple(one.ids), len(one.ids) - 2) for one in worst}


def test_sums_count_and_not_means() -> None:
    # 29 small losses against 7 larger ones.
    parts = packed([Tokens(range(1, 32), 2), Tokens(range(41, 50), 2)], 32, 0, 32)
    chosen = hardest(parts, losses_of(parts, {1: 0.5, 41: 1.0}), 0.5)
    assert sequences_of(chosen) == {(tuple(range(1, 32)), 29)}


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9])
def test_there_are_never_more_batches_than_wanted_nor_none(share: float) -> None:
    parts = packed([Tokens(range(1, 18), 2)] * 37, 64, 0, 32)
    chosen = hardest(parts, losses_of(parts, {1: 1.0}), share)
    assert 1 <= len(chosen) <= max(1, round(share * len(parts)))
    assert {part.ids.shape for part in chosen} == {parts[0].ids.shape}


def test_a_step_learns_from_the_worst_alone_and_tells_the_loss_of_all(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    write_tiny_granite(tmp_path / "tiny", Variant())
    parts = packed(SEQUENCES, 64, 0, 32)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "tiny").train()
    with torch.no_grad():
        losses = [cross_entropy(model, part) for part in parts]
    targets = sum(part.targets for part in parts)
    chosen = hardest(parts, losses, 0.5)
    sum(cross_entropy(model, part).sum() / targets for part in chosen).backward()
    wanted = {name: one.grad.clone() for name, one in model.named_parameters()}
    seen = {}

    recipe = Recipe(steps=1, hardest=0.5, save_every=1, log_every=1)
    run = Run(AutoModelForCausalLM.from_pretrained(tmp_path / "tiny"), recipe, tmp_path / "run")
    run.optimizers["muon"].register_step_pre_hook(
        lambda *_: seen.update({name: one.grad.clone() for name, one in run.model.named_parameters()})
    )
    run.train(lambda step: parts, cross_entropy, lambda line: None)
    for name, gradient in wanted.items():
        # Below the norm at which gradients are clipped, or all are scaled by one factor.
        scale = seen["model.norm.weight"].norm() / wanted["model.norm.weight"].norm()
        assert torch.allclose(seen[name], gradient * scale, rtol=1e-3, atol=1e-6), name
    (row,) = map(json.loads, (tmp_path / "run" / "log.jsonl").read_text().splitlines())
    assert row["loss"] == pytest.approx(float(sum(each.sum() for each in losses)) / targets, rel=1e-5)


@pytest.mark.parametrize("option", ["--hardest", "--calm"])
@pytest.mark.parametrize("text", ["-0.1", "1.5", "nan", "half"])
def test_a_share_that_is_none_is_refused_before_anything_is_made(
    option: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for main in (train.main, reduction_chain.main):
        with pytest.raises(SystemExit) as refused:
            main([str(tmp_path / "run"), f"{option}={text}"])
        assert refused.value.code == 2
        assert f"argument {option}: " in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
