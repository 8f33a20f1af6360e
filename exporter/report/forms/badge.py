"""The first visit's bytes as a small SVG picture for a README."""

import html

from exporter.report.analysis import Analysis
from exporter.sizes import human

_LABEL = "first visit"
# Text is stretched to these widths, so that the picture is the same with any font.
_CHARACTER, _EDGE, _HEIGHT = 6.6, 8, 20


def badge(analysis: Analysis) -> str:
    """An SVG picture that says what a first visit downloads."""
    value = human(analysis.report.first_visit)
    left, right = (round(len(text) * _CHARACTER) + 2 * _EDGE for text in (_LABEL, value))
    words = html.escape(f"{analysis.report.name}: {_LABEL} {value}")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" role="img" '
            f'aria-label="{words}">',
            f"<title>{words}</title>",
            f'<rect width="{left + right}" height="{_HEIGHT}" rx="3" fill="#50297e"/>',
            f'<path fill="#3a3443" d="M3 0h{left - 3}v{_HEIGHT}H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z"/>',
            '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">',
            *(_text(text, x, width) for text, x, width in ((_LABEL, 0, left), (value, left, right))),
            "</g></svg>",
        ]
    )


def _text(text: str, x: int, width: int) -> str:
    return f'<text x="{x + _EDGE}" y="14" textLength="{width - 2 * _EDGE}">{html.escape(text)}</text>'
