"""The engine's sources: typed, small, and with the vendored library as it was published."""

import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import brotli
import pytest

from exporter.report.site_files import SITE, served, visited_files
from scripts.vendor_jinja import mended

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "site" / "engine"
BUILT = SITE / "built" / "engine"
# Bytes of brotli. What a visit loads whatever the model does, and what only some visits load.
DOOR_BUDGET = 12_500
WORKER_BUDGET = 26_500
LATER_BUDGETS = {
    "adapters": 3_000,
    "coding": 1_400,
    "completions": 2_800,
    "generation": 14_500,
    "state": 2_000,
    "tokenizer": 3_200,
    "vendor": 13_500,
    "wasm": 45_000,
}


def installed(path: str) -> Path:
    found = ROOT / "node_modules" / path
    if not found.exists():
        pytest.fail(f"node_modules/{path} is missing: run `npm ci`")
    return found


def test_types_check() -> None:
    compiler = installed(".bin/tsc")
    command = [compiler, "-p", "site/jsconfig.json", "--noEmit"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_vendored_template_engine_is_the_published_one_with_our_mends() -> None:
    package = installed("@huggingface/jinja")
    vendor = ENGINE / "vendor"
    assert (vendor / "jinja.mjs").read_text(encoding="utf-8") == mended()
    assert (vendor / "jinja.LICENSE").read_bytes() == (package / "LICENSE").read_bytes()


def test_the_lock_file_holds_exact_versions_and_no_hosts() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    lock = (ROOT / "package-lock.json").read_text()
    assert "://" not in lock
    locked = json.loads(lock)["packages"]
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version


def weight(files: Iterable[Path]) -> int:
    return sum(len(brotli.compress(path.read_bytes())) for path in files)


@pytest.mark.parametrize(
    ("task", "most"),
    [
        ("sentence-embedding", 1_400),
        ("text-generation", 5_700),
        ("token-classification", 2_700),
        ("fill-mask", 2_200),
    ],
)
def test_the_engine_is_small(task: str, most: int) -> None:
    """What a visit loads of it; `most` is for what it loads of the task's, without tokenizers."""
    loaded = {served(SITE, name) for name in visited_files(task) if name.startswith("engine/")}
    always = {BUILT / "index.js", BUILT / "worker.js"}
    assert always <= loaded
    assert weight({BUILT / "index.js"}) < DOOR_BUDGET
    assert weight({BUILT / "worker.js"}) < WORKER_BUDGET
    assert weight(path for path in loaded - always if path.parent.name != "tokenizer") < most


def test_what_is_loaded_later_is_small() -> None:
    sizes = {
        folder.name: weight(folder.rglob("*.*js")) for folder in sorted(BUILT.iterdir()) if folder.is_dir()
    }
    assert sizes.keys() == LATER_BUDGETS.keys()
    assert all(size < LATER_BUDGETS[folder] for folder, size in sizes.items()), sizes


def test_the_engine_knows_no_page() -> None:
    for path in ENGINE.rglob("*.js"):
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)
        assert not re.search(r"\b(document|window|localStorage|innerHTML|eval)\b", code), path.name


def test_the_engine_imports_only_itself() -> None:
    for path in ENGINE.rglob("*.js"):
        for target in re.findall(r"from '([^']+)'", path.read_text()):
            assert (path.parent / target).is_file(), f"{path.name} imports {target}"
