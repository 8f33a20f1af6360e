import json
from collections import Counter
from pathlib import Path

import pytest

from scripts import fault_run
from tests.site.faults.findings import Findings


def _found(*violations: str) -> dict[str, Findings]:
    measured = {"bit flips": {"count": 4, "caught": 4}, "hashing, s/GiB": 2.3}
    codes = Counter({"none": 2, "ABORTED": 1})
    part = Findings(3, {"disk: quota"}, Counter(single=3), codes, list(violations), measured, 1.5)
    return {"in memory": part}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Instead of the browsers: says with what the run was asked for, and has found one violation in a short one."""
    asked: list[bool] = []

    async def run_all(chromium: Path, *, short: bool, tell: object) -> dict[str, Findings]:
        asked.append(short)
        return _found(*(["single, opfs: stuck"] if short else []))

    monkeypatch.setattr(fault_run, "run_all", run_all)
    monkeypatch.setattr(fault_run, "find_chromium", lambda: Path("chromium"))
    return asked


def test_a_sound_run_says_so_and_leaves_with_zero(
    run: list[bool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fault_run.main(["-o", str(tmp_path / "new" / "faults.json")]) == 0
    text = capsys.readouterr().out
    assert "in memory: 3 cases of 1 kinds of fault in 2 s, 0 violations" in text
    assert "codes: none 2, ABORTED 1" in text
    assert "bit flips count 4 caught 4, hashing, s/GiB 2.3" in text
    told = json.loads((tmp_path / "new" / "faults.json").read_text())
    assert told["in memory"]["cases"] == 3
    assert run == [False]


def test_a_violation_is_named_and_leaves_with_one(
    run: list[bool], capsys: pytest.CaptureFixture[str]
) -> None:
    assert fault_run.main(["--short", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["in memory"]["violations"] == ["single, opfs: stuck"]
    assert fault_run.main(["--short"]) == 1
    assert "VIOLATION single, opfs: stuck" in capsys.readouterr().out
    assert run == [True, True]


def test_without_a_browser_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_run, "find_chromium", lambda: None)
    with pytest.raises(SystemExit, match="make setup"):
        fault_run.main([])


def test_progress_is_told_now_and_then_and_a_violation_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    clock = iter([100, 100, 101, 102, 107, 107])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    tell = fault_run.now_and_then(lines.append)
    for line in ("first", "too soon", "VIOLATION of all", "later"):
        tell(line)
    assert lines == ["first\n", "VIOLATION of all\n", "later\n"]
