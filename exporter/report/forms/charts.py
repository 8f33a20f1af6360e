"""Drawings of the report's page as SVG: places are shares of the drawing, so that text keeps its size on a phone."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from exporter.report.forms.markup import bar, plot, text
from exporter.report.forms.what_if_table import quality, quality_heading
from exporter.report.forms.words import signed
from exporter.report.measure import Report
from exporter.report.waterfall import Step
from exporter.report.what_if import COSINE, Alternative, WhatIf
from exporter.sizes import human

# Closer to the float model than this is not told apart: float32 itself rounds.
_NEAREST = 1e-7
# Pixels of the drawing on a phone, and of a label's letter and line: what would lie on another label is left out.
_WIDTH, _HEIGHT, _LETTER, _LINE = 220, 260, 7.5, 14
_TICKS = 5


@dataclass(frozen=True)
class _Scale:
    """Where bytes and distances lie, in percent from the left and from the top; better answers are higher."""

    most_bytes: int
    least: int
    most: int

    def x(self, size: int) -> float:
        return round(100 * size / self.most_bytes, 2)

    def y(self, distance: float) -> float:
        decades = math.log10(max(distance, _NEAREST)) - self.least
        return round(100 * decades / (self.most - self.least), 2)


def _scale(what_if: WhatIf) -> _Scale:
    found = [max(each.distance, _NEAREST) for each in what_if.alternatives]
    least, most = math.floor(math.log10(min(found))), math.ceil(math.log10(max(found)))
    return _Scale(max(each.first_visit for each in what_if.alternatives), least, max(most, least + 1))


def pareto(what_if: WhatIf, report: Report) -> str:
    """Bytes of a first visit against quality; a line joins the schemes that no other beats in both."""
    scale, best = _scale(what_if), what_if.best
    own = what_if.own(report)
    parts = [
        *_grid(scale, what_if.distance == COSINE),
        *_front(scale, best),
        *(_point(scale, each, what_if, _kind(each, own, best)) for each in what_if.alternatives),
        *_labels(scale, best),
        *([_below(scale, own)] if own and own not in best else []),
    ]
    told = f"Bytes of a first visit against {quality_heading(what_if)}; the table below has the numbers"
    return f'<svg class="chart" role="img" aria-label="{text(told)}">{"".join(parts)}</svg>'


def _grid(scale: _Scale, cosine: bool) -> Iterator[str]:
    for decade in range(scale.least, scale.most + 1):
        y, value = scale.y(10.0**decade), 10.0**decade
        name = f"{1 - value:.{max(0, -decade)}f}" if cosine else f"{value:g}"
        yield f'<line class="grid" x2="100%" y1="{y}%" y2="{y}%"/>'
        yield f'<text class="tick" x="-8" y="{y}%" dy="4" text-anchor="end">{name}</text>'
    step = _round_step(scale.most_bytes / _TICKS)
    for size in range(0, scale.most_bytes + 1, step):
        x = scale.x(size)
        yield f'<line class="grid" x1="{x}%" x2="{x}%" y2="100%"/>'
        yield f'<text class="tick" x="{x}%" y="100%" dy="18" text-anchor="middle">{_short(size)}</text>'


def _round_step(size: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, ..."""
    power: int = 10 ** math.floor(math.log10(max(size, 1)))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= size)


def _short(size: int) -> str:
    return human(size).replace(".0 ", " ") if size else "0"


def _front(scale: _Scale, best: Sequence[Alternative]) -> Iterator[str]:
    for one, two in pairwise(best):
        x1, y1 = scale.x(one.first_visit), scale.y(one.distance)
        x2, y2 = scale.x(two.first_visit), scale.y(two.distance)
        yield f'<line class="front" x1="{x1}%" x2="{x2}%" y1="{y1}%" y2="{y1}%"/>'
        yield f'<line class="front" x1="{x2}%" x2="{x2}%" y1="{y1}%" y2="{y2}%"/>'


def _kind(each: Alternative, own: Alternative | None, best: Sequence[Alternative]) -> str:
    return "own" if each is own else "best" if each in best else "beaten"


def _point(scale: _Scale, each: Alternative, what_if: WhatIf, kind: str) -> str:
    words = f"{each.name}: {each.first_visit:,} bytes, {quality(what_if, each.distance)}"
    place = f'cx="{scale.x(each.first_visit)}%" cy="{scale.y(each.distance)}%"'
    return f'<circle class="{kind}" {place} r="5"><title>{text(words)}</title></circle>'


def _labels(scale: _Scale, best: Sequence[Alternative]) -> Iterator[str]:
    """Names to the upper left of their points, where no other point can be."""
    taken: list[tuple[float, float, float]] = []
    for each in best:
        x, y = scale.x(each.first_visit), scale.y(each.distance)
        right, bottom = x / 100 * _WIDTH, y / 100 * _HEIGHT
        left = right - _LETTER * len(each.name)
        if any(left < end and right > start and abs(bottom - line) < _LINE for start, end, line in taken):
            continue
        taken.append((left, right, bottom))
        yield f'<text x="{x}%" y="{y}%" dx="-8" dy="-5" text-anchor="end">{text(each.name)}</text>'


def _below(scale: _Scale, own: Alternative) -> str:
    """The name of one that is beaten, away from those that beat it."""
    place = f'x="{scale.x(own.first_visit)}%" y="{scale.y(own.distance)}%"'
    return f'<text {place} dx="8" dy="15">{text(own.name)}</text>'


def falling(steps: Sequence[Step]) -> str:
    """A waterfall: each step's bar begins where the one before has ended."""
    ends = list(accumulate(step.change for step in steps))
    first, *others = steps
    rows = [(first.name, bar([("whole", ends[0])], max(ends)), f"{ends[0]:,}")]
    for step, before, after in zip(others, ends, ends[1:], strict=False):
        kind = "rise" if step.change > 0 else "fall"
        drawn = bar([("skip", min(before, after)), (kind, abs(step.change))], max(ends))
        rows.append((step.name, drawn, signed(step.change)))
    return plot([*rows, ("first visit", bar([("whole", ends[-1])], max(ends)), f"{ends[-1]:,}")])
