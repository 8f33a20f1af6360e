"""`thistledown distill`: the student nears its teacher, a killed run ends alike, and what does not fit is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exporter.__main__ import main
from exporter.checkpoints import open_checkpoint
from exporter.reduction.distillation.objectives import Objective, distillation_loss, forward_kl, new_student
from exporter.reduction.distillation.sampling import Sampling
from exporter.reduction.distillation.text_file import open_text_file
from exporter.reduction.training import loop
from exporter.reduction.training.batches import Tokens, batches
from exporter.reduction.training.losses import cross_entropy
from tests.exporter.distilled_pair import ORIGIN, command, write_pair
from tests.tiny_granite import CORPUS, Variant, write_tiny_granite, write_tokenizer


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """teacher/ and a shallower student/."""
    folder = tmp_path_factory.mktemp("pair")
    write_pair(folder)
    return folder


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / "model.safetensors"))


def test_the_student_nears_its_teacher_and_is_an_ordinary_checkpoint(
    checkpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = tmp_path / "out"
    assert main(command(checkpoints, out, "--steps", "30", "--hidden-loss", "0.1", "--json")) == 0
    said = json.loads(capsys.readouterr().out)
    losses = [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert said["step"] == 30
    assert losses[-1] == said["loss"] < losses[0] * 0.8
    assert AutoModelForCausalLM.from_pretrained(out).config.num_hidden_layers == 2
    assert AutoTokenizer.from_pretrained(out)("thistle").input_ids
    assert "</svg>" in (out / "loss.svg").read_text()
    assert not (out / "run").exists()
    assert open_checkpoint(str(out)).origin == ORIGIN


def test_a_killed_run_ends_as_if_it_had_not_been(
    checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = ("--steps", "8", "--save-every", "2")
    assert main(command(checkpoints, tmp_path / "whole", *steps)) == 0
    save = loop.Run._save

    def killed(self: loop.Run, step: int) -> None:
        save(self, step)
        if step == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop.Run, "_save", killed)
        assert main(command(checkpoints, tmp_path / "cut", *steps)) == 130
    assert not (tmp_path / "cut" / "model.safetensors").exists()
    assert main(command(checkpoints, tmp_path / "cut", *steps)) == 0
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all((whole[name] == cut[name]).all() for name in whole)


def test_several_processes_compute_the_same_steps(checkpoints: Path, tmp_path: Path) -> None:
    more = ("--steps", "3", "--tokens", "64")
    assert main(command(checkpoints, tmp_path / "one", *more)) == 0
    launch = ["accelerate", "launch", "--num_processes", "2", "--cpu", "--main_process_port", "0"]
    both = [*launch, "-m", "exporter", *command(checkpoints, tmp_path / "two", *more, "--json")]
    done = subprocess.run(
        [sys.executable, "-m", *accelerate(both)], check=True, capture_output=True, timeout=240
    )
    assert json.loads(done.stdout)["step"] == 3, "one document, of the main process"
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-5


def accelerate(words: list[str]) -> list[str]:
    """`accelerate launch` without its script, which may not be on the path."""
    return ["accelerate.commands.accelerate_cli", *words[1:]]


def test_forward_kl_is_that_of_the_definition() -> None:
    import torch

    teacher, student = torch.randn(5, 11, dtype=torch.float64), torch.randn(5, 11, dtype=torch.float64)
    p, q = (each.div(2).softmax(-1) for each in (teacher, student))
    wanted = (p * (p / q).log()).sum(-1) * 4
    assert forward_kl(teacher, student, 2.0).tolist() == pytest.approx(wanted.tolist())
    assert forward_kl(teacher, teacher).tolist() == pytest.approx([0] * 5, abs=1e-12)


@pytest.mark.parametrize("objective", [Objective(), Objective(2.0, 0.5), Objective(hidden=1.0)], ids=str)
def test_a_model_has_nothing_to_learn_from_itself(checkpoints: Path, objective: Objective) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(checkpoints / "teacher").eval()
    (batch,) = batches([Tokens(range(5, 25), 8)], 100, 0)
    losses = distillation_loss(model, objective)(new_student(model, model, objective), batch).detach()
    assert losses.shape == (12,)
    loss = float(losses.sum())
    if objective.cross_entropy:
        assert loss > 1
    else:
        assert loss == pytest.approx(0, abs=1e-4)


def test_where_the_right_tokens_are_all_that_counts_no_teacher_is_asked(checkpoints: Path) -> None:
    from transformers import AutoModelForCausalLM

    objective = Objective(cross_entropy=1.0)
    model = AutoModelForCausalLM.from_pretrained(checkpoints / "teacher").eval()
    (batch,) = batches([Tokens(range(5, 25), 8)], 100, 0)
    found = distillation_loss(None, objective)(new_student(model, model, objective), batch)
    assert found.tolist() == cross_entropy(model, batch).tolist()


def test_every_line_is_read_once_in_an_epoch_and_the_seed_orders_them(checkpoints: Path) -> None:
    file = open_text_file(checkpoints / "data.jsonl")
    tokenizer = checkpoints / "teacher" / "tokenizer.json"
    first, other = (Sampling(file, tokenizer, 4, 100, 50, seed) for seed in (0, 1))
    epochs = [[line for step in range(begin, begin + 5) for line in first.lines(step)] for begin in (0, 5)]
    assert [sorted(epoch) for epoch in epochs] == [sorted([*range(10)] * 2)] * 2
    assert epochs[0] != epochs[1]
    assert [first.lines(step) for step in range(5)] != [other.lines(step) for step in range(5)]


@pytest.mark.parametrize("width", [None, 12])
def test_texts_are_read_up_to_the_longest_however_rows_are_made_up(
    checkpoints: Path, tmp_path: Path, width: int | None
) -> None:
    """One text is longer than rows are wide, and its completion begins after such a width."""
    rows = [{"text": "thistle down"}, {"prompt": CORPUS[0], "completion": CORPUS[1]}]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    tokenizer = checkpoints / "teacher" / "tokenizer.json"
    file = open_text_file(tmp_path / "data.jsonl")
    short, long = (file.tokens(line, sampling_tokenizer(tokenizer), 1000) for line in (0, 1))
    assert len(short.ids) <= 12 < long.start
    longest = len(long.ids) - 2
    sampling = Sampling(file, tokenizer, 1, 64, longest, 0, width)
    found = {line: sampling(step) for step in (0, 1) for line in sampling.lines(step)}
    assert sum(batch.targets for batch in found[0]) == len(short.ids) - 1
    assert sum(batch.targets for batch in found[1]) == longest - long.start
    if width:
        assert [{batch.ids.shape[1] for batch in found[line]} for line in (0, 1)] == [{width}, {longest}]


def sampling_tokenizer(path: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))


def test_a_step_without_anything_to_foretell_changes_nothing(
    checkpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of three lines are one token."""
    (tmp_path / "data.txt").write_text(f"a\n{CORPUS[0]}\nb\n", encoding="utf-8")
    given = command(checkpoints, tmp_path / "out", "--steps", "6", "--batch", "1", "--json")
    given[given.index("--data") + 1] = str(tmp_path / "data.txt")
    assert main(given) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["step"] == 6
    assert said["loss"] > 0


