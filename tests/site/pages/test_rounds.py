"""How soon a page can be used over Fast 4G: 8.1 Mbit/s, and 165 ms for each round of requests.

Time is computed, not measured: rounds in which a page asks for what it needs, and bytes. So the answer is the same on
every machine. Six requests go side by side, as over HTTP/1.1, and what is asked for after an answer waits for all that
were asked for before it, which browsers do not; the processor's time is left out.
"""

import time
from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING

import pytest

from tests.site.engine_artifacts import END, A, B, embedding_artifact, generation_artifact
from tests.webapp.served import running
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

CONNECTIONS = 6
ROUND_MS = 165
BYTES_PER_MS = 8.1e6 / 8 / 1000
LOAD = "main button.load:enabled"
IDLE = "() => new Promise((resolve) => requestIdleCallback(resolve, { timeout: 250 }))"
SEEN = """(selector) => document.querySelector(selector)?.checkVisibility({ visibilityProperty: true }) === true"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("models")
    folders = (
        embedding_artifact().write(root / "reader"),
        generation_artifact([A, B, A, END]).write(root / "writer"),
    )
    with running(Settings(folders=folders)) as client:
        yield str(client.base_url.copy_with(host="localhost"))


def can_be_used(page: "Page", control: str, held: list["Route"]) -> bool:
    """Whether it can, once the page has asked for all that it can without another answer."""
    deadline = time.monotonic() + 30
    calm, usable = 0, False
    while calm < 3:
        asked = len(held)
        page.evaluate(IDLE)
        usable = usable or page.evaluate(SEEN, control)
        calm = calm + 1 if len(held) == asked and (held or usable) else 0
        assert time.monotonic() < deadline, f"{page.url} waits for no answer, and {control} cannot be used"
    return usable


def answer(held: list["Route"]) -> int:
    """Answers all requests that wait; the bytes of the answers."""
    wave, held[:] = held[:], []
    for route in wave:
        route.continue_()
    for route in wave:
        response = route.request.response()
        assert response is not None
        response.finished()
    return sum(route.request.sizes()["responseBodySize"] for route in wave)


def rounds_until(page: "Page", url: str, control: str) -> tuple[int, int, int]:
    """How many answers wait for others, how many for a connection, too, and bytes, before `control` can be used."""
    held: list[Route] = []

    def hold(route: "Route") -> None:
        if route.request.is_navigation_request():
            route.continue_()
        else:
            held.append(route)

    page.route("**/*", hold)
    page.goto(url, wait_until="commit")
    chain, rounds, transferred = 1, 1, 0
    while not can_be_used(page, control, held):
        chain, rounds = chain + 1, rounds + ceil(len(held) / CONNECTIONS)
        transferred += answer(held)
    return chain, rounds, transferred


@pytest.mark.parametrize(
    ("path", "control", "most"),
    [
        ("index.html", "#models article a", 3),
        ("search.html", LOAD, 4),
        ("chat.html", LOAD, 4),
        ("generate.html", LOAD, 4),
        ("classify.html", LOAD, 4),
    ],
)
def test_a_page_can_be_used_within_a_second_over_fast_4g(
    page: "Page", address: str, path: str, control: str, most: int
) -> None:
    chain, rounds, transferred = rounds_until(page, f"{address}/{path}?lang=uk", control)
    assert chain <= most, transferred
    assert rounds * ROUND_MS + transferred / BYTES_PER_MS < 1000
    page.unroute_all(behavior="ignoreErrors")
