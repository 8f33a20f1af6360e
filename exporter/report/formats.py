"""The report for people and programs: a table, JSON, Markdown, or one HTML page."""

import html
import json
from collections.abc import Callable, Mapping, Sequence

from exporter.report.measure import Report, ReportFile
from exporter.sizes import human

_HEADINGS = ("file", "role", "type", "bits", "raw", "gzip", "brotli", "travels")


def render(report: Report, form: str) -> str:
    """The report in one of `FORMATS`."""
    return FORMATS[form](report)


def _short(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{stem[:12]}….{suffix}" if dot and len(stem) == 64 else name


def _cells(file: ReportFile) -> Sequence[str]:
    bits = "" if file.bits_per_weight is None else f"{file.bits_per_weight:.2f}"
    travels = f"{file.travels:,}" if file.visit else "not fetched"
    sizes = (_size(file.raw), _size(file.gzip), _size(file.brotli), travels)
    return (_short(file.file), file.role, file.dtype, bits, *sizes)


def _size(size: int | None) -> str:
    return "" if size is None else f"{size:,}"


def _total_cells(report: Report) -> list[Sequence[str]]:
    rows = [
        (group, "", "", "", *(_size(sizes[key]) for key in ("raw", "gzip", "brotli", "travels")))
        for group, sizes in report.totals.items()
    ]
    weights = report.totals["weights"]
    rows[0] = (*rows[0][:3], f"{report.bits_per_weight:.2f}", *rows[0][4:]) if weights["raw"] else rows[0]
    return list(rows)


def _summary(report: Report) -> Sequence[str]:
    return (
        f"first visit   {report.first_visit:>13,} bytes  ({human(report.first_visit)})",
        f"repeat visit  {report.repeat_visit:>13,} bytes  (weights come from the cache, the rest is unchanged)",
        *_saved(report),
    )


def _saved(report: Report) -> Sequence[str]:
    """Nothing where no weight is read twice."""
    if not report.saved_by_sharing:
        return ()
    return (
        f"shared        {report.saved_by_sharing:>13,} bytes  saved: weights read in several places, stored once",
    )


def _told_saved(report: Report) -> str:
    if not report.saved_by_sharing:
        return ""
    return f"Weights that are read in several places are stored once, which saves {report.saved_by_sharing:,} bytes."


def _table(report: Report) -> str:
    rows = [_cells(file) for file in report.files]
    totals = _total_cells(report)
    widths = [max(len(row[i]) for row in [_HEADINGS, *rows, *totals]) for i in range(len(_HEADINGS))]

    def line(cells: Sequence[str]) -> str:
        sides = [
            c.ljust(w) if i < 3 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(sides).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    head = f"{report.name}: {report.task}, {report.parameters:,} parameters, {report.quantization}, tier {report.tier}"
    return "\n".join(
        [head, "", line(_HEADINGS), rule, *map(line, rows), rule, *map(line, totals), "", *_summary(report)]
    )


def _json(report: Report) -> str:
    return json.dumps(report.to_json(), indent=2)


def _markdown(report: Report) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    marks = line(["---"] * 3 + ["---:"] * 5)
    rows = [line(_cells(file)) for file in report.files]
    totals = [line([f"**{cells[0]}**", *cells[1:]]) for cells in _total_cells(report)]
    visits = [
        f"First visit: **{report.first_visit:,} bytes** ({human(report.first_visit)}). "
        f"Repeat visit: **{report.repeat_visit:,} bytes**. {_told_saved(report)}".rstrip()
    ]
    head = f"## {report.name}: {report.quantization}, tier {report.tier}"
    return "\n".join([head, "", *visits, "", line(_HEADINGS), marks, *rows, *totals])


_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;"
    "max-width:70rem;padding:0 1rem}"
    "div{overflow-x:auto}table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;text-align:left;"
    "border-bottom:1px solid #8886;white-space:nowrap}td:nth-child(n+4),th:nth-child(n+4){text-align:right;"
    "font-variant-numeric:tabular-nums}tfoot{font-weight:600}"
)


def _html(report: Report) -> str:
    def row(cells: Sequence[str], tag: str = "td") -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

    name = html.escape(report.name)
    facts = html.escape(
        f"{report.task}, {report.parameters:,} parameters, {report.quantization}, tier {report.tier}"
    )
    return "\n".join(
        [
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}: download size</title>',
            f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><h1>{name}</h1><p>{facts}</p>',
            f"<p>First visit: <strong>{report.first_visit:,} bytes</strong> ({human(report.first_visit)}). "
            f"Repeat visit: <strong>{report.repeat_visit:,} bytes</strong>. {_told_saved(report)}</p><div><table>",
            f"<thead>{row(_HEADINGS, 'th')}</thead><tbody>",
            *(row(_cells(file)) for file in report.files),
            "</tbody><tfoot>",
            *(row(cells) for cells in _total_cells(report)),
            "</tfoot></table></div></html>",
        ]
    )


FORMATS: Mapping[str, Callable[[Report], str]] = {
    "table": _table,
    "json": _json,
    "markdown": _markdown,
    "html": _html,
}
