"""Runs of `thistledown distill` that are refused, stopped or begun again: what the folder is then, and what goes on."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from exporter.__main__ import main
from exporter.errors import ReductionError
from exporter.reduction.distillation import run_folder
from exporter.reduction.training import checkpoints as states
from exporter.reduction.training import granite, loop
from tests.exporter.distilled_pair import command, write_pair
from tests.tiny_encoders import ENCODERS, write_tiny_encoder
from tests.tiny_granite import CORPUS, Variant, write_tiny_granite
from tests.tiny_models import DECODERS, write_tiny_model

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pair")
    write_pair(folder)
    return folder


def steps_logged(output: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (output / "log.jsonl").read_text().splitlines()]


def stop(patch: Patch, saved: bool) -> None:
    """Have runs be killed when they save, after they did or before."""
    save = loop.Run._save

    def killed(self: loop.Run, step: int) -> None:
        if saved:
            save(self, step)
        raise KeyboardInterrupt

    patch.setattr(loop.Run, "_save", killed)


@pytest.mark.parametrize("name", ["gpt_neox-parallel", "mamba2-one-group-tied", "gemma2-caps"])
def test_what_prune_makes_can_be_distilled(name: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    write_tiny_model(tmp_path / "teacher", DECODERS[name])
    write_tiny_model(tmp_path / "student", DECODERS[name])
    (tmp_path / "data.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in CORPUS))
    assert main(command(tmp_path, tmp_path / "out", "--steps", "2", "--hidden-loss", "0.5")) == 0
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").config.model_type == name.partition("-")[0]


def test_an_encoder_is_refused_before_anything_is_written(
    checkpoints: Path, tmp_path: Path, capsys: Capture
) -> None:
    write_tiny_encoder(tmp_path / "bert", ENCODERS["bert-masked"])
    models = ("--teacher", str(tmp_path / "bert"), "--student", str(tmp_path / "bert"))
    assert main(command(checkpoints, tmp_path / "out", *models)) == 2
    assert "bert is an encoder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def damaged(checkpoints: Path, folder: Path, how: str) -> Path:
    from safetensors.torch import load_file, save_file

    shutil.copytree(checkpoints / "student", folder)
    weights = folder / "model.safetensors"
    if how == "missing":
        tensors = load_file(weights)
        del tensors["model.layers.0.mamba.D"]
        save_file(tensors, weights, metadata={"format": "pt"})
    elif how == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif how == "tokenizer":
        path = folder / "tokenizer.json"
        whole = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**whole, "model": {"type": "BPE"}}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("missing", 'Tensor "model.layers.0.mamba.D" is missing'),
        ("cut", "model.safetensors"),
        ("tokenizer", "The tokenizer cannot be read"),
    ],
)
def test_a_damaged_checkpoint_is_refused_and_the_same_folder_may_be_given_again(
    checkpoints: Path, tmp_path: Path, capsys: Capture, how: str, words: str
) -> None:
    wrong, out = str(damaged(checkpoints, tmp_path / "damaged", how)), tmp_path / "out"
    both = ("--teacher", wrong) if how == "tokenizer" else ()
    assert main(command(checkpoints, out, "--steps", "2", "--student", wrong, *both)) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()
    assert main(command(checkpoints, out, "--steps", "2")) == 0


def test_until_a_checkpoint_is_there_another_recipe_may_begin_anew(
    checkpoints: Path, tmp_path: Path, monkeypatch: Patch
) -> None:
    with monkeypatch.context() as patch:
        stop(patch, saved=False)
        assert main(command(checkpoints, tmp_path / "out", "--steps", "2")) == 130
    assert main(command(checkpoints, tmp_path / "out", "--steps", "3")) == 0
    assert steps_logged(tmp_path / "out") == [3], "nothing of the run that came to nothing"


def test_after_a_loss_that_is_no_number_a_lower_learning_rate_goes_on(
    checkpoints: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    given = command(checkpoints, tmp_path / "out", "--steps", "6", "--save-every", "2")
    losses = loop.Run._losses
    with monkeypatch.context() as patch:

        def broken(self: loop.Run, *part: Any) -> Any:
            found = losses(self, *part)
            return found * float("nan") if (self.folder / "step-4").exists() else found

        patch.setattr(loop.Run, "_losses", broken)
        assert main(given) == 2
    assert "the checkpoint of step 4 is kept: lower the learning rate" in capsys.readouterr().err
    seen: list[int] = []
    resume = loop.Run.resume
    monkeypatch.setattr(loop.Run, "resume", lambda self: seen.append(resume(self)) or seen[-1])
    assert main([*given, "--learning-rate", "1e-4"]) == 0
    assert seen == [4]


@pytest.mark.parametrize("changed", ["config.json", "a shard"])
def test_another_teacher_is_noticed(
    checkpoints: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture, changed: str
) -> None:
    from safetensors.torch import load_file, save_file
    from transformers import AutoModelForCausalLM

    teacher = tmp_path / "teacher"
    shutil.copytree(checkpoints / "teacher", teacher)
    model = AutoModelForCausalLM.from_pretrained(teacher)
    (teacher / "model.safetensors").unlink()
    model.save_pretrained(teacher, max_shard_size="200KB")
    given = command(checkpoints, tmp_path / "out", "--steps", "2", "--teacher", str(teacher))
    with monkeypatch.context() as patch:
        stop(patch, saved=True)
        assert main(given) == 130
    if changed == "a shard":
        path = max(teacher.glob("model-*.safetensors"))
        save_file({name: 2 * one for name, one in load_file(path).items()}, path, metadata={"format": "pt"})
    else:
        path = teacher / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"logits_scaling": 0.25}))
    assert main(given) == 2
    assert "another recipe was begun here: teacher differ" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words"),
    [("recipe.json", "its recipe is damaged"), ("last", "cannot go on from its last checkpoint")],
)
def test_a_damaged_run_is_told_and_left(
    checkpoints: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture, name: str, words: str
) -> None:
    given = command(checkpoints, tmp_path / "out", "--steps", "2")
    with monkeypatch.context() as patch:
        stop(patch, saved=True)
        assert main(given) == 130
    (tmp_path / "out" / "run" / name).write_text("[", encoding="utf-8")
    assert main(given) == 2
    assert words in capsys.readouterr().err
    assert (tmp_path / "out" / "run" / name).read_text(encoding="utf-8") == "["


def test_the_seed_decides_the_projection_of_hidden_states(checkpoints: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(CORPUS), encoding="utf-8")
    narrow = ("--to", "hidden=48,kv_heads=1", "--calibration", str(texts))
    assert main(["prune", str(checkpoints / "student"), "-o", str(tmp_path / "narrow"), *narrow]) == 0
    more = ("--student", str(tmp_path / "narrow"), "--hidden-loss", "1", "--steps", "2")
    found = []
    for name, chance in (("one", 1), ("two", 2)):
        torch.manual_seed(chance)
        assert main(command(checkpoints, tmp_path / name, *more)) == 0
        found.append(load_file(tmp_path / name / "model.safetensors"))
    assert all((found[0][name] == found[1][name]).all() for name in found[0])


def test_layers_are_compiled_only_where_rows_have_few_shapes(
    checkpoints: Path, tmp_path: Path, monkeypatch: Patch
) -> None:
    """The student has positions, so that its rows hold one text each."""
    import torch

    compiled: list[Any] = []
    monkeypatch.setenv("CXX", "sh")  # any program that is there
    monkeypatch.setattr(torch, "compile", lambda layer, **_: compiled.append(layer) or layer)
    monkeypatch.setattr(granite, "_ready", granite._ready.__wrapped__)
    student = tmp_path / "student"
    write_tiny_granite(student, Variant(position="rope"))
    assert main(command(checkpoints, tmp_path / "few", "--steps", "1", "--compile")) == 0
    assert compiled
    compiled.clear()
    more = ("--student", str(student), "--steps", "1", "--compile")
    assert main(command(checkpoints, tmp_path / "many", *more)) == 0
    assert not compiled


BAD_NUMBERS = [
    ("--label-loss", "3", "must be from 0 to 1"),
    ("--hidden-loss", "-1", "must be above 0"),
    ("--temperature", "0", "must be above 0"),
    ("--temperature", "-1", "must be above 0"),
    ("--temperature", "nan", "must be above 0"),
    ("--workers", "-1", "must be 0 or more"),
    ("--seed", "-1", "must be 0 or more"),
    ("--warm-up", "-1", "must be 0 or more"),
    ("--cool-down", "-1", "must be 0 or more"),
]


@pytest.mark.parametrize(("option", "value", "words"), BAD_NUMBERS)
def test_numbers_that_mean_nothing_are_refused(
    checkpoints: Path, tmp_path: Path, capsys: Capture, option: str, value: str, words: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(command(checkpoints, tmp_path / "out", option, value))
    said = capsys.readouterr().err
    assert option in said
    assert words in said
    assert not (tmp_path / "out").exists()


def test_a_run_that_was_killed_before_its_recipe_was_written_begins_anew(
    checkpoints: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "run").mkdir(parents=True)
    (tmp_path / "out" / "run" / "recipe.making").write_text("{")
    assert main(command(checkpoints, tmp_path / "out", "--steps", "2")) == 0


def test_a_kill_while_the_state_is_removed_leaves_the_checkpoint_and_begins_nothing_anew(
    checkpoints: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    """Whatever is removed first: here the checkpoint, of which the command would go on."""

    def killed(folder: Path) -> None:
        (folder / "last").unlink()
        raise KeyboardInterrupt

    given = command(checkpoints, tmp_path / "out", "--steps", "2")
    with monkeypatch.context() as patch:
        patch.setattr(
            run_folder.shutil, "rmtree", lambda path, **_: killed(path) if path.name == "run" else None
        )
        assert main(given) == 130
    weights = (tmp_path / "out" / "model.safetensors").read_bytes()
    assert main(given) == 2
    assert "is not empty" in capsys.readouterr().err
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == weights


def test_weights_that_cannot_be_written_are_an_error_that_says_so(tmp_path: Path, monkeypatch: Patch) -> None:
    import safetensors.torch
    import torch

    def full(*_: Any) -> None:
        raise safetensors.SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(ReductionError, match=r"cannot be written: I/O error: No space left.*Make room"):
        states.save(tmp_path, states.Checkpoint({"w": torch.ones(2)}, {}, 1, {}))
