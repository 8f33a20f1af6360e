"""Loading a model: its progress, pause, going on, cancelling, and what is heard of it."""

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.site.pages.conftest import EMBEDDER, WRITER, Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

HERE = {"url": "models/minilm/", "title": "all-MiniLM-L6-v2", "usedAt": 0, "bytes": 22_700_000}
SPEED = """async (steps) => {
  const { TransferSpeed } = await import('/source/app/transfer_speed.js');
  const speed = new TransferSpeed();
  for (const step of steps) step === null ? speed.rest() : speed.note(...step);
  return [speed.recent, speed.mean];
}"""
# When the live region changed, and to what.
LISTEN = """() => {
  window.heard = [];
  new MutationObserver(() => window.heard.push([performance.now(), document.getElementById('status').textContent]))
    .observe(document.getElementById('status'), { childList: true });
}"""


def start(site: Site, path: str = "search.html", **engine: Any) -> "Page":
    page = site.open(path, [EMBEDDER, WRITER], **({"slow": 250} | engine))
    page.get_by_role("button", name=re.compile("^Load ")).click()
    return page


def steps(rate: float, seconds: float, start: tuple[float, float] = (0, 0)) -> list[list[float]]:
    """Notes of a steady download, ten a second: [bytes, ms]."""
    bytes_, ms = start
    return [[bytes_ + rate * i / 10, ms + 100 * i] for i in range(int(seconds * 10) + 1)]


@pytest.mark.parametrize("path", ["search.html", "chat.html", "generate.html"])
def test_a_download_can_be_paused_and_goes_on(site: Site, path: str) -> None:
    page = start(site, path, kept=[HERE | {"keptBytes": 8_000_000}, HERE | {"keptBytes": 9, "url": "x/"}])
    panel = page.locator("#model")
    bar = page.get_by_role("progressbar")
    expect(panel).to_contain_text(re.compile(r"[1-9][\d.]* MB of 22\.7 MB"))
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Go on")).to_be_focused()
    if path != "search.html":
        return
    expect(panel).to_contain_text("Paused")
    expect(panel).to_contain_text("8 MB are kept on this device. You can go on at any time")
    expect(page.get_by_role("status")).to_contain_text("Paused. 8 MB are kept")
    assert page.evaluate("localStorage.getItem('thistledown-speed')"), "for the next visit"
    page.wait_for_timeout(300)  # what was on its way has come
    done = bar.get_attribute("value")
    page.wait_for_timeout(600)
    assert bar.get_attribute("value") == done
    page.keyboard.press("Enter")
    expect(panel).not_to_contain_text("kept on this device")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    expect(page.get_by_text("Loaded on this device")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_second_click_of_a_double_click_meets_nothing_else(site: Site, width: int) -> None:
    site.page.set_viewport_size({"width": width, "height": 720})
    page = site.open("search.html", slow=60_000)
    page.get_by_label("Your own text").check()
    page.get_by_role("button", name="Load model").dblclick()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_label("Your own text")).to_be_checked()
    assert len(site.calls("load")) == 1


def test_a_browser_that_keeps_nothing_says_so(site: Site) -> None:
    page = start(site)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#model")).to_contain_text("Nothing of it is kept so far")


def test_a_paused_download_can_be_cancelled(site: Site) -> None:
    page = start(site)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Load model")).to_be_focused()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text("What has arrived is kept")


def test_the_rest_of_a_download_is_named_with_its_size(site: Site) -> None:
    page = site.open("search.html", inspection={"cachedBytes": 12_000_000})
    expect(page.get_by_role("button", name="Load the rest of the model (10.7 MB)")).to_be_visible()


def test_what_is_kept_whole_is_read_without_a_pause_or_a_speed(site: Site) -> None:
    page = start(site, inspection={"cachedBytes": 22_700_000}, slow=300)
    expect(page.locator("#model")).to_contain_text("Reading from this device")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    page.wait_for_timeout(1200)  # after which a download would show its speed
    expect(page.locator("#model")).not_to_contain_text("a second")


def test_speed_and_time_left_are_shown_and_the_speed_is_remembered(site: Site) -> None:
    page = start(site, slow=350)
    expect(page.locator("#model")).to_contain_text(
        re.compile(r"[\d.]+ MB of 22\.7 MB · [\d.]+ MB a second · about \d s left")
    )
    expect(page.get_by_text("Loaded on this device")).to_be_visible()
    known = "async () => (await import('/source/app/connection_speed.js')).knownSpeed()"
    assert 4e6 < page.evaluate(known) < 10e6  # 2.8 MB each 0.35 s
    page.evaluate("localStorage.setItem('thistledown-speed', '{\"bytesPerSecond\": 9, \"at\": 1}')")
    assert page.evaluate(known) is None, "of years ago"


def test_a_speed_is_that_of_late_and_pauses_do_not_count(site: Site) -> None:
    page = site.open("index.html")
    assert page.evaluate(SPEED, [[0, 0], [9e5, 500]]) == [None, None], "too early to tell"
    recent, mean = page.evaluate(SPEED, steps(2e6, 3))
    assert [recent, mean] == pytest.approx([2e6, 2e6])
    slower = steps(2e6, 10) + steps(2e5, 12, (20e6, 10_000))[1:]
    recent, mean = page.evaluate(SPEED, slower)
    assert 2e5 < recent < 4e5
    assert mean == pytest.approx(22.4e6 / 22)
    paused = [*steps(2e6, 3), None, *steps(2e6, 1, (6e6, 900_000))]
    assert page.evaluate(SPEED, paused)[1] == pytest.approx(2e6)


def test_a_screen_reader_hears_sentences_and_not_every_byte(site: Site) -> None:
    page = site.open("generate.html", slow=400)
    page.evaluate(LISTEN)
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_role("status")).to_have_text("The model is ready.")
    heard = page.evaluate("window.heard")
    times = [time for time, _ in heard]
    assert all(later - time >= 1900 for time, later in pairwise(times))
    assert re.fullmatch(r"Downloading, \d+%(, about \d s left)?", heard[1][1])


def test_long_times_are_told_in_minutes_and_hours(site: Site) -> None:
    page = site.open("index.html")
    waits = "async (all) => all.map((await import('/source/app/format.js')).formatWait)"
    assert page.evaluate(waits, [400, 89_000, 120_000, 5_000_000, 8_000_000]) == [
        "about 1 s",
        "about 89 s",
        "about 2 min",
        "about 83 min",
        "about 2 h",
    ]


def test_a_slow_page_tells_the_speed_and_a_fast_one_nothing(site: Site) -> None:
    page = site.open("index.html")
    measure = """async (files) => {
      const entries = files.map(([responseStart, responseEnd, encodedBodySize]) =>
        ({ responseStart, responseEnd, encodedBodySize, transferSize: encodedBodySize }));
      performance.getEntriesByType = () => entries;
      return (await import('/source/app/connection_speed.js')).knownSpeed();
    }"""
    assert page.evaluate(measure, [[0, 9, 90_000], [10, 40, 90_000]]) is None, "bursts"
    assert page.evaluate(measure, [[0, 200, 9000]]) is None, "too little"
    assert page.evaluate(measure, [[0, 500, 20_000], [250, 1000, 30_000], [2000, 3000, 50_000]]) == 50_000
