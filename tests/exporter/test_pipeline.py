"""What an export states about the model: context, generation defaults, pooling, card, reproducible bytes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.__main__ import main
from exporter.artifact import parse_manifest
from exporter.errors import ConfigError
from exporter.generation import generation_defaults

Make = Callable[..., Path]


def _manifest(folder: Path) -> dict[str, object]:
    document: dict[str, object] = json.loads((folder / "manifest.json").read_text())
    return document


def test_minilm_reads_as_many_tokens_as_it_was_made_for(artifact: Make) -> None:
    assert _manifest(artifact("minilm"))["context"] == 256
    assert _manifest(artifact("minilm", quantize="q8", context=512))["context"] == 512


def test_a_context_beyond_the_positions_is_cut(artifact: Make) -> None:
    assert _manifest(artifact("minilm", quantize="q4", context=4096))["context"] == 512


@pytest.mark.parametrize("context", ["0", "1", "-3"])
def test_a_context_of_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], context: str
) -> None:
    assert main(["export", "minilm", "-o", str(tmp_path / "out"), "--context", context]) == 2
    assert "--context" in capsys.readouterr().err


def test_other_poolings_are_refused(
    minilm_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their vectors would be others than the checkpoint's."""
    copy = Path(shutil.copytree(minilm_checkpoint, tmp_path / "max"))
    path = copy / "1_Pooling" / "config.json"
    pooling = json.loads(path.read_text()) | {
        "pooling_mode_max_tokens": True,
        "pooling_mode_mean_tokens": False,
    }
    path.write_text(json.dumps(pooling))
    assert main(["export", str(copy), "-o", str(tmp_path / "out")]) == 2
    assert "pooling_mode_max_tokens" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["is_decoder", "add_cross_attention"])
def test_a_decoder_is_no_sentence_encoder(
    minilm_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    copy = tmp_path / "decoder"
    copy.mkdir()
    for path in minilm_checkpoint.glob("*.*"):
        shutil.copy(path, copy)
    config = json.loads((copy / "config.json").read_text()) | {key: True}
    (copy / "config.json").write_text(json.dumps(config))
    assert main(["export", str(copy), "-o", str(tmp_path / "out")]) == 2
    assert key in capsys.readouterr().err


def test_weights_that_are_not_played_are_not_counted(artifact: Make) -> None:
    """MiniLM's checkpoint carries a pooler (147,840) and token types (768) that embeddings do not use."""
    assert _manifest(artifact("minilm"))["parameters"] == 22_713_216 - 147_840 - 768


def test_the_same_export_twice_gives_the_same_bytes(tiny_granite: Make, tmp_path: Path) -> None:
    source = str(tiny_granite())
    for name in ("one", "two"):
        assert main(["export", source, "-o", str(tmp_path / name / "model"), "--quantize", "q4"]) == 0
    one, two = (sorted((tmp_path / name / "model").iterdir()) for name in ("one", "two"))
    assert [path.name for path in one] == [path.name for path in two]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(one, two, strict=True))


def test_shards_keep_to_the_size_asked_for(tiny_granite: Make, artifact: Make) -> None:
    folder = artifact(tiny_granite(), quantize="f32", context=512, shard_size=150_000)
    shards = parse_manifest((folder / "manifest.json").read_bytes()).shards
    assert len(shards) > 5
    assert max(shard.bytes for shard in shards) <= 150_000


def test_json_prints_one_document(
    tiny_granite: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(tiny_granite()), "-o", str(tmp_path / "out"), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["report"]["first_visit"] > 0
    assert captured.err == ""


def test_the_card_says_how_to_use_the_model(tiny_granite: Make, artifact: Make) -> None:
    folder = artifact(tiny_granite(), quantize="q8", context=512)
    card = (folder / "README.md").read_text()
    assert "model.generate(" in card
    assert f"'/models/{folder.name}/'" in card
    assert str(folder.parent) not in card


def test_greedy_checkpoints_stay_greedy() -> None:
    defaults = generation_defaults({"do_sample": False, "temperature": 0.7, "eos_token_id": [2, 3]}, {}, 10)
    assert (defaults.temperature, defaults.top_k, defaults.top_p) == (0.0, 0, 1.0)
    assert defaults.stop_ids == (2, 3)


def test_sampling_defaults_are_those_of_transformers() -> None:
    defaults = generation_defaults({"do_sample": True}, {"eos_token_id": 7, "bos_token_id": 1}, 10)
    assert (defaults.temperature, defaults.top_k, defaults.top_p) == (1.0, 50, 1.0)
    assert (defaults.stop_ids, defaults.bos_id) == ((7,), 1)


@pytest.mark.parametrize(
    "config",
    [
        {"eos_token_id": 10},
        {"eos_token_id": "2"},
        {"eos_token_id": list(range(9)) * 8},
        {"do_sample": True, "temperature": -1},
        {"do_sample": True, "top_p": 2},
        {"do_sample": True, "top_p": 0},
        {"do_sample": True, "temperature": float("nan")},
    ],
)
def test_impossible_generation_configs_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        generation_defaults(config, {}, 10)
