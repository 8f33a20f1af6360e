from pathlib import Path

import pytest

from scripts import programs
from scripts.programs import SetupError, find_chromium, find_vulkan_driver, provide_chromium


def _program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it: the folder that is its PATH."""
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PLAYWRIGHT_BROWSERS_PATH", raising=False)
    monkeypatch.setattr("bench.chromium.APPLICATIONS", ())
    return tmp_path / "bin"


def test_a_bare_machine_has_no_chromium(bare: Path) -> None:
    assert find_chromium() is None


def test_the_program_on_path_is_found_in_order(bare: Path) -> None:
    _program(bare, "google-chrome")
    chromium = _program(bare, "chromium")
    assert find_chromium() == chromium


def test_the_environment_has_the_first_word(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(bare, "chromium")
    mine = _program(tmp_path / "mine", "chrome")
    monkeypatch.setenv("CHROMIUM", str(mine))
    assert find_chromium() == mine


def test_a_wrong_environment_variable_is_not_overridden(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(bare, "chromium")
    monkeypatch.setenv("CHROMIUM", "/no/such/program")
    with pytest.raises(SetupError, match="CHROMIUM"):
        provide_chromium(Path("python"))


def test_the_newest_browser_of_playwright_is_found(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for build in ("chromium-1100", "chromium-1200"):
        _program(tmp_path / build / "chrome-linux", "chrome")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    assert find_chromium() == tmp_path / "chromium-1200" / "chrome-linux" / "chrome"


def test_the_software_driver_is_told_from_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "radeon_icd.json").touch()
    monkeypatch.setattr(programs, "VULKAN_DRIVER_FOLDERS", (str(tmp_path),))
    assert find_vulkan_driver() is None
    (tmp_path / "lvp_icd.aarch64.json").touch()
    assert find_vulkan_driver() == tmp_path / "lvp_icd.aarch64.json"
