"""A folder of the chain holds one chain: others are refused, and what is measured is of what is there now."""

import hashlib
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts import reduction_chain
from scripts.extraction_scores import Measured

Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]

CHECKPOINTS = ["data.jsonl", "texts.jsonl", "pruned", "fresh", "distilled", "scratch", "adapter"]
QUICK = ["merged", "teacher-f16", "distilled-q8", "merged-q8"]


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    folder = tmp_path / "teacher"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (folder / name).write_text(f"the first {name}")
    return folder


@pytest.fixture
def steps(monkeypatch: Patch) -> SimpleNamespace:
    """Stands in for every slow step: what was `made`, and `measured` as (artifact, messages, adapter)."""
    state = SimpleNamespace(made=[], measured=[])

    def make(folder: Path) -> None:
        state.made.append(folder.name)
        folder.mkdir(parents=True)
        sizes = {"shard": {"bytes": 1}, "shards": [{"bytes": 50}]}
        (folder / "manifest.json").write_text(json.dumps(sizes))
        (folder / "model.safetensors").touch()

    def write(words: list[str]) -> None:
        state.made.append(Path(words[0]).name)
        Path(words[0]).touch()

    def measure(artifact: Path, _: Path, __: Any, messages: int, ___: int, over: Any = None) -> Measured:
        state.measured.append((artifact.name, messages, over and over.name))
        return Measured(0.5, 4, 0.25, 0.75, 4, 1.0)

    stand_ins = {
        "write_data": SimpleNamespace(main=write),
        "train_adapter": SimpleNamespace(teach=lambda words: make(Path(words[1]) / "adapter")),
        "prune": lambda _, output, *__: make(output),
        "write_fresh": lambda _, output: make(output),
        "distill": lambda task, *_: make(task.output),
        "merge_lora": lambda _, __, output: make(output),
        "make_adapter": lambda _, __, output: make(output),
        "export": lambda options, _: make(options.output),
        "measure": measure,
        "speed": lambda *_: 100.0,
        "measure_artifact": lambda _: SimpleNamespace(parameters=1, model_visit=2),
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(reduction_chain, name, stand_in)
    return state


def chain(folder: Path, teacher: Path, *words: str) -> int:
    return reduction_chain.main([str(folder), "--teacher", str(teacher), "--messages", "40", *words])


def test_a_chain_that_goes_on_makes_no_checkpoint_again_and_measures_what_is_there_now(
    steps: SimpleNamespace, teacher: Path, tmp_path: Path
) -> None:
    assert chain(tmp_path / "chain", teacher) == 0
    assert set(CHECKPOINTS + QUICK) <= set(steps.made)
    assert len(steps.made) == len([*CHECKPOINTS, *QUICK]) + 6
    steps.made.clear()
    moved = teacher.rename(tmp_path / "moved")
    free = ("--workers", "2", "--messages", "30", "--longest", "99", "--compile")
    assert chain(tmp_path / "chain", moved, *free) == 0
    assert set(QUICK) <= set(steps.made)
    assert set(steps.made) & set(CHECKPOINTS) == {"adapter"}  # the artifact of this name
    assert steps.made.count("adapter") == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("examples", "7"),
        ("steps", "7"),
        ("batch", "7"),
        ("tokens", "7"),
        ("to", "mlp=7"),
        ("rank", "7"),
        ("adapter-steps", "7"),
        ("adapter-batch", "7"),
        ("mixed-precision", "bf16"),
        ("hardest", "0.7"),
        ("calm", "0.7"),
    ],
)
def test_other_settings_are_refused_by_name(
    steps: SimpleNamespace, teacher: Path, tmp_path: Path, capsys: Capture, option: str, value: str
) -> None:
    assert chain(tmp_path / "chain", teacher) == 0
    steps.made.clear()
    assert chain(tmp_path / "chain", teacher, f"--{option}", value) == 2
    said = capsys.readouterr().err
    assert f" here: {option.replace('-', '_')} differ" in said
    assert "give another output folder" in said
    assert steps.made == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("model.safetensors", "teacher, teacher_files differ"),
        ("tokenizer.json", "here: teacher_files differ"),
    ],
)
def test_another_teacher_is_refused(
    steps: SimpleNamespace, teacher: Path, tmp_path: Path, capsys: Capture, name: str, words: str
) -> None:
    assert chain(tmp_path / "chain", teacher) == 0
    (teacher / name).write_text("another")
    steps.made.clear()
    assert chain(tmp_path / "chain", teacher) == 2
    assert words in capsys.readouterr().err
    assert steps.made == []


def test_a_folder_that_holds_something_else_is_refused(
    steps: SimpleNamespace, teacher: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "other" / "distilled").mkdir(parents=True)
    (tmp_path / "file").touch()
    for name in ("other", "file"):
        assert chain(tmp_path / name, teacher) == 2
        assert "nothing in it says which chain it holds" in capsys.readouterr().err
    assert steps.made == []
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["distilled"]


def test_a_kill_before_the_identity_is_noted_leaves_a_folder_to_begin_in(
    steps: SimpleNamespace, teacher: Path, tmp_path: Path, monkeypatch: Patch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            chain(tmp_path / "chain", teacher)
    assert steps.made == []
    assert not (tmp_path / "chain" / "identity.json").exists()
    assert chain(tmp_path / "chain", teacher, "--steps", "7") == 0


def test_a_teacher_that_is_not_there_leaves_no_folder(
    steps: SimpleNamespace, tmp_path: Path, capsys: Capture
) -> None:
    assert chain(tmp_path / "chain", tmp_path / "nobody") == 2
    assert "There is no checkpoint" in capsys.readouterr().err
    assert not (tmp_path / "chain").exists()


@pytest.mark.usefixtures("steps")
def test_a_rehearsal_does_not_rewrite_the_page(tmp_path: Path, monkeypatch: Patch, capsys: Capture) -> None:
    monkeypatch.setattr(reduction_chain, "TABLE", tmp_path / "nowhere" / "table.json")
    with pytest.raises(SystemExit, match="2"):
        reduction_chain.main([str(tmp_path / "chain"), "--short", "--write"])
    assert "--write is not for --short" in capsys.readouterr().err
    assert not (tmp_path / "chain").exists()


def test_the_table_has_the_sum_of_the_teachers_weights_and_a_merge_like_what_runs(
    steps: SimpleNamespace, teacher: Path, tmp_path: Path
) -> None:
    assert chain(tmp_path / "chain", teacher) == 0
    table = json.loads((tmp_path / "chain" / "table.json").read_text())
    weights = (teacher / "model.safetensors").read_bytes()
    assert table["settings"]["teacher"] == hashlib.sha256(weights).hexdigest()
    assert table["settings"]["messages"] == 40
    merged, played = table["adapter"]["merged q8"], ("distilled-q8", 10, "adapter")
    assert merged["scheme"] == "q8"
    assert steps.measured[-3:] == [("merged-f16", 40, None), ("merged-q8", 10, None), played]
