"""What a checkpoint is exported for, and the labels and mask that its artifact names."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exporter.__main__ import main
from exporter.artifact import read_artifact_plan
from exporter.errors import ArtifactError, ConfigError, TokenizerError
from exporter.export_options import ExportOptions
from exporter.models import architecture
from exporter.models.labels import text_labels, token_labels
from exporter.pipeline import predict
from exporter.progress import Progress
from exporter.tokenizer_files import mask_token

Make = Callable[..., Path]


@pytest.mark.parametrize(
    ("config", "names", "scores"),
    [
        ({}, ("LABEL_0", "LABEL_1"), "softmax"),
        ({"num_labels": 1}, ("LABEL_0",), "sigmoid"),
        ({"id2label": {"1": "b", "0": "a"}}, ("a", "b"), "softmax"),
        ({"id2label": {0: "a", 1: 7, 2: "c\n"}}, ("a", "7", "c\\n"), "softmax"),
        ({"problem_type": "multi_label_classification"}, ("LABEL_0", "LABEL_1"), "sigmoid"),
        ({"problem_type": "regression", "num_labels": 1}, ("LABEL_0",), "none"),
    ],
)
def test_labels_and_scores_are_those_of_the_config(
    config: dict[str, Any], names: tuple[str, ...], scores: str
) -> None:
    found = text_labels(config)
    assert (found.names, found.scores) == (names, scores)
    assert token_labels(config).scores == "softmax"


@pytest.mark.parametrize(
    "config",
    [
        {"id2label": {}},
        {"id2label": ["a"]},
        {"id2label": {"1": "a", "2": "b"}},
        {"id2label": {"0": None}},
        {"num_labels": 0},
        {"num_labels": True},
        {"problem_type": "ranking"},
        {"problem_type": []},
    ],
)
def test_unfit_labels_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        text_labels(config)


@pytest.mark.parametrize(
    ("classes", "asked", "task"),
    [
        (None, None, "sentence-embedding"),
        (["BertModel"], None, "sentence-embedding"),
        (["BertForSequenceClassification"], None, "text-classification"),
        (["BertForTokenClassification"], None, "token-classification"),
        (["BertForMaskedLM"], None, "fill-mask"),
        (["BertForPreTraining"], None, "fill-mask"),
        (["BertForMaskedLM"], "sentence-embedding", "sentence-embedding"),
        (["BertForQuestionAnswering"], "sentence-embedding", "sentence-embedding"),
    ],
)
def test_the_class_tells_the_task_unless_another_is_asked_for(
    classes: list[str] | None, asked: str | None, task: str
) -> None:
    for model_type in ("bert", "distilbert"):
        config = {"model_type": model_type, "architectures": classes}
        assert architecture(config, asked).task == task


def test_what_has_no_head_here_is_refused() -> None:
    with pytest.raises(ConfigError, match="BertForQuestionAnswering"):
        architecture({"model_type": "bert", "architectures": ["BertForQuestionAnswering"]})
    with pytest.raises(ConfigError, match="does not do fill-mask"):
        architecture({"model_type": "granitemoehybrid"}, "fill-mask")


def test_a_task_without_its_weights_is_refused(
    tiny_encoder: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(tiny_encoder("bert-classes"))
    assert main(["export", source, "-o", str(tmp_path / "out"), "--task", "fill-mask"]) == 2
    message = capsys.readouterr().err
    assert "cls.predictions.transform.dense.weight" in message
    assert "not made for fill-mask" in message
    assert not (tmp_path / "out").exists()


def test_modules_go_before_the_class(tiny_encoder: Make, artifact: Make, tmp_path: Path) -> None:
    source = Path(shutil.copytree(tiny_encoder("bert-masked"), tmp_path / "embedder"))
    (source / "modules.json").write_text(json.dumps([{"path": "", "type": "x.Transformer"}]))
    manifest = json.loads((artifact(source, quantize="f32") / "manifest.json").read_text())
    assert (manifest["task"], manifest["dimensions"]) == ("sentence-embedding", 64)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("bert-classes", {"labels": ["joy", "anger", "grief", "fear", "calm"], "score_function": "softmax"}),
        ("bert-many-classes", {"labels": ["LABEL_0", "LABEL_1", "LABEL_2"], "score_function": "sigmoid"}),
        ("distilbert-words", {"labels": [f"LABEL_{i}" for i in range(4)], "score_function": "softmax"}),
        ("bert-masked", {"mask_token": "[MASK]", "labels": None, "score_function": None}),
    ],
)
def test_the_manifest_says_it_and_the_plan_must_fit_it(
    tiny_encoder: Make, artifact: Make, tmp_path: Path, name: str, facts: dict[str, object]
) -> None:
    whole = artifact(tiny_encoder(name), quantize="f32")
    manifest, _ = read_artifact_plan(whole, "base")
    assert {key: manifest[key] for key in facts} == facts
    copy = Path(shutil.copytree(whole, tmp_path / "copy"))
    more = {"vocabulary": 10**6, "labels": [*(manifest["labels"] or []), *(["more"] * 99)]}
    (copy / "manifest.json").write_text(json.dumps(manifest | more), encoding="utf-8")
    with pytest.raises(ArtifactError, match='no "logits" of'):
        read_artifact_plan(copy, "base")


@pytest.mark.gpu
def test_verify_compares_all_three(
    tiny_encoder: Make, artifact: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("bert-masked", "distilbert-words"):
        folder = artifact(tiny_encoder(name), quantize="f32")
        assert main(["verify", str(folder), "--checkpoint", str(tiny_encoder(name))]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 3
        assert all(line.startswith("ok") for line in lines)


@pytest.mark.parametrize(
    "name", ["bert-embeddings", "bert-masked", "bert-masked-untied", "distilbert-classes"]
)
def test_a_dry_run_foretells_the_graph_without_weights(
    tiny_encoder: Make, artifact: Make, tmp_path: Path, name: str
) -> None:
    """The names of the tensors are guessed as transformers writes them."""
    made = artifact(tiny_encoder(name), quantize="f32")
    source = Path(shutil.copytree(tiny_encoder(name), tmp_path / f"tiny-{name}"))
    (source / "model.safetensors").unlink()
    foretold = predict(ExportOptions(str(source), made, quantize="f32"), Progress(quiet=True))
    sizes = {file.file: file.bytes for file in foretold.files if file.role in ("onnx", "plan", "manifest")}
    assert sizes == {file: (made / file).stat().st_size for file in sizes}


def _tokenizer(
    folder: Path, stated: dict[str, object], added: list[str], words: list[str]
) -> dict[str, Path]:
    tokens = [{"id": i, "content": token} for i, token in enumerate(added)]
    model = {"type": "WordPiece", "vocab": {word: i for i, word in enumerate(words)}}
    documents = {
        "tokenizer.json": {"model": model, "added_tokens": tokens},
        "tokenizer_config.json": stated,
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document))
    return {name: folder / name for name in documents}


@pytest.mark.parametrize(
    ("stated", "added", "words", "mask"),
    [
        ({"mask_token": "<mask>"}, ["<mask>"], [], "<mask>"),
        ({"mask_token": {"content": "<mask>", "lstrip": True}}, ["<mask>"], [], "<mask>"),
        ({}, [], ["[MASK]"], "[MASK]"),
        ({"mask_token": None}, ["[MASK]"], [], "[MASK]"),
    ],
)
def test_the_mask_is_what_the_tokenizer_says(
    tmp_path: Path, stated: dict[str, object], added: list[str], words: list[str], mask: str
) -> None:
    assert mask_token(_tokenizer(tmp_path, stated, added, words)) == mask


@pytest.mark.parametrize(
    "stated", [{}, {"mask_token": "<m>"}, {"mask_token": 7}, {"mask_token": {"content": []}}]
)
def test_a_mask_that_the_tokenizer_does_not_know_is_refused(
    tmp_path: Path, stated: dict[str, object]
) -> None:
    with pytest.raises(TokenizerError, match="mask"):
        mask_token(_tokenizer(tmp_path, stated, ["<mask>"], ["word"]))
