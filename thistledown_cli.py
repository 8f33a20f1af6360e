"""The `thistledown` command: hands each command to the room that does it, and lists them all.

The rooms do not import each other, and importing one takes longer than printing help: hence the lazy imports.
"""

import difflib
import os
import signal
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper


@dataclass(frozen=True)
class Command:
    """One row of the help; `module` has `main(argv)`, which is given the command and its arguments."""

    name: str
    module: str
    purpose: str
    example: str


COMMANDS = (
    Command("export", "exporter.__main__", "checkpoint to artifact", "export minilm -o build/models/minilm"),
    Command(
        "report", "exporter.__main__", "what the download costs, to the byte", "report build/models/minilm"
    ),
    Command(
        "inspect", "exporter.__main__", "the plan: dispatches, memory, tiers", "inspect build/models/minilm"
    ),
    Command(
        "verify", "exporter.__main__", "torch, onnxruntime and plan compared", "verify build/models/minilm"
    ),
    Command(
        "prune",
        "exporter.__main__",
        "a smaller checkpoint",
        "prune build/model -o build/half --to 50% --calibration texts.txt",
    ),
    Command(
        "distill",
        "exporter.__main__",
        "a smaller one learns from a larger one",
        "distill --teacher A --student B --data texts.jsonl -o C",
    ),
    Command(
        "merge-lora",
        "exporter.__main__",
        "a LoRA adapter into its base",
        "merge-lora build/granite build/poet/adapter -o build/granite-poet",
    ),
    Command(
        "adapter",
        "exporter.__main__",
        "the same, over the base at run time",
        "adapter build/models/granite build/poet/adapter -o build/models/poet",
    ),
    Command("serve", "webapp.__main__", "the pages and models, on this machine", "serve build/models/minilm"),
    Command(
        "bundle",
        "webapp.__main__",
        "the same, as a folder to host",
        "bundle build/models/minilm -o build/public",
    ),
    Command("bench", "bench.__main__", "in a real browser, against peers", "bench build/models/minilm"),
)


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 a check failed, 2 bad input, 130 interrupted."""
    _prepare_streams()
    try:
        code = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Who reads our output, such as `head`, has seen enough; Python must not flush to it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _prepare_streams() -> None:
    """No locale stops output: files and pipes get UTF-8, which HTML and JSON are, a terminal what it can show."""
    # Python has None in the place of a stream that the shell has closed.
    sys.stdout, sys.stderr = (each or open(os.devnull, "w") for each in (sys.stdout, sys.stderr))  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):
        encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


def _run(arguments: list[str]) -> int:
    first = arguments[0] if arguments else "--help"
    if first in ("-h", "--help"):
        print(help_text())
        return 0
    if first == "--version":
        print(f"thistledown {version('thistledown')}")
        return 0
    command = next((row for row in COMMANDS if row.name == first), None)
    if command is None:
        print(_unknown(first), file=sys.stderr)
        return 2
    if command.name != "serve":  # which ends by itself
        # As Ctrl-C does, so that no temporary folder and no browser is left behind.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A measurement needs the room that drives a browser, besides the one that reports.
    wanted = {word.partition("=")[0] for word in arguments}
    measures = first == "report" and not wanted.isdisjoint(
        ("--measure", "--network", "--beside", "--without-webgpu")
    )
    code: int = import_module("measured_report" if measures else command.module).main(arguments)
    return code


def help_text() -> str:
    """All commands, each with what it does and one example."""
    rows = [f"  {row.name:<10} {row.purpose:<38} thistledown {row.example}" for row in COMMANDS]
    return "\n".join(
        [
            "usage: thistledown COMMAND ...",
            "",
            "Small language models, compiled for the visitor's own GPU.",
            "",
            *rows,
            "",
            "thistledown COMMAND --help tells all of a command's options.",
        ]
    )


def _unknown(name: str) -> str:
    names = [row.name for row in COMMANDS]
    near = difflib.get_close_matches(name, names, n=1)
    return f"thistledown: there is no command {name!r}; " + (
        f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."
    )
