"""Peak memory is that of the processes which come while it is watched."""

import subprocess
import sys

from bench.peak_memory import watching_peak

# Held for ten looks of the watch, which looks every 50 ms.
HOLDS = "import time; held = bytearray(b'1') * {bytes}; time.sleep(0.5)"


def held_by(size: int) -> int:
    with watching_peak() as peak:
        subprocess.run([sys.executable, "-c", HOLDS.format(bytes=size)], check=True)
    return peak.bytes


def test_it_is_what_a_child_held_though_it_has_ended() -> None:
    little, much = held_by(1), held_by(200_000_000)
    assert 0 < little < 60_000_000
    assert 190_000_000 < much - little < 230_000_000
