"""Folders that many tests read, made once a run, however many processes share its tests."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_DONE = ".made"


class Shelf:
    """Read what it gives, do not write to it: other tests, and other processes, have the same folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @classmethod
    def of_this_run(cls, factory: pytest.TempPathFactory, name: str) -> "Shelf":
        """Each process of a run has a base folder of its own, in one that is the run's."""
        base = factory.getbasetemp()
        return cls((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made-once" / name)

    def folder(self, name: str, key: object, make: Callable[[Path], object]) -> Path:
        """The folder that `make` writes for `key`, whose text must say all that it depends on.

        Whoever comes while another process makes it waits; what a failed or killed `make` left is made anew.
        """
        place = self._root / tag_of(key)
        made = place / name
        place.mkdir(parents=True, exist_ok=True)
        with _alone(place / "lock"):
            if not (place / _DONE).exists():
                shutil.rmtree(made, ignore_errors=True)
                make(made)
                (place / _DONE).touch()
        return made


def tag_of(key: object) -> str:
    """A short name for `key`, the same in every process."""
    return hashlib.sha256(repr(key).encode()).hexdigest()[:12]


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
