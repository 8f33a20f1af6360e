"""The commands that docs/pruning.md, distillation.md and adapters.md show are run, in this order, shortened."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

PAGES = ("pruning.md", "distillation.md", "adapters.md")
# A rehearsal: what takes long is made short, and what is written goes into the test's own folder.
SHORTER = {"--steps": "2", "--count": "12", "--batch": "4"}
PROGRAMS = {"thistledown": ("-c", "import sys; from thistledown_cli import main; sys.exit(main())")}


def shown(page: str) -> list[list[str]]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [shlex.split(line[2:]) for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def rehearsed(words: list[str], folder: Path) -> list[str]:
    """The arguments for python, `build/` in `folder` and numbers small."""
    found = [*PROGRAMS.get(words[0], ()), *words[1:]]
    for at, word in enumerate(found):
        if word.startswith("build/"):
            found[at] = str(folder / word)
        elif at and found[at - 1] in SHORTER:
            found[at] = SHORTER[found[at - 1]]
    return found


@pytest.mark.timeout(600)
def test_the_documents_commands_lead_from_one_to_the_next(tmp_path: Path) -> None:
    (tmp_path / "build" / "models").mkdir(parents=True)
    commands = [words for page in PAGES for words in shown(page)]
    assert [words[1] for words in commands if words[0] == "thistledown"] == [
        *("prune", "prune", "distill", "merge-lora", "export", "export", "adapter", "serve")
    ]
    for words in commands:
        if words[1] == "serve":  # would not end; tests/webapp/test_shelf.py serves adapters
            continue
        ran = subprocess.run(
            [sys.executable, *rehearsed(words, tmp_path)], cwd=ROOT, capture_output=True, text=True
        )
        assert ran.returncode == 0, f"{shlex.join(words)}: {ran.stderr[-2000:]}"
    for made in ("half", "student", "extract-trip"):
        assert (tmp_path / "build" / made / "model.safetensors").is_file()
    for made in ("extract-trip", "extract", "trip"):
        assert (tmp_path / "build" / "models" / made / "manifest.json").is_file()
