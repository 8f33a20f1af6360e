"""Bytes that came over the network to a page and its workers, by address."""

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from bench.download.workers import Event, Workers

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession

Request = tuple[str, str]


class Wire:
    """`bodies` and `headers` are bytes as they travelled, compressed where the server compressed them.

    What comes out of the browser's cache has none; a 304 has headers only. Of a request that was given up, what had
    come counts: whoever has read all that it asked for gives up a body whose end the browser has not seen yet.
    """

    def __init__(self, session: "CDPSession") -> None:
        self._responses: dict[Request, tuple[str, int]] = {}
        self._received: Counter[Request] = Counter()
        self.bodies: Counter[str] = Counter()
        self.headers: Counter[str] = Counter()
        self._notes = {
            "Network.responseReceived": self._note_response,
            "Network.dataReceived": self._note_data,
            "Network.loadingFinished": self._note_end,
            "Network.loadingFailed": self._note_failure,
        }
        for method, note in self._notes.items():
            session.on(method, partial(note, ""))
        session.send("Network.enable")
        Workers(session, ("Network.enable",), self._note_message)

    def _note_message(self, target: str, message: Event) -> None:
        if note := self._notes.get(message.get("method", "")):
            note(target, message["params"])

    def _note_response(self, target: str, event: Event) -> None:
        response = event["response"]
        self._responses[target, event["requestId"]] = (response["url"], round(response["encodedDataLength"]))

    def _note_data(self, target: str, event: Event) -> None:
        self._received[target, event["requestId"]] += event["dataLength"]

    def _note_failure(self, target: str, event: Event) -> None:
        address, headers = self._responses.get((target, event["requestId"]), ("", 0))
        if received := self._received[target, event["requestId"]]:
            self.headers[address] += headers
            self.bodies[address] += received

    def _note_end(self, target: str, event: Event) -> None:
        address, headers = self._responses.get((target, event["requestId"]), ("", 0))
        whole = round(event["encodedDataLength"])
        if whole:
            self.headers[address] += headers
            self.bodies[address] += whole - headers

    @property
    def total(self) -> int:
        """All of it, with headers."""
        return self.bodies.total() + self.headers.total()

    @property
    def weights(self) -> int:
        """Bytes of weights, with headers."""
        return sum(
            size
            for sizes in (self.bodies, self.headers)
            for address, size in sizes.items()
            if address.endswith(".bin")
        )
