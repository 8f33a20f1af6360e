"""Tags of prompts beside the tokens of answers: what they say, what is learnt from them, and what stays as it was."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from exporter.errors import ReductionError
from exporter.reduction.extraction import examine, train
from exporter.reduction.extraction.examples import Example
from exporter.reduction.extraction.schema import KINDS
from exporter.reduction.extraction.sequences import tokens
from exporter.reduction.training.batches import NO_LABEL, Tokens, batches, packed
from exporter.reduction.training.fast_mamba import fast_mamba
from exporter.reduction.training.hardest import hardest
from exporter.reduction.training.loop import Run
from exporter.reduction.training.losses import cross_entropy
from exporter.reduction.training.recipe import Recipe
from exporter.reduction.training.tagging import tagging_loss, with_tagger
from tests.tiny_granite import Variant, write_tiny_granite

MODEL = Path(examine.__file__).with_name("thistledown-extract")
TAGGED = Tokens(range(5, 25), 8, [NO_LABEL] * 3 + [0, 1, 2, 2, 0] + [NO_LABEL] * 12)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return examine.loaded(MODEL)[1]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_granite(folder, Variant())
    return AutoModelForCausalLM.from_pretrained(folder)


def read_back(tokenizer: Any, example: Example) -> list[str]:
    """The texts of the tags' stretches, as a tagger's output is read."""
    made = tokens(tokenizer, example)
    found: list[list[int]] = []
    for one, tag in zip(made.ids, made.tags, strict=False):
        if tag > 0 and tag % 2:
            found.append([])
        if tag > 0:
            found[-1].append(one)
    return [tokenizer.decode(ids).strip() for ids in found]


def asked(kind: str, message: str, **values: str) -> Example:
    return Example("en", kind, message, KINDS[kind], {field: values.get(field) for field in KINDS[kind]})


def test_tags_spell_the_values_once_at_the_second_reading(tokenizer: Any) -> None:
    message = "Grüße, Zoë Fox will come for a beard trim on 3.4. at 9:30 (room 12)."
    example = asked(
        "appointment",
        message,
        person="Zoë Fox",
        service="beard trim",
        date="3.4.",
        time="9:30",
        place="room 12",
    )
    assert read_back(tokenizer, example) == ["Zoë Fox", "beard trim", "3.4.", "9:30", "room 12"]
    made = tokens(tokenizer, example)
    before = tokenizer.encode(example.prompt).ids
    assert len(made.tags) == len(before)
    second = len(before) - 1 - before[::-1].index(tokenizer.token_to_id("<|user|>"))
    assert set(made.tags[: second + 1]) == {NO_LABEL}


def test_a_value_is_looked_for_as_a_word_and_what_is_not_sure_has_no_tag(tokenizer: Any) -> None:
    twelve = asked("order", "1200 candles, no. 12", quantity="1200", product="candles", order_number="12")
    assert read_back(tokenizer, twelve) == ["1200", "candles", "12"]
    twice = asked("order", "2 candles in size 2", quantity="2", product="candles", size="2")
    assert read_back(tokenizer, twice) == ["candles"]


def test_the_hardest_and_the_packed_keep_their_tags() -> None:
    parts = packed([Tokens(range(31, 40), 2), TAGGED], 32, 0, 32)
    (part,) = hardest(
        parts, [(one.tags.amax(-1, True) > 0).expand(one.ids.shape)[one.labels >= 0] for one in parts], 1
    )
    row = part.tags[0][part.ids[0] == 8]
    assert row.tolist() == [0]
    assert sorted(part.tags[part.tags >= 0].tolist()) == [0, 0, 1, 2, 2]
    (cut,) = packed([TAGGED], 6, 0, 6)
    assert cut.tags.tolist() == [list(TAGGED.tags[:6])]


def test_tags_are_learnt_in_the_layers_below_and_change_no_loss_that_is_told(model: Any) -> None:
    import torch

    trained = with_tagger(model, 3)
    torch.nn.init.normal_(trained["tagger"].weight)
    (batch,) = batches([TAGGED], 100, 0)
    with fast_mamba():
        plain = cross_entropy(model, batch)
        found = tagging_loss(0, 0.5)(trained, batch)
        state = model.model(batch.ids, use_cache=False, output_hidden_states=True).hidden_states[1]
    assert found.tolist() == plain.tolist()
    (found.sum() - plain.sum()).backward()
    normed = state * state.square().mean(-1, keepdim=True).rsqrt()
    chances = trained["tagger"](normed[batch.tags != NO_LABEL]).softmax(-1)
    # The gradient of a cross-entropy: what was told less what is true.
    expected = 0.5 * (chances.sum(0) - torch.tensor([2.0, 1.0, 2.0]))
    assert trained["tagger"].bias.grad.tolist() == pytest.approx(expected.tolist(), rel=1e-3)
    reached = [float(layer.post_attention_layernorm.weight.grad.abs().sum()) for layer in model.model.layers]
    assert reached[0] > 1e-3
    assert all(later < 1e-5 for later in reached[1:])
    model.zero_grad()


def test_tags_that_are_no_number_stop_the_run_before_its_weights_are(model: Any, tmp_path: Path) -> None:
    trained = with_tagger(model, 3)
    trained["tagger"].bias.register_hook(lambda gradient: gradient * math.nan)
    data = packed([TAGGED] * 4, 32, 0, 32)
    run = Run(trained, Recipe(2, hardest=0.5), tmp_path)
    with fast_mamba(), pytest.raises(ReductionError, match="the loss of step 0 is no number"):
        run.train(lambda step: data, tagging_loss(0, 1.0), lambda line: None)
    assert all(bool(one.isfinite().all()) for one in model.parameters())


def test_training_with_tags_leaves_the_same_kind_of_checkpoint(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    run = [str(tmp_path), "--begin", str(MODEL), "--steps", "2", "--batch", "4", "--tokens", "1024"]
    assert train.main([*run, "--tags", "0.5", "--save-every", "1"]) == 0
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])["loss"] < 1
    made, known = (load_file(folder / "model.safetensors") for folder in (tmp_path / "model", MODEL))
    assert set(made) == set(known)
    kept = load_file(tmp_path / "step-2" / "weights.safetensors")
    assert {name.removeprefix("model.") for name in kept if name.startswith("model.")} == set(made)
    assert {name for name in kept if not name.startswith("model.")} == {"tagger.weight", "tagger.bias"}
