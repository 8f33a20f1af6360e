"""Writes site/app/vendor/marked.mjs: the published Markdown reader, as it is.

python -m scripts.vendor_marked
"""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "node_modules" / "marked"
VENDOR = ROOT / "site" / "app" / "vendor"
# From the package to the site.
FILES = {"lib/marked.esm.js": "marked.mjs", "LICENSE": "marked.LICENSE"}

if __name__ == "__main__":
    for source, target in FILES.items():
        shutil.copyfile(PUBLISHED / source, VENDOR / target)
