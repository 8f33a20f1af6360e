"""README and the other documents against the tree and the commands that they describe."""

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import PurePosixPath

import pytest

from tests.architecture.tree import ROOT, files, own_files, read
from thistledown_cli import COMMANDS

ROOMS = ("exporter", "wgsl_kernels", "webapp", "site", "bench")
DOCUMENTS = [path for path in own_files(".md") if path.parts[0] in ("README.md", "CONTRIBUTING.md", "docs")]
TREE_LINE = re.compile(r"^(?P<indent> *)(?P<name>[\w.-]+)/ +(?P<purpose>\S.*)$")


def _tree_of_readme() -> dict[str, str]:
    """folder -> purpose, from the block under "The tree"; two spaces of indent are one level."""
    block = re.search(
        r"^## The tree\n.*?```\n(.*?)```", read(PurePosixPath("README.md")), re.DOTALL | re.MULTILINE
    )
    assert block, "README.md has no block under the heading 'The tree'"
    above: list[str] = []
    tree = {}
    for line in filter(None, map(TREE_LINE.match, block[1].splitlines())):
        above = [*above[: len(line["indent"]) // 2], line["name"]]
        tree["/".join(above)] = line["purpose"]
    return tree


def _folders() -> set[str]:
    """Every top-level folder, and the folders directly in the rooms."""
    parents = {path.parts[:-1] for path in files()}
    top = {parts[0] for parts in parents if parts}
    inside = {"/".join(parts[:2]) for parts in parents if len(parts) > 1 and parts[0] in ROOMS}
    return top | inside


def test_the_tree_names_every_folder_and_no_other() -> None:
    named, real = set(_tree_of_readme()), _folders()
    assert real - named == set(), "give each of these one line in README's tree"
    assert named - real == set(), "README's tree names what is not there"


def test_relative_links_lead_somewhere() -> None:
    wrong = []
    for path in [*DOCUMENTS, PurePosixPath("ARCHITECTURE.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", read(path)):
            if not (ROOT / path.parent / target).exists():
                wrong.append(f"{path}: {target}")
    assert not wrong


def _shown_commands() -> list[tuple[str, list[str]]]:
    """(place, words) of every `$ …` line in the documents' console blocks."""
    shown = []
    for path in DOCUMENTS:
        for block in re.findall(r"^```console\n(.*?)^```", read(path), re.DOTALL | re.MULTILINE):
            lines = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
            shown += [(f"{path}: {line}", shlex.split(line, comments=True)) for line in lines]
    return shown


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", read(PurePosixPath("Makefile")), re.MULTILINE))


@cache
def _help(*command: str) -> str:
    words = [sys.executable, *command, "--help"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("place", "words"), _shown_commands(), ids=lambda value: str(value)[:60])
def test_shown_commands_exist(place: str, words: list[str]) -> None:
    program = words[0].rsplit("/", 1)[-1]
    if program == "make":
        assert words[1] in _targets(), place
    elif program == "thistledown":
        _assert_known(words[1:], place)
    elif program == "python":
        assert words[1] == "-m", place
        _assert_flags_known(words[3:], place, "-m", words[2])
    else:
        assert program in {"git", "cd"}, f"{place}: unknown program, so nothing checks this line"


def _assert_known(words: list[str], place: str) -> None:
    if words[0].startswith("--"):
        return
    assert words[0] in {command.name for command in COMMANDS}, place
    _assert_flags_known(words[1:], place, "-c", "from thistledown_cli import main; main()", words[0])


def _assert_flags_known(words: list[str], place: str, *command: str) -> None:
    known = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", _help(*command)))
    flags = {word.split("=")[0] for word in words if word.startswith("-")}
    assert flags <= known, f"{place}: {command[-1]} has no {sorted(flags - known)}"


def test_every_target_and_command_is_documented() -> None:
    shown = [words for _, words in _shown_commands()]
    assert _targets() - {"help"} <= {words[1] for words in shown if words[0] == "make"}
    assert {command.name for command in COMMANDS} <= {
        words[1] for words in shown if words[0] == "thistledown"
    }
