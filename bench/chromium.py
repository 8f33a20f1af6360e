"""Where a Chromium is that can be driven."""

import os
import shutil
from pathlib import Path

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
PLAYWRIGHT_FOLDERS = ("~/.cache/ms-playwright", "~/Library/Caches/ms-playwright")
PLAYWRIGHT_BINARIES = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)


def find_chromium() -> Path | None:
    """Chromium's program: $CHROMIUM, else one on PATH, else an application, else Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        return Path(found) if found else None
    on_path = (shutil.which(name) for name in NAMES)
    candidates = [Path(path) for path in (*on_path, *APPLICATIONS) if path]
    return next((path for path in (*candidates, *_playwright_chromiums()) if path.exists()), None)


def _playwright_chromiums() -> list[Path]:
    """Browsers that `playwright install chromium` left, newest first."""
    folders = [os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or "", *PLAYWRIGHT_FOLDERS]
    roots = [Path(folder).expanduser() for folder in folders if folder]
    found = (sorted(root.glob(pattern)) for root in roots for pattern in PLAYWRIGHT_BINARIES)
    return [path for paths in found for path in reversed(paths)]
