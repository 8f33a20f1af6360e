"""Output that is whole or absent: written beside the target, then swapped in by renaming.

Beside the target `name` there can be `.name.partial-*`, being written by a live process (which holds a lock on it)
or left by a dead one, and for an instant `.name.replaced-*`, the former folder. A later run removes or restores them.
"""

import errno
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError
from ..strict_json import JsonProblem, parse_object
from .folder_lock import FolderLock
from .manifest import FORMAT
from .manifest_parsing import MANIFEST_LIMIT

_FULL = (errno.ENOSPC, errno.EDQUOT)
# What renaming a folder onto something else than an empty folder ends with.
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
_PARTIAL, _REPLACED = "partial", "replaced"


def check_target(target: Path, overwrite: bool) -> None:
    """Raises OutputError if `target` may not be made or replaced; call it before any work.

    What is replaced must be an artifact, so that a mistyped name loses nothing.
    """
    if not os.path.lexists(target):
        _require_place(target)
        return
    if not target.is_dir():
        raise OutputError("The output is not a folder", str(target), "Give another --output.")
    if not any(target.iterdir()):
        return
    if not overwrite:
        raise OutputError("The output folder is not empty", str(target), "Give another, or say --overwrite.")
    if not _is_artifact(target):
        remedy = "Give another folder, or delete it yourself."
        raise OutputError("The output folder holds something else than an artifact", str(target), remedy)


def _require_place(target: Path) -> None:
    """Raises OutputError where what stands above `target` is no folder, or may not be written to."""
    above = next(path for path in target.absolute().parents if os.path.lexists(path))
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        what = "may not be written to" if above.is_dir() else "is no folder"
        raise OutputError(
            f"The output cannot be written: {above} {what}", str(target), "Give another --output."
        )


@contextmanager
def atomic_folder(target: Path, overwrite: bool = False, needed_bytes: int = 0) -> Iterator[Path]:
    """Yields a new folder beside `target` to write into; it becomes `target`, or is removed if anything fails.

    At any instant `target` is the former folder, the new one, or (between two renames) absent with the former one
    whole beside it, which the next run restores. `needed_bytes`, if known, is compared with the free space first.
    Raises OutputError if the target is unfit, then or at the end, or cannot be written, or if the disk is full.
    """
    target = target.resolve()
    lock = _prepare(target, overwrite, needed_bytes)
    try:
        yield lock.folder
        _finish(lock.folder, target, overwrite)
    except OSError as problem:
        if problem.errno not in _FULL:
            raise
        raise _disk_full(target, max(needed_bytes, _bytes_below(lock.folder))) from None
    finally:
        shutil.rmtree(lock.folder, ignore_errors=True)
        lock.release()


def _prepare(target: Path, overwrite: bool, needed_bytes: int) -> FolderLock:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _recover(target)
        check_target(target, overwrite)
        if needed_bytes > shutil.disk_usage(target.parent).free:
            raise _disk_full(target, needed_bytes)
        return _make_partial(target)
    except OSError as problem:
        raise _not_writable(problem, target) from None


def _finish(partial: Path, target: Path, overwrite: bool) -> None:
    try:
        flush(partial)
        _swap(partial, target, overwrite)
    except OSError as problem:
        if problem.errno in _FULL:
            raise
        if problem.errno in _TAKEN:
            raise _taken(target) from None
        raise _not_writable(problem, target) from None


def _recover(target: Path) -> None:
    """Clears what killed runs left beside `target`, and restores a folder that one had moved aside."""
    for partial in _beside(target, _PARTIAL):
        if lock := FolderLock.take(partial):
            _restore(_with_kind(partial, target, _REPLACED), target)
            shutil.rmtree(partial, ignore_errors=True)
            lock.release()
    for replaced in _beside(target, _REPLACED):
        if not _with_kind(replaced, target, _PARTIAL).exists():
            _restore(replaced, target)


def _restore(replaced: Path, target: Path) -> None:
    if os.path.lexists(target):
        shutil.rmtree(replaced, ignore_errors=True)
    elif replaced.exists():
        replaced.rename(target)


def _beside(target: Path, kind: str) -> list[Path]:
    return sorted(target.parent.glob(glob.escape(f".{target.name}.{kind}-") + "*"))


def _with_kind(path: Path, target: Path, kind: str) -> Path:
    """The neighbour of `path`, a partial or replaced folder of the same run, of the other kind."""
    return path.with_name(f".{target.name}.{kind}-{path.name.rpartition('-')[2]}")


def _is_artifact(folder: Path) -> bool:
    try:
        with (folder / "manifest.json").open("rb") as file:
            return parse_object(file.read(MANIFEST_LIMIT + 1), MANIFEST_LIMIT).get("format") == FORMAT
    except (OSError, JsonProblem):
        return False


def _make_partial(target: Path) -> FolderLock:
    while True:
        partial = target.with_name(f".{target.name}.{_PARTIAL}-{secrets.token_hex(8)}")
        partial.mkdir()
        lock = FolderLock.take(partial)
        # A run that clears leftovers may have taken the folder before it was locked.
        if lock and partial.exists():
            return lock


def flush(folder: Path) -> None:
    """Returns when the disk holds all that is in `folder`."""
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _swap(partial: Path, target: Path, overwrite: bool) -> None:
    """The target may have changed since the work began, so it is checked again, and once more when moved aside."""
    check_target(target, overwrite)
    replaced = _with_kind(partial, target, _REPLACED)
    if overwrite and os.path.lexists(target):
        target.rename(replaced)
    try:
        check_target(replaced, overwrite)
        partial.rename(target)
    finally:
        _restore(replaced, target)


def _disk_full(target: Path, needed_bytes: int) -> OutputError:
    free = shutil.disk_usage(target.parent).free
    what = f"The disk is full: at least {needed_bytes:,} bytes are needed, {free:,} are free"
    return OutputError(what, str(target), "Free some space, or give a folder on another disk.")


def _taken(target: Path) -> OutputError:
    what = "Something else was put there while this ran; it was left as it is"
    return OutputError(what, str(target), "Give another --output.")


def _not_writable(problem: OSError, target: Path) -> OutputError:
    what = f"The output cannot be written: {problem.strerror}"
    return OutputError(what, str(target), "Check the rights of the folder it is in.")


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