@pytest.mark.parametrize(("line", "longest"), [("a", "1024"), (CORPUS[0], "1")])
def test_data_without_anything_to_foretell_is_refused(
    checkpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, longest: str
) -> None:
    (tmp_path / "data.txt").write_text(line, encoding="utf-8")
    given = command(checkpoints, tmp_path / "out", "--steps", "2", "--longest", longest)
    given[given.index("--data") + 1] = str(tmp_path / "data.txt")
    assert main(given) == 2
    said = capsys.readouterr().err
    assert "No line has anything to foretell" in said
    assert "--longest" in said


BAD_DATA = {
    "missing": (None, "cannot be read"),
    "empty": (b"\n \n", "no text in the data"),
    "no-json": (b'{"text": "a"}\n{"text": \n', "Line 2"),
    "no-text": (b'{"texts": "a"}\n', "Line 1 has no text"),
    "number": (b'{"text": 4}\n', "something else than text"),
    "binary": (b'{"text": "\xff"}\n', "Line 1"),
}


@pytest.mark.parametrize("case", sorted(BAD_DATA))
def test_unfit_data_is_refused_by_the_line(
    case: str, checkpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, words = BAD_DATA[case]
    path = tmp_path / "bad.jsonl"
    if content is not None:
        path.write_bytes(content)
    given = command(checkpoints, tmp_path / "out", "--steps", "2")
    given[given.index("--data") + 1] = str(path)
    assert main(given) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_another_tokenizer_is_refused(
    checkpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    write_tiny_granite(other, Variant())
    write_tokenizer(other, 400)
    given = command(checkpoints, tmp_path / "out")
    given[given.index("--student") + 1] = str(other)
    assert main(given) == 2
    assert "different tokenizers" in capsys.readouterr().err


def test_a_run_of_another_recipe_and_a_folder_with_something_else_are_refused(
    checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save = loop.Run._save

    def killed(self: loop.Run, step: int) -> None:
        save(self, step)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop.Run, "_save", killed)
        assert main(command(checkpoints, tmp_path / "out", "--steps", "2")) == 130
    assert main(command(checkpoints, tmp_path / "out", "--steps", "3")) == 2
    assert "another recipe was begun here: steps, cool_down differ" in capsys.readouterr().err
    assert main(command(checkpoints, checkpoints / "teacher")) == 2
    assert "is not empty" in capsys.readouterr().err


def test_a_loss_that_is_no_number_ends_the_run_and_says_what_is_kept(
    checkpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    wild = command(checkpoints, out, "--steps", "6", "--save-every", "1")
    wild[wild.index("--learning-rate") + 1] = "1e30"
    assert main(wild) == 2
    said = capsys.readouterr().err
    assert "is no number" in said
    assert "the checkpoint of step" in said
    assert loop.checkpoints.load(out / "run") is not None
    assert not (out / "model.safetensors").exists()
