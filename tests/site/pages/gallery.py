"""Looks at all states of all pages in all languages, at every width and in both themes, and keeps what was seen."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.site.pages.conftest import Site
from tests.site.pages.looks import EVERY_LOOK
from tests.site.pages.states import VISITS, Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@dataclass
class Seen:
    """One state in one language."""

    state: str
    language: str
    screenshots: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Gallery:
    """Where to look from, with which axe, and the folder for what is seen."""

    browser: "Browser"
    address: str
    axe: str
    folder: Path

    def hang(
        self, languages: Collection[str], pages: Collection[str], tell: Callable[[str], None]
    ) -> Iterator[Seen]:
        """Each state of `pages`, as it is seen; `pages` are paths, none stands for all."""
        visits = [visit for visit in VISITS if not pages or visit.path in pages]
        for language in languages:
            context = self.browser.new_context(service_workers="block")
            page = context.new_page()
            page.add_init_script(self.axe)
            for visit in visits:
                tell(f"{language}: {visit.name}")
                yield from self._go_through(Site(page, self.address), visit, language)
                page.unroute_all()
            context.close()

    def _go_through(self, site: Site, visit: Visit, language: str) -> Iterator[Seen]:
        site.forget_visitor()
        EVERY_LOOK[-1].take(site.page)
        page = site.open(f"{visit.path}?lang={language}", visit.models, **visit.engine)
        for state, act in visit.states.items():
            seen = Seen(state, language)
            try:
                act(page)
                self._look(page, seen)
            except Exception as error:
                seen.faults.append(f"not reached: {error}")
            yield seen

    def _look(self, page: "Page", seen: Seen) -> None:
        for look in EVERY_LOOK:
            seen.faults += look.faults(page)
            name = f"{re.sub(r'[^a-z]+', '-', seen.state)}.{seen.language}.{look.width}.{look.scheme}.png"
            page.screenshot(path=self.folder / name, full_page=True)
            seen.screenshots.append(name)
