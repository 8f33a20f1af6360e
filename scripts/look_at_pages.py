"""Look at every state of every page: three widths, both themes, all languages.

    python -m scripts.look_at_pages
    python -m scripts.look_at_pages --language uk --page chat.html

Screenshots go to build/screens/, with a summary in summary.json. Exits with 1 where axe finds something, a page scrolls
sideways, a target is too small, or a state is not reached. All of it takes about ten minutes.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from scripts.make_pages import LANGUAGES, PAGES
from scripts.programs import find_chromium
from tests.conftest import CHROMIUM_FLAGS
from tests.site.conftest import AXE
from tests.site.pages.gallery import Gallery, Seen
from tests.webapp.served import running
from webapp import Settings

FOLDER = Path("build/screens")


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    options.output.mkdir(parents=True, exist_ok=True)
    with _gallery(options.output) as gallery:
        seen = list(gallery.hang(options.language or LANGUAGES, options.page, _tell))
    text = json.dumps([asdict(each) for each in seen], ensure_ascii=False, indent=1)
    (options.output / "summary.json").write_text(text + "\n", "utf-8")
    print("\n".join(summary(seen, options.output)))
    return int(not seen or any(each.faults for each in seen))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--language", action="append", choices=LANGUAGES, help="only this one; may be repeated"
    )
    pages = [page.path for page in PAGES]
    parser.add_argument(
        "--page", action="append", default=[], choices=pages, help="only this one; may be repeated"
    )
    parser.add_argument("-o", "--output", type=Path, default=FOLDER, help="where the screenshots go")
    return parser


@contextmanager
def _gallery(folder: Path) -> Iterator[Gallery]:
    from playwright.sync_api import sync_playwright

    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium found: run `make setup`, or set CHROMIUM to the program's path")
    if not AXE.is_file():
        sys.exit(f"{AXE} is missing: run `npm ci`")
    with running(Settings()) as client, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        address = str(client.base_url.copy_with(host="localhost"))
        yield Gallery(browser, address, AXE.read_text("utf-8"), folder)
        browser.close()


def summary(seen: Sequence[Seen], folder: Path) -> list[str]:
    """What there is to say of the whole, and every fault."""
    lines = [f"{each.language}, {each.state}: {fault}" for each in seen for fault in each.faults]
    states = len({each.state for each in seen})
    screenshots = sum(len(each.screenshots) for each in seen)
    languages = len({each.language for each in seen})
    whole = f"{states} states in {languages} languages, {screenshots} screenshots in {folder}: {len(lines)} faults"
    return [*lines, whole]


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
