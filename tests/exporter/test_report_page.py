"""The report's page: small, offline, usable by keyboard, accessible in light and dark, its numbers as tables."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from exporter.report import Alternative, Analysis, WhatIf, analyse, render
from exporter.report.attribution import Piece
from exporter.report.forms.tile_tree import Node, tile_tree
from tests.architecture.tree import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

Make = Callable[..., Path]
LARGEST = 200_000
SCHEMES = WhatIf(
    distance="KL",
    texts=44,
    tokens=2000,
    checkpoint_bytes=None,
    checkpoint_values=None,
    alternatives=[
        Alternative("e4", True, 200_000, 90_000, {"base": 700_000}, 0.08),
        Alternative("q4", False, 400_000, 112_000, {"base": 500_000}, 0.1),
        Alternative("q8", False, 520_000, 220_000, {"base": 700_000}, 0.0004),
        Alternative("f16", False, 740_000, 440_000, {"base": 900_000}, 0.0),
    ],
)
RUN_AXE = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => html + failureSummary).join('; ')}`)"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def found(tiny_granite: Make, artifact: Make) -> Analysis:
    folders = [artifact(tiny_granite(), quantize=scheme, context=512) for scheme in ("q8", "q4")]
    return analyse(folders[1], previous=folders[0], what_if=SCHEMES)


@pytest.fixture
def opened(found: Analysis, page: "Page", tmp_path: Path) -> "Page":
    """The page of `found`, opened without a network; it fails on any request but that for itself."""
    (tmp_path / "report.html").write_text(render(found, "html"), encoding="utf-8")
    page.context.set_offline(True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.locator("#stage button").first).to_be_visible()
    assert asked == [(tmp_path / "report.html").as_uri()]
    return page


def _leaves(node: Node) -> list[Node]:
    if isinstance(node[2], list):
        return [leaf for child in node[2] for leaf in _leaves(child)]
    return [node]


def test_the_treemap_has_every_byte(found: Analysis) -> None:
    pieces = found.attribution.pieces
    leaves = _leaves(tile_tree(pieces))
    assert sum(leaf[2] for leaf in leaves) == sum(piece.bytes for piece in pieces)
    assert sum(leaf[3] for leaf in leaves) == found.report.first_visit


def test_the_page_allows_nothing_from_elsewhere(found: Analysis) -> None:
    tags: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append((tag, dict(attrs)))  # type: ignore[method-assign]
    parser.feed(render(found, "html"))
    assert not {"link", "img", "iframe"} & {tag for tag, _ in tags}
    assert not {"src", "style", "onclick"} & {name for _, attributes in tags for name in attributes}
    policy = next(a["content"] for tag, a in tags if tag == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_hostile_names_stay_text(found: Analysis) -> None:
    name = "</script><script>alert(1)</script><b>"
    pieces = [replace(piece, name=name) for piece in found.attribution.pieces]
    attribution = replace(found.attribution, pieces=pieces)
    weights = [replace(found.weights[0], name=name)]
    schemes = replace(SCHEMES, alternatives=[replace(SCHEMES.alternatives[0], name=name)])
    told = render(replace(found, attribution=attribution, weights=weights, what_if=schemes), "html")
    assert "<script>alert" not in told
    assert "&lt;script&gt;alert" in told


def test_a_page_of_a_large_model_is_small(found: Analysis) -> None:
    """120 layers of 14 weights with long names, in two parts each."""
    names = [
        f"model.layers.{i}.a_rather_long_name_of_a_module.projection_{j}"
        for i in range(120)
        for j in range(14)
    ]
    pieces = [
        Piece("a.bin", "mlp", name, part, int(name.split(".")[2]), "q4", "u8", 12_345_678, 12_345_678)
        for name in names
        for part in ("values", "scales")
    ]
    weights = [replace(found.weights[0], name=name) for name in names]
    large = replace(found, attribution=replace(found.attribution, pieces=pieces), weights=weights)
    told = render(large, "html")
    assert len(told.encode()) < LARGEST
    assert "1280 smaller ones are in the JSON form" in told


def test_other_schemes_are_drawn_and_told(found: Analysis) -> None:
    """Of the four e4, q8 and f16 are beaten by none, so a line goes over them; q4 is this one."""
    told = render(found, "html")
    drawn = ElementTree.fromstring(told[told.index('<svg class="chart"') :].partition("</svg>")[0] + "</svg>")
    titles = {circle.attrib["class"]: circle[0].text for circle in drawn.iter("circle")}
    assert titles["own"] == f"q4: {found.report.first_visit:,} bytes, 0.1"
    assert [c.attrib["class"] for c in drawn.iter("circle")].count("best") == 3
    assert [line.attrib["class"] for line in drawn.iter("line")].count("front") == 4
    places = [float(circle.attrib[at].rstrip("%")) for circle in drawn.iter("circle") for at in ("cx", "cy")]
    assert all(0 <= place <= 100 for place in places)
    for each in SCHEMES.alternatives:
        assert f"{each.memory['base']:,}</td>" in told
    assert {text.text for text in drawn.iter("text")} >= {"e4", "q4", "q8", "f16"}


@pytest.mark.browser
def test_the_page_is_accessible(opened: "Page") -> None:
    opened.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8"))
    for width, scheme in ((320, "light"), (390, "dark"), (1280, "light"), (1280, "dark")):
        opened.set_viewport_size({"width": width, "height": 900})
        opened.emulate_media(color_scheme=scheme)
        assert opened.evaluate(RUN_AXE) == [], f"at {width} px, {scheme}"
        assert opened.evaluate(SIDEWAYS) == 0, f"at {width} px"


@pytest.mark.browser
def test_the_treemap_is_zoomed_with_keys(opened: "Page") -> None:
    tiles, crumbs = opened.locator("#stage button"), opened.locator("#crumbs")
    weights = opened.get_by_role("button", name="weights")
    assert opened.locator('#stage button[tabindex="0"]').count() == 1
    weights.focus()
    opened.keyboard.press("Enter")
    expect(crumbs.get_by_role("listitem")).to_have_text(["everything", "weights"])
    expect(opened.get_by_role("button", name="outside layers")).to_be_visible()
    expect(opened.locator("#stage button:focus")).to_have_count(1)
    opened.keyboard.press("End")
    assert opened.locator("#stage button:focus").get_attribute("aria-label") == tiles.last.get_attribute(
        "aria-label"
    )
    opened.keyboard.press("Home")
    opened.keyboard.press("Enter")
    expect(crumbs.get_by_role("listitem")).to_have_count(3)
    expect(opened.get_by_role("status")).to_contain_text("bytes in")
    opened.keyboard.press("Backspace")
    opened.keyboard.press("Escape")
    expect(crumbs.get_by_role("listitem")).to_have_text(["everything"])
    expect(weights).to_be_focused()
    opened.keyboard.press("Escape")
    expect(crumbs.get_by_role("listitem")).to_have_text(["everything"])


@pytest.mark.browser
def test_arrows_move_to_the_tile_that_lies_there(opened: "Page") -> None:
    opened.get_by_role("button", name="weights").click()
    focused = opened.locator("#stage button:focus")
    place = "tile => tile.getBoundingClientRect().x"
    before = focused.evaluate(place)
    opened.keyboard.press("ArrowRight")
    assert focused.evaluate(place) > before
    opened.keyboard.press("ArrowLeft")
    assert focused.evaluate(place) == before
    assert opened.locator('#stage button[tabindex="0"]').count() == 1


@pytest.mark.browser
def test_crumbs_and_choices_change_what_is_shown(opened: "Page") -> None:
    opened.get_by_role("button", name="weights").click()
    opened.locator("#crumbs").get_by_role("button", name="everything").click()
    expect(opened.get_by_role("button", name="not fetched")).to_have_count(0)
    opened.get_by_role("radio", name="All files").check()
    expect(opened.get_by_role("button", name="not fetched")).to_be_visible()


@pytest.mark.browser
def test_tables_sort_by_number_and_by_word(opened: "Page") -> None:
    heading = opened.locator("#roles th", has_text="first visit")
    heading.get_by_role("button").click()
    column = "rows => rows.map((row) => Number(row.cells[1].textContent.replaceAll(',', '')))"
    numbers = opened.locator("#roles tbody tr").evaluate_all(column)
    assert numbers == sorted(numbers, reverse=True)
    expect(heading).to_have_attribute("aria-sort", "descending")
    opened.locator("#roles th", has_text="role").get_by_role("button").click()
    names = opened.locator("#roles tbody th").all_text_contents()
    assert names == sorted(names)


@pytest.mark.browser
def test_without_scripts_the_tables_say_it_all(found: Analysis, page: "Page", tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(render(found, "html"), encoding="utf-8")
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    try:
        plain = context.new_page()
        plain.goto((tmp_path / "report.html").as_uri())
        told = plain.locator("main").inner_text()
        assert f"{found.report.first_visit:,} bytes" in told
        assert "Where the bytes are" not in told
        document = json.loads(render(found, "json"))
        for share in document["attribution"]["by_role"]:
            assert f"{share['bytes']:,}" in told, share
    finally:
        context.close()
