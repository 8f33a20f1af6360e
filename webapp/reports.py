"""Size reports of artifacts, which lie beside what a manifest lists: they measure the manifest, too."""

import os
from pathlib import Path

from webapp.confinement import open_confined

REPORT = "report.json"
REPORT_PAGE = "report.html"
REPORTS = frozenset({REPORT, REPORT_PAGE})
LARGEST = 64 * 1024 * 1024  # it is kept in memory
# A page that came with a model is none of the site's: it has an origin of its own, and reaches no other.
PAGE_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)


def report_size(folder: Path, name: str) -> int | None:
    """Bytes of the report `name` in the resolved `folder`; None if there is none, or none that is served."""
    opened = open_confined(folder / name, folder)
    if opened is None:
        return None
    with opened:
        size = os.fstat(opened.fileno()).st_size
    return size if size <= LARGEST else None
