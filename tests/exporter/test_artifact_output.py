"""The output folder: whole or absent, whatever ends the run that writes it."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exporter.artifact import atomic_folder, check_target
from exporter.errors import OutputError

OLD = {"manifest.json": b'{"format":"thistledown"}', "old.bin": b"old" * 1000}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An artifact folder that is there already."""
    folder = tmp_path / "out"
    write(folder, OLD)
    return folder


def write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def beside(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def test_a_new_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "er" / "out"
    with atomic_folder(target) as folder:
        (folder / "a").write_bytes(b"1")
        assert not target.exists()
    assert contents(target) == {"a": b"1"}
    assert beside(target) == []
    plain = tmp_path / "plain"
    plain.mkdir()
    assert target.stat().st_mode == plain.stat().st_mode


def test_replaces_an_artifact_and_nothing_of_the_old_one_stays(target: Path) -> None:
    with atomic_folder(target, overwrite=True) as folder:
        (folder / "new.bin").write_bytes(b"new")
        assert contents(target) == OLD
    assert contents(target) == {"new.bin": b"new"}
    assert beside(target) == []


class Broken(Exception):
    """Anything that can go wrong in the middle."""


def replace_and_raise(target: Path, problem: BaseException) -> None:
    with atomic_folder(target, overwrite=True) as folder:
        (folder / "new.bin").write_bytes(b"x" * 5000)
        raise problem


@pytest.mark.parametrize("kind", [Broken, KeyboardInterrupt, SystemExit, MemoryError])
def test_a_failure_leaves_the_old_folder_and_no_trace(target: Path, kind: type[BaseException]) -> None:
    with pytest.raises(kind):
        replace_and_raise(target, kind())
    assert contents(target) == OLD
    assert beside(target) == []


def test_a_full_folder_needs_overwrite(target: Path) -> None:
    with pytest.raises(OutputError, match="not empty") as caught:
        check_target(target, overwrite=False)
    assert "--overwrite" in caught.value.remedy
    check_target(target, overwrite=True)
    with pytest.raises(OutputError, match="not empty"), atomic_folder(target):
        pytest.fail("work began")


@pytest.mark.parametrize("manifest", [None, b"", b"{}", b"[]", b'{"format":"npm"}'])
def test_a_folder_that_is_no_artifact_is_never_replaced(tmp_path: Path, manifest: bytes | None) -> None:
    home = tmp_path / "home"
    write(home, {"thesis.txt": b"years of work"} | ({} if manifest is None else {"manifest.json": manifest}))
    with pytest.raises(OutputError, match="else than an artifact"), atomic_folder(home, overwrite=True):
        pytest.fail("work began")
    assert (home / "thesis.txt").read_bytes() == b"years of work"


def test_an_empty_folder_and_no_folder_are_fine_and_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    check_target(tmp_path / "none", overwrite=False)
    with atomic_folder(tmp_path / "empty") as folder:
        (folder / "a").write_bytes(b"")
    assert contents(tmp_path / "empty") == {"a": b""}
    with pytest.raises(OutputError, match="not a folder"):
        check_target(tmp_path / "file", overwrite=True)


def test_a_link_to_a_folder_stays_a_link(target: Path) -> None:
    link = target.with_name("link")
    link.symlink_to(target)
    with atomic_folder(link, overwrite=True) as folder:
        (folder / "new.bin").write_bytes(b"new")
    assert link.is_symlink()
    assert contents(target) == {"new.bin": b"new"}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file is no folder"):
        check_target(tmp_path / "file" / "not" / "yet", overwrite=False)
    with pytest.raises(OutputError, match="cannot be written"), atomic_folder(tmp_path / "file" / "out"):
        pytest.fail("work began")


def test_a_disk_known_to_be_too_small_is_told_before_any_work(target: Path) -> None:
    output = atomic_folder(target, overwrite=True, needed_bytes=10**18)
    with pytest.raises(OutputError, match=r"at least 1,000,000,000,000,000,000 bytes are needed"), output:
        pytest.fail("work began")
    assert beside(target) == []


def test_a_disk_that_fills_up_is_told_and_cleaned(target: Path) -> None:
    with pytest.raises(OutputError, match=r"disk is full: at least 5,000 bytes") as caught:
        replace_and_raise(target, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert "Free some space" in caught.value.remedy
    assert contents(target) == OLD
    assert beside(target) == []


def test_other_errors_of_the_system_keep_their_own_words(target: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_folder(target, overwrite=True):
        (target / "none").read_bytes()


@pytest.mark.parametrize("failing", [1, 2])
def test_a_rename_that_fails_leaves_the_old_folder(
    target: Path, failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    renames = 0
    rename = Path.rename

    def fail_once(path: Path, to: Path) -> Path:
        nonlocal renames
        renames += 1
        if renames == failing:
            raise PermissionError(errno.EACCES, "no")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", fail_once)
    with (
        pytest.raises(OutputError, match="cannot be written"),
        atomic_folder(target, overwrite=True) as folder,
    ):
        (folder / "new.bin").write_bytes(b"new")
    assert contents(target) == OLD
    assert beside(target) == []


def put_in_place_meanwhile(target: Path, files: dict[str, bytes], overwrite: bool) -> None:
    with atomic_folder(target, overwrite) as folder:
        (folder / "new.bin").write_bytes(b"new")
        write(target, files)


@pytest.mark.parametrize(
    ("files", "overwrite"), [({"thesis.txt": b"x"}, False), (OLD, False), ({"a": b""}, True)]
)
def test_what_appears_while_an_export_runs_stays(
    tmp_path: Path, files: dict[str, bytes], overwrite: bool
) -> None:
    with pytest.raises(OutputError, match=r"not empty|else than an artifact"):
        put_in_place_meanwhile(tmp_path / "race", files, overwrite)
    assert contents(tmp_path / "race") == files
    assert beside(tmp_path / "race") == []


def test_an_empty_folder_or_with_overwrite_an_artifact_may_appear_while_an_export_runs(
    tmp_path: Path,
) -> None:
    for name, files in (("empty", {}), ("artifact", OLD)):
        put_in_place_meanwhile(tmp_path / name, files, overwrite=name == "artifact")
        assert contents(tmp_path / name) == {"new.bin": b"new"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_appears_at_the_last_moment_stays(
    tmp_path: Path, overwrite: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last check of the target, in front of the rename."""
    target, rename = tmp_path / "race", Path.rename

    def appear_first(path: Path, to: Path) -> Path:
        if not target.exists():
            write(target, {"thesis.txt": b"x"})
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", appear_first)
    with pytest.raises(OutputError, match="it was left as it is"), atomic_folder(target, overwrite) as folder:
        (folder / "new.bin").write_bytes(b"new")
    assert contents(target) == {"thesis.txt": b"x"}
    assert beside(target) == []


def test_an_artifact_that_turns_into_something_else_at_the_last_moment_stays(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def change_first(path: Path, to: Path) -> Path:
        if path == target:
            (target / "manifest.json").write_bytes(b"{}")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", change_first)
    with pytest.raises(OutputError, match="else than an artifact"), atomic_folder(target, overwrite=True):
        pass
    assert contents(target) == OLD | {"manifest.json": b"{}"}
    assert beside(target) == []


def test_of_two_exports_to_one_new_folder_one_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(OutputError, match="not empty"), atomic_folder(target), atomic_folder(target) as early:
        (early / "early.bin").write_bytes(b"")
    assert contents(target) == {"early.bin": b""}
    assert beside(target) == []


def test_leftovers_of_dead_runs_are_cleared_and_those_of_live_ones_are_not(target: Path) -> None:
    with atomic_folder(target, overwrite=True) as live:
        write(target.with_name(".out.partial-dead"), {"half": b""})
        write(target.with_name(".other.partial-dead"), {"half": b""})
        with atomic_folder(target, overwrite=True) as second:
            assert live.exists()
            assert beside(target) == sorted([".other.partial-dead", live.name, second.name])


def test_names_with_pattern_marks_are_taken_literally(tmp_path: Path) -> None:
    write(tmp_path / ".a.partial-dead", {})
    with atomic_folder(tmp_path / "[a]*"):
        pass
    assert beside(tmp_path / "[a]*") == [".a.partial-dead"]


def test_a_folder_moved_aside_by_a_killed_run_comes_back(target: Path) -> None:
    target.rename(target.with_name(".out.replaced-dead"))
    write(target.with_name(".out.partial-dead"), {"half": b""})
    with pytest.raises(OutputError, match="not empty"), atomic_folder(target):
        pytest.fail("work began")
    assert contents(target) == OLD
    assert beside(target) == []


EXPORT = """
import sys, time
from pathlib import Path
import numpy as np
from exporter.artifact import ShardWriter, atomic_folder

def export(target):
    with atomic_folder(target, overwrite=True) as folder, ShardWriter(folder, 4096) as writer:
        for i in range(12):
            writer.add(1500, [np.full(1500, i, np.uint8)])
            pause()
        shards = writer.close()
        pause()
        (folder / "manifest.json").write_bytes(b'{"format":"thistledown"}' + b" " * len(shards))
"""
SLOWLY = """
def pause():
    time.sleep(0.005)  # stretches the export, so that kills fall inside it

print("ready", flush=True)
export(Path(sys.argv[1]))
"""
# Every call of the file system that Python reports is a point to die at; a forked child dies at the n-th.
AT_EVERY_CALL = """
import os, signal
from itertools import count

def pause():
    pass

def die_at(n):
    calls = count(1)
    def hook(event, args):
        if event == "open" or event.startswith(("os.", "shutil.")):
            if next(calls) == n:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

for n in count(1):
    child = os.fork()
    if child == 0:
        die_at(n)
        export(Path(sys.argv[1]))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    print(n, status, flush=True)
    if input() != "next" or status == 0:
        break
"""


@pytest.fixture
def new_contents(tmp_path: Path) -> dict[str, bytes]:
    """What the export script writes."""
    target = tmp_path / "reference"
    subprocess.run([sys.executable, "-c", EXPORT + SLOWLY, str(target)], check=True, capture_output=True)
    return contents(target)


def restored(target: Path) -> dict[str, bytes]:
    """The contents of `target` after the next run has cleared up, which must leave nothing beside it."""
    if target.exists() and contents(target) not in (OLD, {}):
        assert "manifest.json" in contents(target)
    with pytest.raises(OutputError), atomic_folder(target):
        pytest.fail("work began")
    assert [name for name in beside(target) if name != "reference"] == []
    return contents(target)


def put_old_back(target: Path) -> None:
    for path in target.iterdir():
        path.unlink()
    target.rmdir()
    write(target, OLD)


def test_killed_at_any_time_either_the_old_or_the_new_folder_is_whole(
    target: Path, new_contents: dict[str, bytes]
) -> None:
    seeded = random.Random(5)
    for _ in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", EXPORT + SLOWLY, str(target)], stdout=subprocess.PIPE
        )
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(seeded.uniform(0, 0.12))  # the moment of the kill
            process.send_signal(signal.SIGKILL)
        assert restored(target) in (OLD, new_contents)
        put_old_back(target)


@pytest.fixture
def dying_exports(target: Path) -> Iterator[Callable[[], int]]:
    """Each call runs an export that is killed one call of the file system later; gives its exit status."""
    command = [sys.executable, "-c", EXPORT + AT_EVERY_CALL, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        replies, asks = process.stdout, process.stdin
        first = True

        def run() -> int:
            nonlocal first
            if not first:
                asks.write("next\n")
                asks.flush()
            first = False
            return int(replies.readline().split()[1])

        yield run
        asks.write("stop\n")


def test_killed_at_every_call_either_the_old_or_the_new_folder_is_whole(
    target: Path, new_contents: dict[str, bytes], dying_exports: Callable[[], int]
) -> None:
    outcomes = []
    while dying_exports() != 0:
        found = restored(target)
        assert found in (OLD, new_contents)
        outcomes.append(found == OLD)
        put_old_back(target)
    assert len(outcomes) > 30
    assert outcomes == sorted(outcomes, reverse=True)
    assert not outcomes[-1]
    assert contents(target) == new_contents
