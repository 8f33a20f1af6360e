"""The dedicated workers of a page, seen over the DevTools protocol."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession

Event = dict[str, Any]


class Workers:
    """Each worker waits at its start until it has been told `first_commands`; `on_message` hears of all it answers."""

    def __init__(
        self, session: "CDPSession", first_commands: tuple[str, ...], on_message: Callable[[str, Event], None]
    ) -> None:
        self._session = session
        self._first_commands = (*first_commands, "Runtime.runIfWaitingForDebugger")
        self._on_message = on_message
        self._targets: list[str] = []
        self._sent = 0
        session.on("Target.attachedToTarget", self._greet)
        session.on("Target.detachedFromTarget", lambda event: self._targets.remove(event["sessionId"]))
        session.on("Target.receivedMessageFromTarget", self._pass_on)
        attach = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": False}
        session.send("Target.setAutoAttach", attach)

    def _greet(self, event: Event) -> None:
        self._targets.append(event["sessionId"])
        for method in self._first_commands:
            self._send(event["sessionId"], method)

    def _send(self, target: str, method: str) -> None:
        self._sent += 1
        message = json.dumps({"id": self._sent, "method": method})
        self._session.send("Target.sendMessageToTarget", {"sessionId": target, "message": message})

    def _pass_on(self, event: Event) -> None:
        self._on_message(event["sessionId"], json.loads(event["message"]))

    def tell(self, method: str) -> None:
        """Send a command without parameters to every worker."""
        for target in self._targets:
            self._send(target, method)
