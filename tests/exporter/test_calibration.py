"""Calibration: the float graph on texts, what rounding does to it, and mixtures that meet a target."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporter.__main__ import main
from exporter.calibration import FloatGraph, Moments, bytes_in, read_texts, round_trip, tokens_of
from exporter.calibration.allocation import Option, after, cheapest, steps
from exporter.calibration.damage import Yardstick
from exporter.calibration.round_trip import rounded
from exporter.checkpoints import open_checkpoint
from exporter.errors import CalibrationError
from exporter.models import architecture
from exporter.parity.onnx_runner import OnnxDecoder
from exporter.quantization import SCHEMES, Curvature, Recipe, quantize
from tests.tiny_granite import random_ids

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def checkpoint(tiny_granite: Make) -> Path:
    return tiny_granite()


@pytest.fixture(scope="module")
def graph(checkpoint: Path) -> FloatGraph:
    opened = open_checkpoint(str(checkpoint))
    return FloatGraph(architecture(opened.config).build(opened.config, opened, 512).model)


def test_it_says_what_the_float_model_says(graph: FloatGraph, checkpoint: Path, artifact: Make) -> None:
    ids = random_ids(20)
    exact = OnnxDecoder(artifact(checkpoint, quantize="f32", context=512)).logits(ids)
    np.testing.assert_allclose(graph.run(ids, [graph.output])[0][0], exact, rtol=0, atol=1e-4)


@pytest.mark.parametrize("scheme", ["q4z", "q2"])
def test_rounded_weights_do_what_the_quantized_model_does(
    graph: FloatGraph, checkpoint: Path, artifact: Make, scheme: str
) -> None:
    ids = random_ids(20)
    exact = OnnxDecoder(artifact(checkpoint, quantize=scheme, context=512)).logits(ids)
    rounded = {fact.name: round_trip(fact, graph.weights[fact.name], Recipe(scheme)) for fact in graph.facts}
    np.testing.assert_allclose(graph.run(ids, [graph.output], rounded)[0][0], exact, rtol=0, atol=1e-3)
    for fact in graph.facts:
        packed = quantize(SCHEMES[scheme], graph.weights[fact.name])
        sizes = [part.nbytes for part in (packed.b, packed.scales, packed.zeros) if part is not None]
        assert bytes_in(fact, scheme) == sum(sizes)


def test_moments_are_those_of_the_inputs_however_they_are_grouped(graph: FloatGraph) -> None:
    texts = [random_ids(length) for length in (5, 40)]
    one, many = Moments(graph, texts), Moments(graph, texts, group_bytes=1)
    for name, source in graph.sources.items():
        x = np.concatenate(
            [graph.run(ids, [source])[0].reshape(-1, graph.weights[name].shape[1]) for ids in texts]
        )
        expected = x.astype(np.float64).T @ x
        np.testing.assert_allclose(one.of(name), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
        np.testing.assert_allclose(many.of(name), one.of(name), rtol=0, atol=1e-5 * np.abs(expected).max())


def test_gptq_keeps_outputs_nearer_than_plain_rounding_at_equal_bytes(graph: FloatGraph) -> None:
    """By the whole model's KL on tokens that it was not calibrated with."""
    moments = Moments(graph, [random_ids(length) for length in range(200, 208)])
    yardstick = Yardstick(graph, [random_ids(60)])
    damage = {}
    for method in ("nearest", "gptq"):
        rounded = {
            fact.name: round_trip(
                fact,
                graph.weights[fact.name],
                Recipe("q4", method),
                Curvature(moments.of(fact.name)) if fact.name in graph.sources else None,
            )
            for fact in graph.facts
        }
        damage[method] = yardstick.damage(rounded)
    assert damage["gptq"] < damage["nearest"]


def test_bytes_go_where_they_take_away_most() -> None:
    options = {
        "a": [Option("q2", 2, 9.0), Option("q4", 4, 5.0), Option("q8", 8, 0.0)],
        "b": [Option("q2", 2, 1.0), Option("q4", 4, 2.0), Option("f16", 16, 0.0)],
    }
    assert {name: option.scheme for name, option in cheapest(options).items()} == {"a": "q2", "b": "q2"}
    assert [(step.name, step.option.scheme) for step in steps(options)] == [
        ("a", "q4"),
        ("a", "q8"),
        ("b", "f16"),
    ]
    assert after(options, 1)["a"].scheme == "q4"
    assert after(options, 3)["b"].scheme == "f16"


