"""What is looked at on a page as it is drawn: axe's rules, sideways scrolling, the size of targets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUN_AXE = """async (rules) => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'], ...(rules && { runOnly: rules }) });
  const told = ({ html, failureSummary }) => html + failureSummary;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(told).join('; ')}`);
}"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, select, textarea, summary')]
    .filter((target) => target.checkVisibility() && !target.matches('.visually-hidden, .skip'))
    .map((target) => ({ target, box: (target.closest('label.choice') ?? target).getBoundingClientRect() }))
    .filter(({ box }) => box.width < 24 || box.height < 24)
    .map(({ target, box }) => `${target.outerHTML} ${box.width}x${box.height}`)"""
# What another theme at the same width can break: all else that axe knows stays as it was.
OF_COLOURS = ("color-contrast", "link-in-text-block")


@dataclass(frozen=True)
class Look:
    """A way to see a page. `only_colours` where the same width was looked at in the other theme."""

    width: int
    scheme: Literal["light", "dark"]
    only_colours: bool = False

    def take(self, page: "Page") -> None:
        page.set_viewport_size({"width": self.width, "height": 800})
        page.emulate_media(color_scheme=self.scheme, reduced_motion="reduce")

    def faults(self, page: "Page") -> list[str]:
        """What is wrong with the page, which has axe's script."""
        self.take(page)
        found: list[str] = page.evaluate(RUN_AXE, OF_COLOURS if self.only_colours else None)
        if not self.only_colours:
            sideways = page.evaluate(SIDEWAYS)
            found += [f"scrolls sideways by {sideways} px"] if sideways else []
            found += [f"small target: {target}" for target in page.evaluate(SMALL_TARGETS)]
        return [f"at {self.width} px, {self.scheme}: {fault}" for fault in found]


# Three widths and both themes; axe's other rules see each width once.
EVERY_LOOK = tuple(
    Look(width, scheme, only_colours)
    for width in (320, 768, 1280)
    for scheme, only_colours in (("light", False), ("dark", True))
)
