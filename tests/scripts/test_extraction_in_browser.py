"""Asking the extraction model in Chromium: a run that was stopped goes on, and never with another run's answers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from exporter.reduction.extraction.examples import Example, held_out_examples
from scripts import extraction_in_browser
from scripts.extraction_in_browser import all_answers


class Stopped(Exception):
    pass


@pytest.fixture
def examples() -> list[Example]:
    return held_out_examples("en", 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "artifact"
    made.mkdir()
    (made / "manifest.json").write_text("{}", encoding="utf-8")
    return made


def answering(monkeypatch: pytest.MonkeyPatch, most: int) -> list[str]:
    """Instead of Chromium: it answers with the length of what is asked, and stops after `most` answers."""
    asked: list[str] = []

    def answers(_: str, __: str, ___: str, texts: list[str]) -> Iterator[Mapping[str, Any]]:
        for text in texts:
            if len(asked) == most:
                raise Stopped
            asked.append(text)
            yield {"ids": [len(text)], "seconds": 0.5}

    monkeypatch.setattr(extraction_in_browser, "_asked", answers)
    monkeypatch.setattr(extraction_in_browser, "serving", lambda _: nullcontext(""))
    return asked


def test_a_run_that_was_stopped_asks_only_what_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path, examples: list[Example]
) -> None:
    kept = tmp_path / "kept.jsonl"
    answering(monkeypatch, 3)
    with pytest.raises(Stopped):
        all_answers(folder, examples, "webgpu", kept)
    asked = answering(monkeypatch, 4)
    found = all_answers(folder, examples, "webgpu", kept)
    assert len(asked) == 1
    assert len(found) == 4
    answering(monkeypatch, 0)
    assert all_answers(folder, examples, "webgpu", kept) == found
    assert len(json.loads(kept.read_text(encoding="utf-8").splitlines()[0])["messages"]) == 4


def test_answers_of_another_run_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path, examples: list[Example]
) -> None:
    kept = tmp_path / "kept.jsonl"
    answering(monkeypatch, 4)
    all_answers(folder, examples, "webgpu", kept)
    for backend, asked in (("wasm", examples), ("webgpu", examples[:3])):
        with pytest.raises(SystemExit, match="has the answers of another run"):
            all_answers(folder, asked, backend, kept)
    (folder / "manifest.json").write_text('{"other": 1}', encoding="utf-8")
    with pytest.raises(SystemExit, match="has the answers of another run"):
        all_answers(folder, examples, "webgpu", kept)
