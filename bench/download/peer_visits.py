"""Visits of a peer's page, measured as ours are."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import peers
from bench.download.peer_site import MODEL, NAME, PAGE, peer_application, peer_files, write_peer_model
from bench.download.visits import Visit, visit
from bench.errors import BenchError
from bench.server import running
from bench.tab import FLAGS, launched

if TYPE_CHECKING:
    from playwright.sync_api import Page

_PATIENCE_MS = 600_000
_DONE = "document.title !== 'loading'"


@dataclass(frozen=True)
class MeasuredPeer:
    """Who was measured, with whose file of the model, and the visits of a browser whose cache was empty at first."""

    name: str
    model: str
    first: Visit
    repeat: Visit

    def groups(self, visit: Visit) -> Mapping[str, int]:
        """Bytes of `visit` by what they are for; the page's own lines count as runtime."""
        found = dict.fromkeys(("weights", "tokenizer", "runtime"), 0)
        for path, size in visit.bodies.items():
            found[_group(path)] += size
        return found


def _group(path: str) -> str:
    name = path.removeprefix(MODEL)
    if name == path:
        return "runtime"
    return "tokenizer" if name.startswith("tokenizer") else "weights"


def measure_peer(source: Path, arguments: tuple[str, ...] = ()) -> MeasuredPeer:
    """Opens the peer's page twice, on the model of `source` at 8 bits. Raises BenchError where that cannot be done."""
    with tempfile.TemporaryDirectory() as folder:
        whose = write_peer_model(source, Path(folder))
        application = peer_application(peer_files(Path(folder)))
        with running(application) as address, launched((*FLAGS, *arguments)) as browser:
            context = browser.new_context(locale="en-US")
            first, repeat = (visit(context, address, PAGE, _load) for _ in range(2))
    version = peers.version(peers.PEERS[NAME].package, peers.FOLDER)
    return MeasuredPeer(f"{NAME} {version}", whose, first, repeat)


def _load(tab: "Page", address: str) -> None:
    tab.goto(address)
    tab.wait_for_function(_DONE, timeout=_PATIENCE_MS)
    if tab.title() != "ready":
        raise BenchError(f"{NAME} did not embed a sentence: {tab.title()}", address, "Try it by hand.")
