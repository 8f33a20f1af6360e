"""The file that a result goes to."""

import os
from pathlib import Path

from bench.errors import BenchError


def check_target(file: Path) -> None:
    """Raises BenchError where no result can be written: asked before a measurement, which takes its time."""
    place = file
    while not place.exists() and place != place.parent:
        place = place.parent
    if file.is_dir() or (place != file and not place.is_dir()) or not os.access(place, os.W_OK):
        raise _unwritable(file, "nothing can be written there")


def write(file: Path, text: str) -> None:
    """`text` as the whole content of `file`, in a folder that is made where there is none."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(file, error.strerror or str(error)) from error


def _unwritable(file: Path, reason: str) -> BenchError:
    return BenchError(f"The result cannot be written: {reason}", str(file), "Name another file.")
