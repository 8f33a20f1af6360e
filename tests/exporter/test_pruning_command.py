"""`thistledown prune` as people meet it: what it says, what it writes, and what it refuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from exporter.__main__ import main
from exporter.checkpoints import ORIGIN_FILE
from exporter.errors import CalibrationError
from exporter.parity.onnx_runner import OnnxDecoder
from exporter.parity.torch_reference import TorchDecoder
from exporter.reduction.pruning.texts import MOST_TEXTS, read_texts
from tests.tiny_encoders import ENCODERS, write_tiny_encoder
from tests.tiny_granite import CORPUS, VOCABULARY
from tests.tiny_models import DECODERS, random_ids, write_tiny_model

Granite = Callable[..., Path]
Capture = pytest.CaptureFixture[str]
SIZES = "hidden=48,mlp=64,kv_heads=1,layers=3"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(CORPUS), encoding="utf-8")
    return path


def _prune(whole: Path, *arguments: str | Path) -> int:
    return main(["prune", str(whole), *map(str, arguments)])


def _refused(capsys: Capture, whole: Path, *arguments: str | Path) -> str:
    assert _prune(whole, *arguments) == 2
    return capsys.readouterr().err


def test_the_result_exports(tiny_granite: Granite, tmp_path: Path, texts: Path) -> None:
    made, artifact = tmp_path / "made", tmp_path / "artifact"
    assert _prune(tiny_granite(), "-o", made, "--to", SIZES, "--calibration", texts) == 0
    assert main(["export", str(made), "-o", str(artifact), "--quantize", "f32", "--context", "64"]) == 0
    ids = random_ids(40, VOCABULARY)
    np.testing.assert_allclose(OnnxDecoder(artifact).logits(ids), TorchDecoder(made).logits(ids), atol=1e-4)


def test_all_but_config_and_weights_is_carried_over(
    tiny_granite: Granite, tmp_path: Path, texts: Path
) -> None:
    whole, made = tmp_path / "whole", tmp_path / "made"
    shutil.copytree(tiny_granite(), whole)
    (whole / "LICENSE").write_text("free")
    assert _prune(whole, "-o", made, "--to", "mlp=50%", "--calibration", texts) == 0
    others = {path.name for path in whole.iterdir()} - {"config.json", "model.safetensors"}
    assert {path.name for path in made.iterdir()} == {path.name for path in whole.iterdir()} | {ORIGIN_FILE}
    assert all((made / name).read_bytes() == (whole / name).read_bytes() for name in others)
    before, after = (json.loads((folder / "config.json").read_text()) for folder in (whole, made))
    assert after == before | {"shared_intermediate_size": 48}, "half, in multiples of 8"


def test_the_same_command_writes_the_same_bytes(tiny_granite: Granite, tmp_path: Path, texts: Path) -> None:
    for name in ("first", "second"):
        assert _prune(tiny_granite(), "-o", tmp_path / name, "--to", SIZES, "--calibration", texts) == 0
    first, second = (tmp_path / name / "model.safetensors" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_types_of_tensors_stay_and_a_tied_head_stays_tied(
    tiny_granite: Granite, tmp_path: Path, texts: Path
) -> None:
    from transformers import AutoModelForCausalLM

    whole, made = tmp_path / "whole", tmp_path / "made"
    shutil.copytree(tiny_granite(), whole)
    AutoModelForCausalLM.from_pretrained(whole, dtype=torch.bfloat16).save_pretrained(whole)
    assert _prune(whole, "-o", made, "--to", SIZES, "--calibration", texts) == 0
    model = AutoModelForCausalLM.from_pretrained(made, dtype="auto")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert model.config.head_dim == 16, "two heads of 48 channels would be 24 wide"


def test_a_pruned_checkpoint_is_pruned_further(tiny_granite: Granite, tmp_path: Path, texts: Path) -> None:
    """Small steps lose less, and heads are by then no longer hidden / heads wide."""
    once, twice = tmp_path / "once", tmp_path / "twice"
    assert _prune(tiny_granite(), "-o", once, "--to", SIZES, "--calibration", texts) == 0
    assert _prune(once, "-o", twice, "--to", "hidden=32,heads=1", "--calibration", texts) == 0
    config = json.loads((twice / "config.json").read_text())
    assert (config["num_attention_heads"], config["head_dim"]) == (1, 16)
    assert np.isfinite(TorchDecoder(twice).logits(random_ids(10, VOCABULARY))).all()


def test_a_dry_run_says_what_goes_and_writes_nothing(
    tiny_granite: Granite, tmp_path: Path, texts: Path, capsys: Capture
) -> None:
    arguments = (tiny_granite(), "--to", SIZES, "--calibration", texts, "-o", tmp_path / "made")
    assert _prune(*arguments, "--dry-run", "--json") == 0
    assert not (tmp_path / "made").exists()
    foretold = json.loads(capsys.readouterr().out)
    assert _prune(*arguments, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == foretold | {"folder": str(tmp_path / "made")}
    tensors = load_file(tmp_path / "made" / "model.safetensors")
    assert told["parameters"]["after"] == sum(values.size for values in tensors.values())
    assert told["bytes"]["after"] == sum(values.nbytes for values in tensors.values())
    assert told["dimensions"]["mamba_heads"] == {"before": 8, "after": 6}, "they follow the hidden channels"
    assert told["dimensions"]["heads"] == {"before": 4, "after": 2}, "they follow their groups"
    assert len(told["layers_removed"]) == 1


def test_without_texts_a_dry_run_counts_and_does_not_pretend_to_know_the_layers(
    tiny_granite: Granite, capsys: Capture
) -> None:
    assert _prune(tiny_granite(), "--to", "layers=3", "--dry-run") == 0
    assert "decided with --calibration" in capsys.readouterr().out
    assert _prune(tiny_granite(), "--to", "layers=3", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["layers_removed"] is None


@pytest.mark.parametrize("name", sorted({row.model_type: name for name, row in DECODERS.items()}.values()))
@pytest.mark.parametrize("share", ["75%", "0.6"])
def test_a_share_of_all_parameters_is_met_from_below(
    name: str, share: str, tmp_path: Path, capsys: Capture
) -> None:
    write_tiny_model(tmp_path / "whole", DECODERS[name])
    assert _prune(tmp_path / "whole", "--to", share, "--dry-run", "--json") == 0
    found = json.loads(capsys.readouterr().out)["parameters"]
    asked = 0.75 if share == "75%" else 0.6
    assert 0.25 * asked < found["after"] / found["before"] <= asked


def test_a_share_comes_near_where_sizes_are_not_tiny(tmp_path: Path, capsys: Capture) -> None:
    row = DECODERS["llama-gqa-untied"]
    sizes = {
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_attention_heads": 16,
        "num_key_value_heads": 4,
    }
    write_tiny_model(tmp_path / "whole", type(row)("llama", "wide", {**row.config, **sizes}))
    assert _prune(tmp_path / "whole", "--to", "50%", "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert 0.45 < told["parameters"]["after"] / told["parameters"]["before"] <= 0.5
    assert told["dimensions"]["layers"] == {"before": 2, "after": 2}, "width goes before depth"
    assert all(told["dimensions"][name]["after"] % 32 == 0 for name in ("hidden", "mlp"))


REFUSED = [
    ("hidden", "not understood"),
    ("200", "names no dimension"),
    ("150%", "is no share"),
    ("0%", "is no share"),
    ("hiden=32", "Did you mean hidden?"),
    ("hidden=32,hidden=16", "given twice"),
    ("hidden=many", "not understood"),
    ("hidden=-1", "not understood"),
    ("hidden=", "not understood"),
    ("hidden=65", "more than the 64 there are"),
    ("layers=0", "would remove all 4"),
    ("layers=1", "cannot have attention and mamba layers"),
    ("heads=0", "would remove all 4"),
    ("heads=1", "would remove whole groups"),
    ("heads=3", "cannot be spread"),
    ("kv_heads=3", "more than the 2 there are"),
    ("experts=2", "this model has none of its own"),
    ("mamba_heads=5", "no whole multiple of hidden=64"),
    ("mamba_heads=4,hidden=48", "no whole multiple of hidden=48"),
    ("hidden=64", "Nothing would be removed"),
    ("1%", "layers still have"),
]


@pytest.mark.parametrize(("to", "words"), REFUSED)
def test_impossible_sizes_are_refused_before_any_work(
    to: str, words: str, tiny_granite: Granite, tmp_path: Path, capsys: Capture
) -> None:
    said = _refused(
        capsys, tiny_granite(), f"--to={to}", "-o", tmp_path / "made", "--calibration", tmp_path / "no"
    )
    assert words in said
    assert "--to" in said
    assert not (tmp_path / "made").exists()


def test_mamba_heads_leave_every_group_alike(tiny_granite: Granite, capsys: Capture) -> None:
    assert "2 B/C groups" in _refused(capsys, tiny_granite(groups=2), "--to", "mamba_heads=7", "--dry-run")


@pytest.mark.parametrize(
    ("name", "to", "words"),
    [
        ("granitemoehybrid-experts-nope", "experts=1", "each token is sent to"),
        ("granitemoehybrid-experts-nope", "experts=0", "would remove all 5"),
        ("opt-norm-first", "heads=2", "Say hidden=16"),
        ("opt-norm-first", "hidden=20", "Say hidden=16"),
        ("opt-norm-after-projected", "hidden=16", "width of the embeddings"),
        ("mamba2-one-group-tied", "mlp=8", "this model has none of its own"),
    ],
)
def test_families_say_what_they_cannot_do(
    name: str, to: str, words: str, tmp_path: Path, capsys: Capture
) -> None:
    write_tiny_model(tmp_path / "whole", DECODERS[name])
    assert words in _refused(capsys, tmp_path / "whole", "--to", to, "--dry-run")


def test_an_encoder_says_why_its_width_stays(minilm_checkpoint: Path, capsys: Capture) -> None:
    said = _refused(capsys, minilm_checkpoint, "--to", "hidden=128", "--dry-run")
    assert "hidden cannot be pruned here: an encoder's width" in said
    assert "Prune layers, mlp" in said


def test_unknown_architectures_are_named(tiny_granite: Granite, tmp_path: Path, capsys: Capture) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(tiny_granite(), whole)
    config = json.loads((whole / "config.json").read_text())
    (whole / "config.json").write_text(json.dumps(config | {"model_type": "lama"}))
    assert 'Did you mean "llama"?' in _refused(capsys, whole, "--to", "50%", "--dry-run")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.txt", None, "cannot be read"),
        ("empty.txt", b" \n\n", "There is no text"),
        ("bytes.txt", b"\xff\xfe\x00", "cannot be read"),
        ("lines.jsonl", b'{"text": "yes"}\n{"txt": "no"}', 'Line 2 has no "text"'),
        ("lines.jsonl", b'{"text": "yes"}\nno', "Line 2"),
        ("blank.jsonl", b'{"text": "yes"}\n\n\nno', "Line 4"),
    ],
)
def test_calibration_that_cannot_be_used_is_refused(
    name: str, content: bytes | None, words: str, tiny_granite: Granite, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    said = _refused(capsys, tiny_granite(), "-o", tmp_path / "made", "--to", "mlp=50%", "--calibration", path)
    assert words in said
    assert name in said
    assert not (tmp_path / "made").exists()


def test_separators_of_unicode_end_no_line_of_jsonl(tmp_path: Path) -> None:
    path, texts = tmp_path / "lines.jsonl", ["one\u2028two", "three\u2029four", "five\x85six"]
    path.write_text(
        "\n".join(json.dumps({"text": text}, ensure_ascii=False) for text in texts), encoding="utf-8"
    )
    assert read_texts(path, 0) == texts


def test_texts_longer_than_the_model_has_places_for_are_cut(tmp_path: Path) -> None:
    whole, texts = tmp_path / "whole", tmp_path / "texts.txt"
    write_tiny_encoder(whole, ENCODERS["bert-masked"])
    texts.write_text("a shard of granite " * 200, encoding="utf-8")
    assert _prune(whole, "-o", tmp_path / "made", "--to", "mlp=32", "--calibration", texts) == 0


def test_a_damaged_tokenizer_is_named(
    tiny_granite: Granite, tmp_path: Path, texts: Path, capsys: Capture
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(tiny_granite(), whole)
    damaged = {"model": {"type": "BPE", "vocab": {}, "merges": "none"}}
    (whole / "tokenizer.json").write_text(json.dumps(damaged), encoding="utf-8")
    said = _refused(capsys, whole, "-o", tmp_path / "made", "--to", "mlp=50%", "--calibration", texts)
    assert "The tokenizer cannot be read" in said


def test_pruning_blindly_is_refused(tiny_granite: Granite, tmp_path: Path, capsys: Capture) -> None:
    assert "--calibration" in _refused(capsys, tiny_granite(), "-o", tmp_path / "made", "--to", "mlp=50%")


def test_an_output_is_needed_and_may_not_hold_anything(
    tiny_granite: Granite, tmp_path: Path, texts: Path, capsys: Capture
) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine").touch()
    arguments = ("--to", "mlp=50%", "--calibration", texts)
    assert "--output" in _refused(capsys, tiny_granite(), *arguments)
    assert "something already" in _refused(capsys, tiny_granite(), *arguments, "-o", tmp_path / "made")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["mine"]


def test_statistics_that_are_no_numbers_stop_it(
    tiny_granite: Granite, tmp_path: Path, texts: Path, capsys: Capture
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(tiny_granite(), whole)
    tensors = load_file(whole / "model.safetensors")
    tensors["model.layers.1.shared_mlp.input_linear.weight"][:] = 3e38
    save_file(tensors, whole / "model.safetensors", metadata={"format": "pt"})
    said = _refused(capsys, whole, "-o", tmp_path / "made", "--to", "mlp=50%", "--calibration", texts)
    assert "not finite" in said
    assert not (tmp_path / "made").exists()


def test_weights_that_are_no_numbers_stop_it(
    tiny_granite: Granite, tmp_path: Path, texts: Path, capsys: Capture
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(tiny_granite(), whole)
    tensors = load_file(whole / "model.safetensors")
    tensors["model.layers.3.mamba.D"][0] = np.nan
    save_file(tensors, whole / "model.safetensors", metadata={"format": "pt"})
    assert "not finite" in _refused(
        capsys, whole, "-o", tmp_path / "a", "--to", "mlp=50%", "--calibration", texts
    )


def test_weights_and_config_must_belong_together(
    tiny_granite: Granite, tmp_path: Path, capsys: Capture
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(tiny_granite(), whole)
    tensors = load_file(whole / "model.safetensors")
    unknown = {**tensors, "model.layers.0.adapter.weight": np.zeros((2, 2), np.float32)}
    save_file(unknown, whole / "model.safetensors")
    assert "adapter.weight" in _refused(capsys, whole, "--to", "mlp=50%", "--dry-run")
    config = json.loads((whole / "config.json").read_text())
    (whole / "config.json").write_text(json.dumps(config | {"shared_intermediate_size": 100}))
    save_file(tensors, whole / "model.safetensors")
    assert "config.json asks for" in _refused(capsys, whole, "--to", "mlp=50%", "--dry-run")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_hidden_layers": 10**12}, "layers"),
        ({"num_hidden_layers": 5}, "layer"),
        ({"hidden_size": "wide"}, "hidden_size"),
        ({"num_attention_heads": 3}, "num_attention_heads"),
        ({"num_key_value_heads": 0}, "num_key_value_heads"),
        ({"mamba_n_heads": 7}, "mamba"),
    ],
)
def test_a_damaged_config_is_refused(
    change: dict[str, object], words: str, tiny_granite: Granite, tmp_path: Path, capsys: Capture
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(tiny_granite(), whole)
    config = json.loads((whole / "config.json").read_text())
    (whole / "config.json").write_text(json.dumps(config | change))
    assert words in _refused(capsys, whole, "--to", "mlp=50%", "--dry-run")


def test_of_many_texts_as_many_as_needed_are_drawn_by_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(json.dumps({"text": f"text {i}", "more": 1}) for i in range(3 * MOST_TEXTS)))
    first, again, other = (read_texts(path, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first)) == MOST_TEXTS
    with path.open("r+b") as file:
        file.truncate((256 << 20) + 1)
    with pytest.raises(CalibrationError, match="over 256 MiB"):
        read_texts(path, 0)
