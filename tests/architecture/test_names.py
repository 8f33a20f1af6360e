"""Nothing in the tree depends on one machine or one registry."""

import re
import subprocess

import pytest

from tests.architecture.tree import ROOT, files, read

BINARY = {".bin", ".onnx", ".png", ".safetensors", ".gz", ".br", ".woff2", ".ico", ".wasm"}

# Every pattern is written so that it does not match itself.
MACHINE_PATHS = {
    "a home folder": re.compile(r"(?<![\w.])/(?:home|Users)/[a-z][\w.-]*/|(?<![\w.*])/root/\w"),
    "a workplace": re.compile(r"(?<![\w.])/wor[k]/\w|(?<![\w.])/op[t]/(?:wheels|pypi)"),
    "a temporary folder": re.compile(r"(?<![\w.$}])/tm[p]/[\w.-]+"),
}
REGISTRIES = re.compile(
    r"\b(?:py[p]i\.org|pythonhoste[d]\.org|registry\.np[m]js\.org|registry\.yar[n]pkg\.com|"
    r"download\.pytorc[h]\.org|de[b]\.debian\.org|archive\.ubunt[u]\.com|unpk[g]\.com|"
    r"jsdeliv[r]\.net|esm\.s[h]|cdnj[s]\.cloudflare\.com)",
    re.IGNORECASE,
)


def _texts() -> list[tuple[str, str]]:
    return [(str(path), read(path)) for path in files() if path.suffix not in BINARY]


def test_no_link_is_part_of_the_tree() -> None:
    """A link leads to a place of one machine, and a checkout puts it over whatever has its name there."""
    listed = subprocess.run(
        ["git", "ls-files", "--stage"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert [line for line in listed.splitlines() if line.startswith("120000")] == []


@pytest.mark.parametrize("kind", MACHINE_PATHS)
def test_no_path_of_one_machine(kind: str) -> None:
    wrong = [f"{path}: {match[0]}" for path, text in _texts() for match in MACHINE_PATHS[kind].finditer(text)]
    assert not wrong, f"{kind} means nothing elsewhere: {wrong}"


def test_no_registry_is_named() -> None:
    wrong = [f"{path}: {match[0]}" for path, text in _texts() for match in REGISTRIES.finditer(text)]
    assert not wrong, f"packages come from wherever the machine's own pip and npm look: {wrong}"
