import json
from pathlib import Path

import pytest

from bench import BenchError
from bench.peers import FOLDER, PEERS, chosen, fetch, runtime_bytes


def test_a_peer_that_does_not_do_the_task_is_named_with_the_reason() -> None:
    fit, unfit = chosen(["transformers.js", "wllama"], "sentence-embedding")
    assert [peer.name for peer in fit] == ["transformers.js"]
    assert "sentence-embedding" in unfit["wllama"]


def test_an_unknown_peer_is_bad_input() -> None:
    with pytest.raises(BenchError, match="onnxruntime-web"):
        chosen(["onnxruntim"], "text-generation")


def test_versions_are_pinned_and_the_lock_names_no_host() -> None:
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    assert set(wanted) == {peer.package for peer in PEERS.values()}
    assert all(version[0].isdigit() for version in wanted.values())
    assert "://" not in (FOLDER / "package-lock.json").read_text()


def test_without_npm_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package.json").write_text("{}")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "npm is not installed" in str(fetch(tmp_path))


def test_what_npm_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package.json").write_text("{}")
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho the registry is away >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "the registry is away" in str(fetch(tmp_path))


def test_npm_is_never_let_loose_on_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, others = tmp_path / "mine", tmp_path / "others"
    for folder in (mine, others):
        folder.mkdir()
    (mine / "package.json").write_text("{}")
    (mine / "node_modules").symlink_to(others)
    (others / "kept.js").write_text("")
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\n/bin/rm node_modules/*\n/bin/touch node_modules/.package-lock.json\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "is a link" in str(fetch(mine))
    assert (others / "kept.js").exists()


def test_runtime_is_counted_once_and_as_it_travels(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_bytes(b"x" * 1000)
    found = runtime_bytes(tmp_path / name for name in ("a.js", "a.js", "absent.js"))
    assert (found["files"], found["raw"]) == (1, 1000)
    assert found["gzip"] < 100
