"""The bench page with the real engine: it measures, draws, and a link of the result shows the same to somebody else."""

import json
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.site.engine_artifacts import A, B, embedding_artifact, generation_artifact
from tests.site.pages.looks import RUN_AXE, SIDEWAYS, SMALL_TARGETS
from tests.webapp.served import running
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

ROW = {"tokens": 32, "milliseconds": {"thistledown": [10, 12, 11], "onnxruntime-web": [25, 24, 33]}}
RESULT = {
    "model": {"title": "Granite <b>350M</b>", "quantization": "q4"},
    "device": {"vendor": "acme", "architecture": "one", "description": "", "software": True},
    "workloads": [{"name": "prefill 32", **ROW}, {"name": "decode at 4", **ROW}],
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("models")
    folders = (
        embedding_artifact().write(root / "reader"),
        generation_artifact([A, B, A, B] * 32).write(root / "writer"),
    )
    with running(Settings(folders=folders)) as client:
        yield str(client.base_url.copy_with(host="localhost"))


def open_file(page: "Page", content: Any) -> None:
    data = json.dumps(content).encode()
    page.locator("#file").set_input_files({"name": "r.json", "mimeType": "application/json", "buffer": data})


@pytest.mark.parametrize("model", ["reader", "writer"])
def test_it_measures_and_its_link_shows_the_same(page: "Page", address: str, model: str) -> None:
    page.goto(f"{address}/bench/")
    page.get_by_label("Model").select_option(f"models/{model}/")
    page.get_by_label("Rounds").select_option("1")
    page.get_by_role("button", name="Measure").click()
    expect(page.locator("#note")).to_have_text("Done.", timeout=60_000)
    shown = page.locator("#drawn").inner_text()
    assert page.get_by_role("img").count() == page.locator("tbody tr").count() > 0
    page.get_by_role("button", name="Copy a link").click()
    expect(page.locator("#shared")).to_contain_text("address of this page")
    link = page.url
    assert "#r=" in link
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#result")).to_be_visible()
    assert page.locator("#drawn").inner_text() == shown


def test_a_result_of_the_command_shows_the_peers(page: "Page", address: str) -> None:
    page.goto(f"{address}/bench/")
    open_file(page, RESULT)
    expect(page.locator("#about")).to_contain_text("Granite <b>350M</b> · q4 · on acme one")
    expect(page.locator("#about")).to_contain_text("software adapter")
    expect(page.get_by_role("list", name="Engines").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("row", name="prefill 32")).to_contain_text("2.50 × (2.00 to 3.00)")


@pytest.mark.parametrize("fragment", ["#r=", "#r=AAAA", "#r=%%%", "#r=" + "A" * 70_000])
def test_a_broken_link_is_told(page: "Page", address: str, fragment: str) -> None:
    page.goto(f"{address}/bench/{fragment}")
    expect(page.locator("#note")).to_contain_text("did not work")
    expect(page.locator("#result")).to_be_hidden()


def rows(**changes: object) -> dict[str, Any]:
    return {**RESULT, "workloads": [{"name": "x", **ROW, **changes}]}


# A page of its own modules with an engine made up, whose answers are of `args` ids.
MEASURE = """async (lengths) => {
  const { measure } = await import('/source/bench/workloads.js');
  const engine = {
    model: { info: { task: 'text-generation', context: 64, vocabulary: 9 } },
    prefill: async () => 1,
    generate: async () => ({ decodeMs: 30, promptTokens: 1, ids: Array(lengths.shift() ?? 0).fill(1) }),
  };
  return measure(engine, { rounds: 2, signal: new AbortController().signal, onStep: () => {}, onRow: () => {} });
}"""


@pytest.mark.parametrize(("length", "milliseconds"), [(33, 30), (4, 320), (1, None), (0, None)])
def test_an_answer_that_ends_early_counts_for_what_it_has(
    page: "Page", address: str, length: int, milliseconds: float | None
) -> None:
    page.goto(f"{address}/bench/")
    found = page.evaluate(MEASURE, [33, length, length, length])
    decodes = [row for row in found if row["name"].startswith("decode")]
    expected = [] if milliseconds is None else [[milliseconds] * 2]
    assert [row["milliseconds"]["thistledown"] for row in decodes] == expected


def test_what_is_drawn_of_a_hostile_file_has_bounds(page: "Page", address: str) -> None:
    page.goto(f"{address}/bench/")
    many = [
        {**ROW, "name": str(i), "milliseconds": {"thistledown": [1], **{f"{i} {k}": [2] for k in range(7)}}}
        for i in range(100)
    ]
    open_file(page, {**RESULT, "workloads": many, "date": "tomorrow"})
    expect(page.locator("tbody tr")).to_have_count(64)
    assert page.locator("thead th").count() == 10
    expect(page.locator("#about")).not_to_contain_text("Invalid")


def test_a_result_that_no_link_can_carry_is_told(page: "Page", address: str) -> None:
    page.goto(f"{address}/bench/")
    noise = [math.sin(i) + 1.5 for i in range(1000)]
    row = {**ROW, "milliseconds": {"thistledown": noise}}
    open_file(page, {**RESULT, "workloads": [{"name": str(i), **row, "tokens": i + 1} for i in range(64)]})
    page.get_by_role("button", name="Copy a link").click()
    expect(page.locator("#shared")).to_contain_text("too long for a link")
    open_file(page, {**RESULT, "workloads": [{"name": str(i), **row} for i in range(6)]})
    expect(page.locator("tbody tr")).to_have_count(6)
    page.get_by_role("button", name="Copy a link").click()
    expect(page.locator("#shared")).not_to_be_empty()
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#note")).not_to_contain_text("did not work")


@pytest.mark.parametrize(
    "content",
    [
        *([], {"workloads": []}, rows(milliseconds=1), rows(tokens=1e308), rows(tokens="32")),
        *(rows(milliseconds={"thistledown": [ms]}) for ms in (5e-324, 1e308, 0, -1, "1", None)),
    ],
)
def test_a_file_that_is_no_result_is_told(page: "Page", address: str, content: Any) -> None:
    page.goto(f"{address}/bench/")
    expect(page.locator("#note")).to_contain_text("should rest")
    open_file(page, content)
    expect(page.locator("#note")).to_contain_text("no result")


def test_it_is_accessible_and_fits(page: "Page", address: str, axe: str) -> None:
    page.goto(f"{address}/bench/")
    open_file(page, RESULT)
    expect(page.locator("#result")).to_be_visible()
    page.evaluate(axe)
    for width, scheme in ((320, "light"), (320, "dark"), (1280, "dark"), (1280, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        assert page.evaluate(RUN_AXE) == [], f"at {width} px, {scheme}"
        assert page.evaluate(SIDEWAYS) == 0, f"at {width} px"
        assert page.evaluate(SMALL_TARGETS) == [], f"at {width} px"


DROP = """(text) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], 'r.json', { type: 'application/json' }));
  document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
}"""


def test_a_file_may_be_dropped_and_what_was_said_before_goes(page: "Page", address: str) -> None:
    page.goto(f"{address}/bench/")
    expect(page.locator("#note")).to_contain_text("should rest")
    page.evaluate(DROP, "{")
    expect(page.locator("#note")).to_have_text("That did not work: the file is no JSON")
    page.evaluate(DROP, json.dumps(RESULT))
    expect(page.locator("#note")).to_contain_text("opened")
    expect(page.locator("#result-title")).to_be_focused()
    assert page.title().startswith("Granite <b>350M</b>")


def test_another_result_takes_the_link_of_the_one_before_away(page: "Page", address: str) -> None:
    page.goto(f"{address}/bench/")
    open_file(page, RESULT)
    page.get_by_role("button", name="Copy a link").click()
    expect(page.locator("#shared")).not_to_be_empty()
    expect(page).to_have_url(re.compile("#r="))
    open_file(page, {**RESULT, "model": {"title": "Another", "quantization": "q8"}})
    expect(page.locator("#about")).to_contain_text("Another")
    expect(page).to_have_url(re.compile("^[^#]*$"))


def test_what_is_shown_before_the_models_are_listed_is_left_alone(page: "Page", address: str) -> None:
    listing: list[Route] = []
    page.route("**/models/catalogue.json", lambda route: listing.append(route))
    page.goto(f"{address}/bench/")
    open_file(page, RESULT)
    page.get_by_role("button", name="Copy a link").click()
    expect(page).to_have_url(re.compile("#r="))
    page.locator("#drawn").evaluate("(drawn) => { drawn.firstElementChild.id = 'first' }")
    listing[0].continue_()
    expect(page.get_by_label("Model").get_by_role("option")).to_have_count(2)
    page.wait_for_load_state("networkidle")
    expect(page.locator("#first")).to_be_visible()


def test_what_the_command_says_of_engines_is_shown(page: "Page", address: str) -> None:
    page.goto(f"{address}/bench/")
    engines = [
        {"name": "thistledown", "ok": True, "version": "", "loadMs": 2800, "peakBytes": 250e6},
        {"name": "wllama", "ok": False, "error": "it is not measured with models for <b>this</b>"},
    ]
    checks = [{"peer": "onnxruntime-web", "what": "tokens", "value": 4, "limit": 4, "agrees": False}]
    open_file(page, {**RESULT, "engines": engines, "checks": checks})
    notes = page.locator("#notes li")
    expect(notes.nth(0)).to_have_text("thistledown: loads in 2.8 s, 250 MB of memory at most")
    expect(notes.nth(1)).to_have_text("wllama: it is not measured with models for <b>this</b>")
    expect(notes.nth(2)).to_have_text("onnxruntime-web DOES NOT AGREE: tokens 4 (limit 4)")


def test_a_measurement_can_be_stopped(page: "Page", address: str) -> None:
    page.goto(f"{address}/bench/")
    page.get_by_label("Model").select_option("models/writer/")
    page.route("**/*.bin", lambda route: None)  # weights that never come
    page.get_by_role("button", name="Measure").click()
    expect(page.locator("#note")).to_contain_text("Loading")
    expect(page.locator("#progress")).to_be_visible()
    expect(page.locator("#file")).to_be_disabled()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#note")).to_have_text("Stopped.")
    expect(page.get_by_role("button", name="Measure")).to_be_enabled()
    expect(page.locator("#progress")).to_be_hidden()


def test_how_far_a_measurement_is_is_told(page: "Page", address: str) -> None:
    page.goto(f"{address}/bench/")
    page.get_by_label("Model").select_option("models/writer/")
    page.get_by_label("Rounds").select_option("5")
    page.evaluate(NOTED)
    page.get_by_role("button", name="Measure").click()
    expect(page.locator("#note")).to_have_text("Done.", timeout=60_000)
    said = page.evaluate("window.said")
    assert any("warming up" in words for words in said)
    assert any("round 5 of 5" in words for words in said)


# Everything that the note says, however short.
NOTED = """() => {
  window.said = [];
  const note = document.getElementById('note');
  new MutationObserver(() => window.said.push(note.textContent)).observe(note, { childList: true });
}"""
