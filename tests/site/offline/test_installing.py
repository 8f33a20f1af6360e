"""The site as an app of its own: what Chromium asks of one, its icons, and the colour of its window's frame."""

import json
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scripts.make_icons import ICONS, icons
from scripts.make_pages import SITE, manifest
from tests.site.offline.conftest import wait_until_kept
from tests.site.offline.served_site import ServedSite

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

APPLIES = ".filter(({ media }) => matchMedia(media).matches).map(({ content }) => content)"


@pytest.mark.browser
@pytest.mark.parametrize("path", ["", "bench/"])
def test_chromium_would_install_it(served: ServedSite, visitor: "BrowserContext", path: str) -> None:
    page = visitor.new_page()
    page.goto(f"{served.address}/{path}")
    wait_until_kept(page)
    tools = visitor.new_cdp_session(page)
    read = tools.send("Page.getAppManifest")
    assert read["url"] == f"{served.address}/manifest.webmanifest"
    assert read["errors"] == []
    stated = read["manifest"]
    assert stated["startUrl"] == stated["scope"] == f"{served.address}/"
    assert len(stated["icons"]) == 4
    # A private window installs nothing; there is nothing else to object to.
    objections = tools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {objection["errorId"] for objection in objections} <= {"in-incognito"}


@pytest.mark.browser
def test_the_frame_of_the_window_follows_the_theme(served: ServedSite, visitor: "BrowserContext") -> None:
    page = visitor.new_page()
    page.goto(served.address)
    frames = f"[...document.querySelectorAll('meta[name=theme-color]')]{APPLIES}"
    for system in ("light", "dark"):
        page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
        for label, chosen in (("Light", "light"), ("Dark", "dark"), ("Like the system", system)):
            page.locator(".settings summary").click()
            page.get_by_label(label).check()
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
            [frame] = page.evaluate(frames)
            red, green, blue = bytes.fromhex(frame[1:])
            assert paper == f"rgb({red}, {green}, {blue})", chosen
            page.get_by_role("heading", level=1).click()


def test_the_manifest_is_fresh() -> None:
    assert (SITE / "manifest.webmanifest").read_text("utf-8") == manifest(), (
        "run `python -m scripts.make_pages`"
    )


def pixels(png: bytes) -> tuple[bytes, list[bytes]]:
    """(the row bytes, the other chunks): compressed bytes may differ between versions of zlib."""
    chunks, at = {}, 8
    while at < len(png):
        [length] = struct.unpack(">I", png[at : at + 4])
        chunks[png[at + 4 : at + 8]] = png[at + 8 : at + 8 + length]
        at += 12 + length
    return zlib.decompress(chunks.pop(b"IDAT")), list(chunks.values())


def test_the_icons_are_the_drawing_and_light() -> None:
    made = icons()
    assert {path.name for path in ICONS.iterdir()} == set(made)
    for name, data in made.items():
        kept = (ICONS / name).read_bytes()
        assert pixels(kept) == pixels(data), "run `python -m scripts.make_icons`"
        assert len(kept) < 5_000


def test_every_icon_has_the_size_that_is_stated() -> None:
    for icon in json.loads(manifest())["icons"]:
        if icon["type"] == "image/png":
            width, height = struct.unpack(">II", (SITE / icon["src"]).read_bytes()[16:24])
            assert icon["sizes"] == f"{width}x{height}"


def test_a_round_mask_cuts_nothing_off() -> None:
    """Launchers may show only the inner four fifths, as a circle."""
    rows, _ = pixels((ICONS / "maskable.png").read_bytes())
    size = 512
    levels = np.frombuffer(rows, np.uint8).reshape(size, size // 2 + 1)[:, 1:]
    shades = np.stack([levels >> 4, levels & 15], axis=2).reshape(size, size)
    y, x = np.nonzero(shades)
    assert len(x) > size
    assert np.hypot(x - size / 2, y - size / 2).max() < 0.4 * size
