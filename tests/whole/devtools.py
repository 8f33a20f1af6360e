"""What a page's workers hold in memory, seen over the DevTools protocol."""

from typing import TYPE_CHECKING

from bench.download import Workers
from bench.download.workers import Event

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession


class HeapMeter:
    """The largest JavaScript heap of a page's workers, array buffers included, in bytes; call `look` often."""

    def __init__(self, session: "CDPSession") -> None:
        self.peak = 0
        self.looks = 0
        self._workers = Workers(session, (), self._note)

    def _note(self, _target: str, message: Event) -> None:
        used = message.get("result", {})
        if "usedSize" in used:
            self.looks += 1
            self.peak = max(self.peak, int(used["usedSize"] + used["backingStorageSize"]))

    def look(self) -> None:
        self._workers.tell("Runtime.getHeapUsage")
