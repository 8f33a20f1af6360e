"""What an export says about how far it is, on a terminal and in a log."""

import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from exporter.progress import PlainAdvance, Progress


def test_a_log_gets_a_line_every_few_seconds_with_bytes_rate_and_time_left() -> None:
    stream = io.StringIO()
    seconds = iter(range(1000))
    advance = PlainAdvance(Progress(stream), "weights", 200_000_000, lambda: float(next(seconds)))
    for _ in range(100):
        advance(2_000_000)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "weights: 12.0 MB of 200.0 MB, 2.0 MB/s, 1 min 34 s left"
    assert lines[-1] == "weights: 200.0 MB of 200.0 MB, 2.0 MB/s, 1 min 40 s in all"
    assert 10 < len(lines) < 20


def test_a_terminal_gets_a_bar_with_bytes_rate_and_time(
    tiny_granite: Callable[..., Path], tmp_path: Path
) -> None:
    mine, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "exporter",
        "export",
        str(tiny_granite()),
        "-o",
        str(tmp_path / "out"),
    ]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        told = b""
        while chunk := _read(mine):
            told += chunk
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told.decode())
    assert re.search(r"weights .*\d kB.*/s +0:00:\d\d", text)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux says EIO when the other end is closed
        return b""
