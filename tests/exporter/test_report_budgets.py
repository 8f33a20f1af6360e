"""Budgets: 1 where one is passed, naming what is largest; 2 where a budget or a folder makes no sense."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.__main__ import main
from exporter.errors import BudgetError
from exporter.report import Budget, joined, measure_artifact, parse_budget, project_budgets

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def folder(tiny_granite: Make, artifact: Make) -> Path:
    return artifact(tiny_granite(), quantize="q4", context=512)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes a project with these lines as its budget, and goes into a folder of it."""

    def make(lines: str) -> Path:
        (tmp_path / "pyproject.toml").write_text(f"[tool.thistledown.budget]\n{lines}\n")
        (tmp_path / "models").mkdir()
        monkeypatch.chdir(tmp_path / "models")
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("budget", "named"),
    [
        ("50kB", ["a first visit downloads", "budget is 50,000", "mixer"]),
        ("first-visit=50kB", ["a first visit downloads"]),
        ("total=1kB", ["the folder has", "budget is 1,000", "kernels"]),
        ("embedding=1kB", ["embedding", "model.embed_tokens.weight values 16,384"]),
        ("engine=1kB", ["engine: a first visit downloads", "site/engine/"]),
    ],
)
def test_a_passed_budget_names_the_largest(
    folder: Path, budget: str, named: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(folder), "--budget", budget]) == 1
    captured = capsys.readouterr()
    assert all(words in captured.err for words in named), captured.err
    assert "first visit" in captured.out, "the report is printed all the same"


def test_budgets_that_are_kept_pass(folder: Path) -> None:
    given = [
        "--budget",
        "total=10MB",
        "--budget",
        "first-visit=10MB",
        "--budget",
        "mlp=1MB",
        "--budget",
        "head=1",
    ]
    assert main(["report", str(folder), *given]) == 0


def test_a_budget_that_is_kept_says_how_much_is_left(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    visit = measure_artifact(folder).first_visit
    words = f"budget kept: a first visit downloads {visit:,} of 10,000,000 bytes, {10**7 - visit:,} left"
    given = ["report", str(folder), "--budget", "10MB", "--budget", "total=1kB"]
    assert main(given) == 1, "one is passed"
    assert capsys.readouterr().out.splitlines()[-1] == words
    assert main([*given[:4], "--format", "json"]) == 0
    captured = capsys.readouterr()
    assert words in captured.err
    assert json.loads(captured.out)["first_visit"] == visit


@pytest.mark.parametrize("budget", ["30", "first-visit=999", "total= 5"])
def test_a_small_number_without_a_unit_is_not_taken_for_bytes(
    folder: Path, budget: str, capsys: pytest.CaptureFixture[str]
) -> None:
    number = budget.rpartition("=")[2].strip()
    commands = [["report", str(folder)]] + ([["export", "minilm", "-o", "none"]] if budget == "30" else [])
    for words in commands:
        with pytest.raises(SystemExit) as stop:
            main([*words, "--budget", budget])
        assert stop.value.code == 2
        assert f"write {number}MB, or {number}B if you mean bytes" in capsys.readouterr().err
    assert parse_budget(f"{budget}B").bytes == int(number)


@pytest.mark.parametrize("budget", ["weights=1MB", "=1MB", "embedding=", "embedding=many", "total=-1"])
def test_a_malformed_budget_is_refused(folder: Path, budget: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["report", str(folder), f"--budget={budget}"])
    assert stop.value.code == 2
    assert "argument --budget" in capsys.readouterr().err


def test_a_near_key_is_suggested(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report", str(folder), "--budget", "embeding=1MB"])
    assert "did you mean 'embedding'" in capsys.readouterr().err


def test_a_projects_budgets_hold(
    folder: Path, project: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    project('first-visit = "10MB"\nembedding = 1000')
    assert main(["report", str(folder)]) == 1
    assert "budget is 1,000" in capsys.readouterr().err
    assert main(["report", str(folder), "--budget", "embedding=1MB"]) == 0


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("weights = 5", "no budget for 'weights'"),
        ("total = true", "True is no size"),
        ('total = "much"', "is no size"),
        ("total = 0", "at least 1 byte"),
        ("first-visit = 30", "write 30MB"),
        ("total = [", "cannot be read"),
        ('"a b" = 5', "no budget for 'a b'"),
        (f"total = 0x{'f' * 5000}", "total: Exceeds"),
        (f"total = {'[' * 5000}", "nested too deeply"),
    ],
)
def test_a_projects_malformed_budget_is_refused(
    folder: Path, project: Callable[[str], Path], lines: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project(lines)
    assert main(["report", str(folder)]) == 2
    error = capsys.readouterr().err
    assert named in error
    assert "pyproject.toml" in error


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("[tool.thistledown]\nbudget = 5", "is no table"),
        ("[tool]\nthistledown = 5", "is no table"),
        ("[[tool.thistledown]]\nbudget = {total = 5}", "is no table"),
        ("tool = 5", "is no table"),
        ("[tool.thistledown.budgets]\ntotal = 5", "has no 'budgets'"),
    ],
)
def test_a_budget_that_would_not_be_kept_is_refused(tmp_path: Path, lines: str, named: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"{lines}\n")
    with pytest.raises(BudgetError, match=named):
        project_budgets(tmp_path)


def test_a_project_without_budgets_has_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'a'\n")
    assert list(project_budgets(tmp_path)) == []
    assert list(joined([Budget("total", 1)], [Budget("total", 2)])) == [Budget("total", 2)]


@pytest.mark.parametrize("option", [[], ["--diff"], ["--adapter"]])
def test_what_is_no_artifact_is_refused(
    folder: Path, tmp_path: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (tmp_path, tmp_path / "nowhere", Path(__file__)):
        words = [str(folder), *option, str(place)] if option else [str(place)]
        assert main(["report", *words]) == 2
        assert "manifest.json" in capsys.readouterr().err
