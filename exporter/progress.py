"""Telling how far long work is: a bar on a terminal, plain lines elsewhere, always on stderr."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from exporter.sizes import human

_EVERY_SECONDS = 5.0


class Progress:
    """Says stages and bytes to `stream`; `quiet` says nothing."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet

    def say(self, text: str) -> None:
        """One line."""
        if not self._quiet:
            print(text, file=self._stream, flush=True)

    @contextmanager
    def bytes(self, title: str, total: int) -> Iterator["Advance"]:
        """Progress over `total` bytes; call what is yielded with each further amount."""
        if self._quiet or not self._stream.isatty():
            yield PlainAdvance(self, title, total)
        else:
            with _bar(title, total) as advance:
                yield advance


class Advance:
    """Takes notice of work that is done."""

    def __call__(self, size: int) -> None:
        """`size` more bytes are done."""


class PlainAdvance(Advance):
    """A line now and then with bytes, rate and time left, and one at the end."""

    def __init__(
        self, progress: Progress, title: str, total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._progress, self._title, self._total, self._clock = progress, title, total, clock
        self._done = 0
        self._begun = self._said = clock()

    def __call__(self, size: int) -> None:
        self._done += size
        now = self._clock()
        if self._done >= self._total:
            self._say(now, f"{_seconds(now - self._begun)} in all")
        elif now - self._said > _EVERY_SECONDS:
            left = (self._total - self._done) * (now - self._begun) / self._done
            self._say(now, f"{_seconds(left)} left")

    def _say(self, now: float, time_told: str) -> None:
        self._said = now
        rate = self._done / max(now - self._begun, 1e-3)
        done = f"{human(self._done)} of {human(self._total)}"
        self._progress.say(f"{self._title}: {done}, {human(rate)}/s, {time_told}")


def _seconds(count: float) -> str:
    minutes, seconds = divmod(round(count), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


@contextmanager
def _bar(title: str, total: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total)

        class BarAdvance(Advance):
            def __call__(self, size: int) -> None:
                bar.advance(task, size)

        yield BarAdvance()
