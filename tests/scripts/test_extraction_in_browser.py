"""Asking the extraction model in Chromium: a run that was stopped goes on, and never with another run's answers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from exporter.reduction.extraction.examples import Example, held_out_examples
from scripts import digests, extraction_in_browser
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


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """In the place of ours: with a script that lies in both trees, and one that only the built one has."""
    made = tmp_path / "site"
    for name in ("index.html", "engine/index.js", "built/engine/index.js", "built/engine/chunk.js"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text("//")
    monkeypatch.setattr(digests, "SITE", made)
    return made


@pytest.mark.parametrize("changed", ["engine/index.js", "built/engine/chunk.js", "engine/added.js"])
def test_answers_of_another_engine_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path, site: Path, changed: str
) -> None:
    kept, examples = tmp_path / "kept.jsonl", held_out_examples("en", 2)
    answering(monkeypatch, 2)
    found = all_answers(folder, examples, "webgpu", kept)
    for unserved in ("index.html", "built/engine/index.js"):
        (site / unserved).write_text("// answers nothing")
    assert all_answers(folder, examples, "webgpu", kept) == found
    (site / changed).write_text("// another")
    with pytest.raises(SystemExit, match="has the answers of another run"):
        all_answers(folder, examples, "webgpu", kept)


def test_answers_of_another_runtime_are_refused_on_the_cpu(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path, site: Path
) -> None:
    runtime, examples = tmp_path / "runtime", held_out_examples("en", 1)
    runtime.mkdir()
    monkeypatch.setattr(extraction_in_browser, "RUNTIME", runtime)
    answering(monkeypatch, 2)
    for backend in ("webgpu", "wasm"):
        all_answers(folder, examples, backend, tmp_path / backend)
    (runtime / "runtime.json").write_text("{}")
    all_answers(folder, examples, "webgpu", tmp_path / "webgpu")
    with pytest.raises(SystemExit, match="has the answers of another run"):
        all_answers(folder, examples, "wasm", tmp_path / "wasm")


def test_the_folder_of_the_output_is_made_before_the_first_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    output = tmp_path / "none" / "yet" / "chromium.json"
    answering(monkeypatch, 8)
    monkeypatch.setattr(extraction_in_browser, "compared", lambda *_: {})
    monkeypatch.setattr(extraction_in_browser, "_examples", lambda _: held_out_examples("en", 2))
    extraction_in_browser.main([str(folder), "-o", str(output)])
    assert json.loads(output.read_text(encoding="utf-8"))["backend"] == "webgpu"
    assert output.with_suffix(".answers.jsonl").is_file()


def test_an_output_that_cannot_be_written_ends_before_the_first_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    asked = answering(monkeypatch, 8)
    (tmp_path / "file").write_text("")
    for output in (tmp_path, tmp_path / "file" / "chromium.json"):
        with pytest.raises(SystemExit, match="The result cannot be written"):
            extraction_in_browser.main([str(folder), "-o", str(output)])
    assert not asked
