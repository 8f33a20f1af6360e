"""Fixtures of the engine's tests: a server that can misbehave, and a blank page that has the engine."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.site.engine_server import EngineServer, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"

# Errors come back as values: a test says which code it wants, and an error without one fails it.
CALL = """async ([body, args]) => {
  const engine = await import('/engine/index.js');
  const run = new (Object.getPrototypeOf(async function () {}).constructor)('engine', 'args', body);
  try {
    return { value: await run(engine, args) };
  } catch (error) {
    const typed = error instanceof engine.errors.EngineError;
    return { error: { typed, name: error.name, code: error.code, message: error.message, fields: error.fields } };
  }
}"""


class EnginePage:
    """A page that runs bodies of async functions, which see `engine` (its door) and `args`."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.uncaught: list[str] = []
        page.on("pageerror", self.note_error)
        page.on("console", self.note_console)

    def note_error(self, error: object) -> None:
        self.uncaught.append(str(error))

    def note_console(self, message: "ConsoleMessage") -> None:
        """A worker's uncaught errors are only ever seen on the console."""
        if "Uncaught" in message.text:
            self.uncaught.append(message.text)

    def leave(self) -> None:
        self.page.goto("about:blank")
        self.page.remove_listener("pageerror", self.note_error)
        self.page.remove_listener("console", self.note_console)

    def outcome(self, body: str, **args: object) -> dict[str, Any]:
        outcome: dict[str, Any] = self.page.evaluate(CALL, [body, args])
        return outcome

    def run(self, body: str, **args: object) -> Any:
        """The value of `body`; an error fails the test."""
        outcome = self.outcome(body, **args)
        assert "error" not in outcome, outcome["error"]
        return outcome.get("value")

    def fails(self, body: str, **args: object) -> dict[str, Any]:
        """The typed error of `body`."""
        outcome = self.outcome(body, **args)
        assert "error" in outcome, f"no error, but {outcome.get('value')}"
        assert outcome["error"]["typed"], outcome["error"]
        error: dict[str, Any] = outcome["error"]
        return error


@pytest.fixture
def engine_server() -> Iterator[EngineServer]:
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def engine_tab(browser: "Browser") -> Iterator["Page"]:
    """One tab for all tests of the engine: each test has an origin of its own, and so no one's leavings."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def engine_page(engine_tab: "Page", engine_server: EngineServer) -> Iterator[EnginePage]:
    page = EnginePage(engine_tab)
    engine_tab.goto(engine_server.origin)
    yield page
    page.leave()
    assert page.uncaught == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe, for `page.evaluate`."""
    if not AXE.is_file():
        pytest.fail("axe-core is missing: run `npm ci`")
    return AXE.read_text("utf-8")
