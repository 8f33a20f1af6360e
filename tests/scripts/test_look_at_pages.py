import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts import look_at_pages
from tests.site.pages.gallery import Seen


class Pictures:
    """Instead of the browser: two states, of which one has a fault in Polish."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hang(
        self, languages: Collection[str], pages: Collection[str], tell: Callable[[str], None]
    ) -> Iterator[Seen]:
        for language in languages:
            tell(f"{language}: {list(pages)}")
            yield Seen("chat", language, [f"chat.{language}.png"])
            yield Seen("bench", language, faults=["too wide"] if language == "pl" else [])


@pytest.fixture(autouse=True)
def pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def gallery(folder: Path) -> Iterator[Pictures]:
        yield Pictures(folder)

    monkeypatch.setattr(look_at_pages, "_gallery", gallery)


def test_pages_without_a_fault_leave_with_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert look_at_pages.main(["--language", "en", "--page", "chat.html", "-o", str(tmp_path / "new")]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("2 states in 1 languages, 1 screenshots in ")
    assert "en: ['chat.html']" in told.err
    kept = json.loads((tmp_path / "new" / "summary.json").read_text("utf-8"))
    assert [each["state"] for each in kept] == ["chat", "bench"]


def test_a_fault_is_named_and_leaves_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert look_at_pages.main(["-o", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "pl, bench: too wide" in told
    assert "2 states in 4 languages" in told
    assert "1 faults" in told
