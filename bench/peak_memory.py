"""What a browser's processes hold at most, which is what an engine costs a visitor beside the download."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

INTERVAL = 0.05


@dataclass
class Peak:
    """`bytes` of resident memory above what there was at first; final when the watch has ended."""

    bytes: int = 0


@contextmanager
def watching_peak() -> Iterator[Peak]:
    """Watches the processes below this one, the browser's, with its GPU process.

    Of a GPU's own memory nothing is seen; an adapter made of software keeps its buffers here.
    """
    peak, done = Peak(), threading.Event()
    before = _resident()

    def watch() -> None:
        while not done.wait(INTERVAL):
            peak.bytes = max(peak.bytes, _resident() - before)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def _resident() -> int:
    """Bytes of all processes below this one; one that ends meanwhile has none."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total
