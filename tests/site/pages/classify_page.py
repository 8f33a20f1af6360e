"""What tests do on the Classify page."""

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PAYMENT = "A payment was charged twice; please send the invoice."


def load_model(page: "Page") -> None:
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_text("Loaded on this device")).to_be_visible()


def given(page: "Page") -> "Locator":
    return page.locator("#given")


def rows(page: "Page") -> "Locator":
    return page.locator("#rows tr")


def column(page: "Page", place: int) -> list[str]:
    return page.locator(f"#rows td:nth-child({place})").all_inner_texts()


def own_labels(page: "Page", **labels: str) -> None:
    """Labels instead of those that are there, each with its examples, one a line."""
    page.get_by_role("button", name="Remove all").click()
    for name, examples in labels.items():
        page.get_by_role("button", name="Add a label").click()
        page.keyboard.type(name)
        page.get_by_label("Examples of it").last.fill(examples)


def bring_lines(page: "Page", *lines: str) -> None:
    page.get_by_label("Many texts").check()
    page.get_by_label("One text a line").fill("\n".join(lines))


def choose(page: "Page", field: str, name: str, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    file = {"name": name, "mimeType": "text/plain", "buffer": data}
    page.locator(field).set_input_files([file])  # type: ignore[list-item]


def saved(page: "Page", button: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_text("utf-8")
