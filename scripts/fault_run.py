"""Prove that downloads lose nothing: thousands of faults in memory, hundreds in a real Chromium.

    python -m scripts.fault_run -o build/faults.json
    python -m scripts.fault_run --short

Every operation of a download fails once, lastingly, and as the death of its page. What must never be: wrong bytes used,
a store that stays stuck, verified bytes fetched again, an error without a code. Exits with 1 where something of it was.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scripts.programs import find_chromium
from tests.site.faults.findings import Findings
from tests.site.faults.run import run_all

_SECONDS_BETWEEN_LINES = 5.0


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium found: run `make setup`, or set CHROMIUM to the program's path")
    found = asyncio.run(run_all(chromium, short=options.short, tell=now_and_then(sys.stderr.write)))
    if options.json:
        print(as_json(found), end="")
    else:
        print("\n".join(part.as_text(name) for name, part in found.items()))
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(as_json(found), encoding="utf-8")
    return int(any(part.violations for part in found.values()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a selection that takes less than a minute")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("-o", "--output", type=Path, help="also write the findings as JSON here")
    return parser


def as_json(found: Mapping[str, Findings]) -> str:
    return json.dumps({name: part.as_json() for name, part in found.items()}, indent=1) + "\n"


def now_and_then(write: Callable[[str], object]) -> Callable[[str], None]:
    """Passes on a line at most every few seconds, and every violation."""
    last = [-_SECONDS_BETWEEN_LINES]

    def tell(line: str) -> None:
        if line.startswith("VIOLATION") or time.monotonic() - last[0] >= _SECONDS_BETWEEN_LINES:
            last[0] = time.monotonic()
            write(line + "\n")

    return tell


if __name__ == "__main__":
    sys.exit(main())
