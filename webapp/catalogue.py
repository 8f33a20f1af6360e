"""The list of models that the start page shows: /models/catalogue.json."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

FILE_NAME = "catalogue.json"


def catalogue(models: Iterable[tuple[str, str, Mapping[str, Any], bool]]) -> bytes:
    """The catalogue of (folder name, SHA-256 of its manifest.json, manifest facts, report.html is there), as JSON.

    The hash is the root of all others: a manifest states those of every file and chunk.
    A page that had to ask for a report to know whether there is one would leave errors in the console.

    The addresses are relative to the start page, so that the site also works below a path of a static host.
    """
    document = {
        "format": "thistledown-catalogue",
        "version": 1,
        "models": [
            {"url": f"models/{folder}/", "sha256": sha256, "manifest": facts, "reportPage": has_page}
            for folder, sha256, facts, has_page in models
        ],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
