"""The table of every scheme in docs/download-size.md: whole, true in itself, and made by one command."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exporter.alternatives import parse_schemes
from scripts import measure_schemes
from scripts.reduction_table import BEGIN, END

GROUPS = [
    {"name": "weights", "expected": 900, "received": 900, "repeated": 0},
    {"name": "engine and page", "expected": 80, "received": 80, "repeated": 0},
]
ROW = re.compile(r"^\| `([^`]+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$")


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Stands in for exports and browsers; `code` is what a measurement ends with."""
    state = SimpleNamespace(code=0, asked=[])

    def measure(words: list[str]) -> int:
        state.asked.append(words)
        Path(words[words.index("--measured") + 1]).write_text(json.dumps({"groups": GROUPS}))
        return state.code

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
