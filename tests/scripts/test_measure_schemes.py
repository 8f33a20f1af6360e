"""The table of every scheme in docs/download-size.md: whole, true in itself, and made by one command."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from exporter.alternatives import parse_schemes
from scripts import digests, measure_schemes
from scripts.reduction_table import BEGIN, END

GROUPS = [
    {"name": "weights", "expected": 900, "received": 900, "repeated": 0},
    {"name": "engine and page", "expected": 80, "received": 80, "repeated": 0},
]
ROW = re.compile(r"^\| `([^`]+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    save_file({"w": np.zeros(2, np.float32)}, folder / "model.safetensors")
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    for name in ("index.html", "engine/index.js", "built/engine/index.js"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("//")
    return folder


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """In the place of docs/download-size.md, with a table of both models."""
    file = tmp_path / "page.md"
    file.write_text(f"# Top\n{BEGIN}\n| minilm | old |\n| 1 |\n\n| extract | old |\n| 2 |\n{END}\nbottom\n")
    monkeypatch.setattr(measure_schemes, "PAGE", file)
    return file


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, site: Path) -> SimpleNamespace:
    """Stands in for exports and browsers; `code` is what a measurement ends with, those of `codes` first."""
    state = SimpleNamespace(code=0, codes=[], asked=[])

    def measure(words: list[str]) -> int:
        state.asked.append(words)
        code: int = state.codes.pop(0) if state.codes else state.code
        if code < 2:
            Path(words[words.index("--measured") + 1]).write_text(json.dumps({"groups": GROUPS}))
        return code

    monkeypatch.setattr(measure_schemes, "SOURCES", dict.fromkeys(("minilm", "extract"), str(checkpoint)))
    monkeypatch.setattr(digests, "SITE", site)
    found = SimpleNamespace(attribution=SimpleNamespace(folder_bytes=2000))
    monkeypatch.setattr(measure_schemes, "export", lambda *_: None)
    monkeypatch.setattr(measure_schemes, "analyse", lambda _: found)
    monkeypatch.setattr(measure_schemes.measured_report, "main", measure)
    return state


def test_each_scheme_is_measured_once_and_kept(
    measuring: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(tmp_path), "--model", "minilm", "--scheme", "q4", "--scheme", "q4 coded"]
    for _ in range(2):
        assert measure_schemes.main(words) == 0
        assert "| `q4 coded` | 2,000 | 980 | 980 | 900 | 0 |" in capsys.readouterr().out
    assert len(measuring.asked) == 2


def test_a_scheme_whose_bytes_differ_is_measured_again(measuring: SimpleNamespace, tmp_path: Path) -> None:
    measuring.code = 1
    assert measure_schemes.main([str(tmp_path), "--model", "extract", "--scheme", "q4"]) == 1
    measuring.code = 0
    assert measure_schemes.main([str(tmp_path), "--model", "extract", "--scheme", "q4"]) == 0
    assert len(measuring.asked) == 2


@pytest.mark.parametrize(
    "changed",
    [
        "checkpoint/config.json",
        "checkpoint/tokenizer.json",
        "checkpoint/model.safetensors",
        "site/index.html",
        "site/built/engine/index.js",
    ],
)
def test_what_was_measured_of_something_else_is_measured_again(
    measuring: SimpleNamespace, tmp_path: Path, changed: str
) -> None:
    words = [str(tmp_path / "kept"), "--model", "extract", "--scheme", "q4"]
    assert measure_schemes.main(words) == 0
    if changed.endswith(".safetensors"):
        save_file({"w": np.ones(2, np.float32)}, tmp_path / changed)
    else:
        (tmp_path / changed).write_text('{"other": 1}')
    for _ in range(2):
        assert measure_schemes.main(words) == 0
    assert len(measuring.asked) == 2


def test_what_no_visitor_fetches_changes_no_row(measuring: SimpleNamespace, tmp_path: Path) -> None:
    words = [str(tmp_path / "kept"), "--model", "extract", "--scheme", "q4"]
    assert measure_schemes.main(words) == 0
    (tmp_path / "site/engine/index.js").write_text("// the built one is served")
    (tmp_path / "checkpoint/scores.json").write_text("{}")
    assert measure_schemes.main(words) == 0
    assert len(measuring.asked) == 1


@pytest.mark.parametrize("damaged", ["", "{", "[]", "{}", '{"scheme": "q4", "kept": true}', "\udcff"])
def test_a_damaged_row_is_measured_again(measuring: SimpleNamespace, tmp_path: Path, damaged: str) -> None:
    words = [str(tmp_path / "kept"), "--model", "extract", "--scheme", "q4"]
    assert measure_schemes.main(words) == 0
    (kept,) = (tmp_path / "kept").iterdir()
    whole = kept.read_text()
    kept.write_bytes(damaged.encode(errors="surrogateescape"))
    assert measure_schemes.main(words) == 0
    assert len(measuring.asked) == 2
    assert kept.read_text() == whole


def test_a_row_is_kept_whole_or_not_at_all(
    measuring: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        measure_schemes.main([str(tmp_path / "kept"), "--model", "extract", "--scheme", "q4"])
    assert not list((tmp_path / "kept").glob("*.json"))


def test_without_an_answer_it_says_so_and_goes_on_from_there(
    measuring: SimpleNamespace, tmp_path: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, measuring.codes = page.read_text(), [0, 2]
    words = [str(tmp_path / "kept"), "--model", "extract", "--write"]
    assert measure_schemes.main(words) == 2
    told = capsys.readouterr().err
    assert "extract f32 coded" in told
    assert "give the same command again" in told
    assert page.read_text() == before
    assert measure_schemes.main(words) == 0
    assert len(measuring.asked) == len(measure_schemes.names()) + 1


def test_only_the_table_that_was_measured_is_written(
    measuring: SimpleNamespace, tmp_path: Path, page: Path
) -> None:
    assert measure_schemes.main([str(tmp_path / "kept"), "--model", "extract", "--write"]) == 0
    written = page.read_text()
    assert written.startswith(
        f"# Top\n{BEGIN}\n| minilm | old |\n| 1 |\n\n| extract | folder, all explained |"
    )
    assert written.endswith(f"| `hybrid coded` | 2,000 | 980 | 980 | 900 | 0 |\n{END}\nbottom\n")
    assert "| 2 |" not in written


def test_a_table_with_a_row_that_failed_is_not_written(
    measuring: SimpleNamespace, tmp_path: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measuring.codes = [0, 1]
    assert measure_schemes.main([str(tmp_path / "kept"), "--write"]) == 1
    assert "the table of minilm stays: bytes of f32 coded were not" in capsys.readouterr().err
    assert "| minilm | old |\n| 1 |\n\n| extract | folder" in page.read_text()


def test_some_schemes_alone_are_not_written(
    measuring: SimpleNamespace, tmp_path: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = page.read_text()
    with pytest.raises(SystemExit):
        measure_schemes.main([str(tmp_path / "kept"), "--scheme", "q4", "--write"])
    assert "leave out --scheme" in capsys.readouterr().err
    assert page.read_text() == before
    assert not measuring.asked


def test_the_published_page_has_the_form_that_is_written() -> None:
    published = measure_schemes.PAGE.read_text(encoding="utf-8")
    assert measure_schemes.rewritten(published, {}) == published


def test_all_that_export_offers_is_measured() -> None:
    names = measure_schemes.names()
    assert list(parse_schemes(", ".join(names))) == names
    assert {"f32", "q4", "q4 coded", "q2z", "e3.5", "hybrid coded"} <= set(names)
    assert "e4 coded" not in names, "they are coded anyway"


def _tables() -> dict[str, list[list[Any]]]:
    """Rows of the published tables, by model."""
    page = measure_schemes.PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    tables: dict[str, list[list[Any]]] = {}
    for line in page.splitlines():
        if found := re.match(r"\| (\w+) \| folder", line):
            rows = tables.setdefault(found[1], [])
        elif row := ROW.match(line):
            name, *sizes = row.groups()
            rows.append([name, *(int(size.replace(",", "")) for size in sizes)])
    return tables


def test_the_published_table_is_whole_and_every_byte_was_foretold() -> None:
    tables = _tables()
    assert tables.keys() == measure_schemes.SOURCES.keys()
    assert [name for name, *_ in tables["minilm"]] == measure_schemes.names()
    assert [name for name, *_ in tables["extract"]] == measure_schemes.names()
    for rows in tables.values():
        for _, folder, foretold, received, model, repeated in rows:
            assert foretold == received
            assert repeated == 0
            assert model < received < folder + 100_000
