"""The trained extraction model: it answers, it is examined by a command, and training goes on from it."""

import json
import shutil
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import BPE

from exporter.errors import ReductionError
from exporter.reduction.extraction import examine, train
from exporter.reduction.extraction.evaluate import answers, parsed, scores
from exporter.reduction.extraction.examples import Example, training_examples
from exporter.reduction.extraction.schema import KINDS, LANGUAGES
from exporter.reduction.extraction.sequences import step_batches
from exporter.reduction.extraction.tokenizer import null_of
from exporter.reduction.training import granite
from exporter.reduction.training.begun import decisive, digest

MODEL = Path(examine.__file__).with_name("thistledown-extract")
SAID = {
    "person": "Megan Foster",
    "service": "haircut",
    "date": "Friday, 14 March",
    "time": "4:30 pm",
    "place": None,
    "phone": "020 7946 0812",
}
MESSAGE = (
    "Hello, this is Megan Foster. Could I book a haircut for Friday, 14 March at 4:30 pm? "
    "If anything changes, call me on 020 7946 0812. Thanks!"
)


def test_it_finds_the_fields_of_a_plain_message_and_says_null_for_the_rest() -> None:
    model, tokenizer = examine.loaded(MODEL)
    # A truth that it does not say has it decoded token by token.
    wrong = Example("en", "appointment", MESSAGE, KINDS["appointment"], {**SAID, "person": "Megan"})
    right = Example("en", "appointment", MESSAGE, KINDS["appointment"], SAID)
    decoded, foretold = answers(model, tokenizer, [wrong, right])
    assert parsed(decoded) == SAID
    assert decoded == foretold
    assert scores([right], [decoded]).exact == 1


def test_a_model_is_examined_as_it_is_written_because_each_message_has_a_length_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    def never(*_: object, **__: object) -> None:
        raise AssertionError("compiled")

    model, tokenizer = examine.loaded(MODEL)
    options = granite.Options(compiled=True)
    granite.set_options(model, options)
    monkeypatch.setattr(torch, "compile", never)
    monkeypatch.setattr(granite, "_ready", granite._ready.__wrapped__)
    right = Example("en", "appointment", MESSAGE, KINDS["appointment"], SAID)
    assert parsed(answers(model, tokenizer, [right])[0]) == SAID
    assert granite._options(model) == options, "training goes on with them"


def test_it_is_small_enough() -> None:
    weights = MODEL / "model.safetensors"
    assert weights.stat().st_size <= 14_000_000
    model, _ = examine.loaded(MODEL)
    assert sum(one.numel() for one in model.parameters()) <= 6_000_000
    assert {
        kind.replace("full_", "").replace("linear_attention", "mamba") for kind in model.config.layer_types
    } == {
        "mamba",
        "attention",
    }


def test_examining_tells_scores_of_each_language_and_keeps_what_was_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, wrong = tmp_path / "scores.json", tmp_path / "wrong.jsonl"
    counts = ["--held-out", "2", "--written", "2", "--mixtures", "2"]
    assert examine.main([str(MODEL), *counts, "--json", str(told), "--wrong", str(wrong)]) == 0
    whole = json.loads(told.read_text(encoding="utf-8"))
    assert whole["checkpoint"] == digest(decisive(MODEL))
    found = whole["sets"]
    mixtures = {"known templates, known values", "known templates, new values", "new templates, known values"}
    names = {"held-out", "written", *mixtures}
    assert set(found) == {f"{name} {code}" for name in names for code in LANGUAGES}
    assert all(row["count"] == 2 and 0 <= row["exact"] <= 1 for row in found.values())
    mistakes = [json.loads(line) for line in wrong.read_text(encoding="utf-8").splitlines() if line]
    assert len(mistakes) == sum(round(2 * (1 - row["exact"])) for row in found.values())
    assert len(capsys.readouterr().out.splitlines()) == len(found)


