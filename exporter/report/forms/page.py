"""The report as one HTML page that needs no network: a treemap, plots and tables that sort, in light and dark."""

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path

from exporter.report.analysis import Analysis
from exporter.report.forms import page_sections as sections
from exporter.report.forms.markup import text
from exporter.report.forms.tile_tree import tile_tree

_BROWSER = Path(__file__).with_name("browser")
# In the order in which they need each other.
_MODULES = ("numbers", "treemap_layout", "tiles", "treemap", "sorting", "start")
_IMPORT = re.compile(r"^import .*\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_COMMENT = re.compile(r"/\*\*.*?\*/\n?", re.DOTALL)
_INDENT = re.compile(r"^ +", re.MULTILINE)


def page(analysis: Analysis) -> str:
    """The whole page."""
    report, style, script = analysis.report, _style(), _script()
    name = text(report.name)
    facts = f"{report.task}, {report.parameters:,} parameters, {report.quantization}, tier {report.tier}"
    body = (
        sections.facts(analysis),
        sections.difference(analysis.difference),
        sections.TREEMAP,
        sections.waterfall(analysis),
        sections.what_if(analysis),
        sections.roles(analysis),
        sections.layers(analysis),
        sections.entropy(analysis),
        sections.situations(analysis),
        sections.files(analysis),
        sections.weights(analysis),
    )
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{name}: download size</title><style>{style}</style></head><body>",
            f'<header><h1>{name}: what the download costs</h1><p class="soft">{text(facts)}</p></header><main>',
            *body,
            f'</main><script type="application/json" id="tree">{_data(analysis)}</script>',
            f"<script>{script}</script></body></html>",
        ]
    )


def _policy(style: str, script: str) -> str:
    """Nothing but the page's own style and script; nothing is fetched or sent."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _data(analysis: Analysis) -> str:
    """JSON in which no text can end the element that it stands in."""
    data = json.dumps(tile_tree(analysis.attribution.pieces), ensure_ascii=False, separators=(",", ":"))
    return data.replace("<", "\\u003c")


@cache
def _style() -> str:
    return _INDENT.sub("", (_BROWSER / "page.css").read_text(encoding="utf-8"))


@cache
def _script() -> str:
    """The modules as one script, as a page of one file has no addresses to import from; types are comments."""
    sources = [(_BROWSER / f"{name}.js").read_text(encoding="utf-8") for name in _MODULES]
    joined = _INDENT.sub("", _COMMENT.sub("", _EXPORT.sub("", _IMPORT.sub("", "".join(sources)))))
    return f"'use strict';{{\n{joined}}}"
