"""The options of `thistledown report` about a measurement in a browser, which measured_report.py makes."""

import argparse
from pathlib import Path

from exporter.errors import OptionError

_MEASURE = ("--measure", "--network", "--beside", "--without-webgpu")
_BESIDES = ("--software", "--float", "--measured")


def add(command: argparse.ArgumentParser) -> None:
    """Adds them."""
    command.add_argument(
        "--measure",
        action="store_true",
        help="load it in a headless Chromium, twice, and compare what travelled with the report",
    )
    command.add_argument("--software", action="store_true", help="measure on SwiftShader, without a GPU")
    command.add_argument("--without-webgpu", action="store_true", help="measure a visit on the CPU")
    command.add_argument("--network", metavar="NAME", help='measure the time, too, on a line like "Fast 4G"')
    command.add_argument("--beside", choices=("transformers.js",), help="measure that page at 8 bits, too")
    command.add_argument(
        "--float",
        type=Path,
        metavar="DIR",
        help="the same model in f32, for --beside, or a folder of the hub",
    )
    command.add_argument("--measured", type=Path, metavar="FILE", help="write what was measured as JSON")


def check(arguments: argparse.Namespace) -> None:
    """Raises OptionError for one that would have no effect, as nothing is measured."""
    if any(_given(arguments, option) for option in _MEASURE):
        return
    for option in _BESIDES:
        if _given(arguments, option):
            raise OptionError("Nothing is measured", option, "Say --measure, too, or leave it out.")


def _given(arguments: argparse.Namespace, option: str) -> bool:
    return bool(getattr(arguments, option.removeprefix("--").replace("-", "_")))
