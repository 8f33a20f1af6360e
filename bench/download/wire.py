"""Bytes that came over the network to a page and its workers, by address."""

from collections import Counter
from typing import TYPE_CHECKING

from bench.download.workers import Event, Workers

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession

Request = tuple[str, str]


class Wire:
    """`bodies` and `headers` are bytes as they travelled, compressed where the server compressed them.

    What comes out of the browser's cache has none; a 304 has headers only.
    """

    def __init__(self, session: "CDPSession") -> None:
        self._responses: dict[Request, tuple[str, int]] = {}
        self.bodies: Counter[str] = Counter()
        self.headers: Counter[str] = Counter()
        session.on("Network.responseReceived", lambda event: self._note_response("", event))
        session.on("Network.loadingFinished", lambda event: self._note_end("", event))
        session.send("Network.enable")
        Workers(session, ("Network.enable",), self._note_message)

    def _note_message(self, target: str, message: Event) -> None:
        notes = {"Network.responseReceived": self._note_response, "Network.loadingFinished": self._note_end}
        if note := notes.get(message.get("method", "")):
            note(target, message["params"])

    def _note_response(self, target: str, event: Event) -> None:
        response = event["response"]
        self._responses[target, event["requestId"]] = (response["url"], round(response["encodedDataLength"]))

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