@pytest.fixture
def few_texts(tmp_path: Path) -> list[str]:
    """The options that calibrate with little text, which is quick."""
    file = tmp_path / "texts.txt"
    file.write_text("one two three\nA thistle.\nWind and rain\nseeds fly\n", encoding="utf-8")
    return ["--calibration", str(file)]


def test_a_target_is_met_and_each_weight_says_why(
    checkpoint: Path, tmp_path: Path, few_texts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    made = {}
    for target in ("0.5", "0.01"):
        command = ["export", str(checkpoint), "-o", str(tmp_path / target), "--quantize", "auto", *few_texts]
        assert main([*command, "--target-kl", target, "--json"]) == 0
        made[target] = json.loads(capsys.readouterr().out)
    loose, tight = (made[target]["report"]["first_visit"] for target in ("0.5", "0.01"))
    assert loose < tight
    mixed = [weight for weight in made["0.01"]["weights"] if weight["scheme"] != "f32"]
    assert len({weight["scheme"] for weight in mixed}) > 1
    assert all("alone it costs KL" in weight["reason"] for weight in mixed)


def test_a_budget_is_kept(
    checkpoint: Path, tmp_path: Path, few_texts: list[str], artifact: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    low, high = (
        json.loads((artifact(checkpoint, quantize=scheme, context=512) / "report.json").read_text())[
            "first_visit"
        ]
        for scheme in ("q4z", "f32")
    )
    command = ["export", str(checkpoint), "--context", "512", "--quantize", "auto", *few_texts, "--json"]
    budget = low + (high - low) // 8
    assert main([*command, "-o", str(tmp_path / "auto"), "--budget", str(budget)]) == 0
    assert low < json.loads(capsys.readouterr().out)["report"]["first_visit"] <= budget
    assert main([*command, "-o", str(tmp_path / "small"), "--budget", "1000"]) == 1
    assert "Raise the budget" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--quantize", "auto"], "Give --target-kl or --budget"),
        (["--quantize", "auto", "--target-kl", "1", "--dry-run"], "leave out --dry-run"),
        (["--quantize", "q4", "--target-kl", "1"], "Say --quantize auto"),
        (["--quantize", "auto", "--target-kl", "nan"], "Give a number above 0"),
        (["--rounding", "nearest", "--calibration", "missing.txt"], "nearest reads no texts"),
        (["--dry-run", "--calibration", "missing.txt"], "cannot be read"),
        (["--rounding", "gtpq"], 'Did you mean "gptq"'),
        (["--rounding", "gptq", "--calibration", "missing.txt"], "one text a line"),
    ],
)
def test_what_cannot_be_done_is_said(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert main(["export", str(checkpoint), "-o", str(tmp_path / "x"), *more]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_texts_are_lines_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("one\n\n  two \n", encoding="utf-8")
    assert read_texts(file) == ["one", "two"]
    for content in (b"", b"one", b"\xff\xfe\nx\n"):
        file.write_bytes(content)
        with pytest.raises(CalibrationError):
            read_texts(file)


def test_our_texts_are_many_and_are_cut_to_the_context() -> None:
    tokenizer = open_checkpoint("minilm").tokenizer()["tokenizer.json"]
    ids = tokens_of(read_texts(), tokenizer, 32)
    assert len(ids) == len(read_texts()) > 40
    assert max(map(len, ids)) == 32


def test_rounding_in_place_is_that_of_a_copy_and_is_undone(graph: FloatGraph) -> None:
    before = {name: weight.copy() for name, weight in graph.weights.items()}
    recipes = {fact.name: Recipe("q4z" if fact.role != "position" else "f16") for fact in graph.facts}
    with rounded(graph, recipes):
        for fact in graph.facts:
            expected = round_trip(fact, before[fact.name], recipes[fact.name])
            np.testing.assert_array_equal(graph.weights[fact.name], expected)
    for name, weight in before.items():
        np.testing.assert_array_equal(graph.weights[name], weight)


def test_texts_without_tokens_are_refused(tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import BPE

    Tokenizer(BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")])).save(str(tmp_path / "tokenizer.json"))
    assert len(tokens_of(["ab", "aab", "xyz"], tmp_path / "tokenizer.json", 32)) == 2
    with pytest.raises(CalibrationError, match="Of 2 texts 1 have any tokens"):
        tokens_of(["ab", "xyz"], tmp_path / "tokenizer.json", 32)