def test_examining_can_take_from_the_logit_of_null(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [str(MODEL), "--held-out", "3", "--written", "1", "--wrong", str(tmp_path / "wrong.jsonl")]
    assert examine.main([*asked, "--null-margin", "20"]) == 0
    mistakes = [
        json.loads(line) for line in (tmp_path / "wrong.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    missed = [field for each in mistakes for field, value in (each["said"] or {}).items() if value is None]
    invented = [field for each in mistakes for field, value in each["true"].items() if value is None]
    assert len(missed) * 4 < len(invented)
    # Answers that are foretold whole, too, without being decoded token by token.
    given = [each for _, examples in examine.examined_sets(list(KINDS), 3, 1) for each in examples]
    with_null = [each for each in given if any(each.values.get(field) is None for field in each.fields)]
    assert len(mistakes) >= len(with_null) > len(given) / 2
    with pytest.raises(SystemExit):
        examine.main([*asked, "--null-margin", "1", "--json", "scores.json"])
    assert "scores of the model itself" in capsys.readouterr().err


def test_a_checkpoint_that_lacks_a_tensor_is_neither_examined_nor_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(MODEL, tmp_path / "model")
    weights = load_file(MODEL / "model.safetensors")
    name, _ = weights.popitem()
    save_file(weights, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
    assert examine.main([str(tmp_path / "model")]) == 2
    assert train.main([str(tmp_path / "run"), "--begin", str(tmp_path / "model"), "--steps", "1"]) == 2
    assert capsys.readouterr().err.count(f'Tensor "{name}" is missing') == 2
    assert examine.main([str(tmp_path / "none")]) == 2
    assert "There is no checkpoint" in capsys.readouterr().err


def test_a_run_goes_on_from_where_it_was_begun_alone_and_says_when_it_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(MODEL, tmp_path / "model")
    few = ["--steps", "1", "--batch", "2", "--tokens", "1024"]
    run = [str(tmp_path / "run"), "--begin", str(tmp_path / "model"), *few]
    assert train.main(run) == 0
    assert train.main(run) == 0
    assert "all 1 steps were done before" in capsys.readouterr().out
    weights = load_file(tmp_path / "model" / "model.safetensors")
    first = next(iter(weights))
    save_file(
        weights | {first: weights[first] * 2}, tmp_path / "model" / "model.safetensors", {"format": "pt"}
    )
    assert train.main(run) == 2
    assert "another recipe was begun here: begin differ" in capsys.readouterr().err


def test_a_run_that_goes_on_reads_what_comes_after_an_earlier_one() -> None:
    _, tokenizer = examine.loaded(MODEL)
    (later,), (fifth,), (third,) = (
        step_batches(tokenizer, 2048, 4, step, skipped=skipped) for step, skipped in ((3, 2), (5, 0), (3, 0))
    )
    assert later.ids.equal(fifth.ids)
    assert not later.ids.equal(third.ids)


def _first_loss(folder: Path, *options: str) -> float:
    run = [str(folder), "--begin", str(MODEL), *["--steps", "1", "--batch", "4", "--tokens", "1024"]]
    assert train.main([*run, *options]) == 0
    found: float = json.loads((folder / "log.jsonl").read_text())["loss"]
    return found


def test_null_counts_as_little_and_is_favoured_as_much_as_wanted(tmp_path: Path) -> None:
    plain = _first_loss(tmp_path / "plain")
    assert _first_loss(tmp_path / "lighter", "--null-weight", "0.5") < plain
    assert _first_loss(tmp_path / "margin", "--null-margin", "6") != plain
    assert _first_loss(tmp_path / "none", "--null-weight", "1", "--null-margin", "0") == plain


@pytest.mark.parametrize("nats", ["-21", "nan", "inf"])
def test_a_margin_that_is_none_is_refused(nats: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.main(["unused", f"--null-margin={nats}"])
    assert "is no margin" in capsys.readouterr().err


def test_a_tokenizer_that_writes_null_in_pieces_is_refused() -> None:
    with pytest.raises(ReductionError, match="has no token"):
        null_of(Tokenizer(BPE()))


def test_languages_are_drawn_as_often_as_they_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = Counter(
        each.language for each in islice(training_examples(3, languages=("en", "en", "en", "uk")), 400)
    )
    assert set(drawn) == {"en", "uk"}
    assert 250 < drawn["en"] < 350
    assert _first_loss(tmp_path / "all") == _first_loss(tmp_path / "named", "--languages", *LANGUAGES)
    assert _first_loss(tmp_path / "mixed") != _first_loss(tmp_path / "english", "--languages", "en")
    with pytest.raises(SystemExit):
        train.main(["unused", "--languages", "de"])
    assert "invalid choice: 'de'" in capsys.readouterr().err


def test_training_goes_on_from_it(tmp_path: Path) -> None:
    run = [str(tmp_path), "--begin", str(MODEL), "--steps", "2", "--batch", "4", "--tokens", "1024"]
    assert train.main([*run, "--skip", "7", "--watch", "1"]) == 0
    first, watched = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {f"{name}_{code}" for name in ("held", "written") for code in LANGUAGES} == set(watched) - {"step"}
    # Far below the logarithm of the vocabulary, which random weights begin with.
    assert first["loss"] < 1
    assert (tmp_path / "model" / "model.safetensors").exists()
