"""The engine's sources: typed, small, and with the vendored library as it was published."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path

import brotli
import pytest

from exporter.report.site_files import visited_files
from scripts.vendor_jinja import mended

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "site" / "engine"
# As served: file by file, with comments. What only some visits need has a folder and a bound of its own.
BROTLI_BUDGET = 50_000
FOLDER_BUDGETS = {
    "adapters": 7_000,
    "choices": 5_000,
    "coding": 3_000,
    "completions": 6_000,
    "constraint": 16_000,
    "generation": 15_500,
    "state": 4_000,
    "storage": 8_500,
    "tokenizer": 21_200,
    "transfer": 8_000,
    "wasm": 10_500,
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


@pytest.mark.parametrize(
    "task", ["sentence-embedding", "text-generation", "token-classification", "fill-mask"]
)
def test_the_engine_is_small(task: str) -> None:
    """What a visit loads of it, whatever the model does."""
    loaded = [ROOT / "site" / name for name in visited_files(task) if name.startswith("engine/")]
    assert (
        sum(len(brotli.compress(path.read_bytes())) for path in loaded if path.parent == ENGINE)
        < BROTLI_BUDGET
    )


def test_each_folder_of_it_is_small() -> None:
    sizes: Counter[str] = Counter()
    for path in ENGINE.glob("*/*.js"):
        sizes[path.parent.name] += len(brotli.compress(path.read_bytes()))
    assert sizes.keys() == FOLDER_BUDGETS.keys()
    assert all(size < FOLDER_BUDGETS[folder] for folder, size in sizes.items()), sizes


def test_the_engine_knows_no_page() -> None:
    for path in ENGINE.rglob("*.js"):
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)
        assert not re.search(r"\b(document|window|localStorage|innerHTML|eval)\b", code), path.name


def test_the_engine_imports_only_itself() -> None:
    for path in ENGINE.rglob("*.js"):
        for target in re.findall(r"from '([^']+)'", path.read_text()):
            assert (path.parent / target).is_file(), f"{path.name} imports {target}"
