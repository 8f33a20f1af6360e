"""What visitors fetch is what the sources say: site/built, written anew, is the same to the byte."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from exporter.report.site_files import CPU_ASSESSMENT, CPU_WORKER, ON_DEMAND, SITE, TOKENIZER_CODE, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "build_site.mjs"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def build(site: Path) -> "subprocess.CompletedProcess[str]":
    if not (ROOT / "node_modules" / "rollup").exists():
        pytest.fail("node_modules/rollup is missing: run `make setup`")
    return subprocess.run(["node", SCRIPT, site], capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SITE, tmp_path / "site", ignore=shutil.ignore_patterns("built")))


def test_the_built_site_is_that_of_the_sources(copy: Path) -> None:
    done = build(copy)
    assert done.returncode == 0, done.stderr
    assert contents(copy / "built") == contents(SITE / "built"), "run `make site`"


def test_a_script_that_cannot_be_read_leaves_the_last_build(copy: Path) -> None:
    shutil.copytree(SITE / "built", copy / "built")
    (copy / "app" / "about.js").write_text("const = 3;")
    done = build(copy)
    assert done.returncode != 0
    assert "about.js" in done.stderr
    assert contents(copy / "built") == contents(SITE / "built")


def test_what_the_report_leaves_out_or_counts_by_name_is_there() -> None:
    of_tokenizers = (name for code in TOKENIZER_CODE.values() for name in code)
    names = {*ON_DEMAND, CPU_ASSESSMENT, CPU_WORKER, *of_tokenizers} - {"engine/generation/looking.js"}
    names.add("engine/wasm/generation/looking.js")
    assert [name for name in names if not served(SITE, name).is_file()] == []


def test_errors_keep_their_names() -> None:
    named = re.findall(r"class (\w+Error) extends", (SITE / "engine" / "errors.js").read_text("utf-8"))
    door = served(SITE, "engine/index.js").read_text("utf-8")
    assert len(named) > 10
    assert [name for name in named if f'name="{name}"' not in door] == []


@pytest.mark.browser
def test_a_browser_reads_built_styles_as_those_that_were_written(page: "Page") -> None:
    names = [path.relative_to(SITE / "built").as_posix() for path in (SITE / "built").rglob("*.css")]
    assert "style.css" in names
    read = """(css) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      return [...sheet.cssRules].map(({ cssText }) => cssText.replaceAll(', ', ','));
    }"""
    for name in names:
        built, written = [
            page.evaluate(read, path.read_text("utf-8")) for path in (served(SITE, name), SITE / name)
        ]
        assert built == written, name
