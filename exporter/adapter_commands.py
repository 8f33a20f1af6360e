"""The commands for LoRA adapters, as the command line takes them: merge-lora, adapter."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from exporter.sizes import human

# Makes a command of a name, its purpose and examples.
MakeCommand = Callable[[str, str, Sequence[str]], argparse.ArgumentParser]


def add_commands(make: MakeCommand) -> None:
    """Add them all to the command line."""
    _add_merge_lora(make)
    _add_adapter(make)


def _add_merge_lora(make: MakeCommand) -> None:
    purpose = "Merge a LoRA adapter of peft into its base: an ordinary checkpoint, ready for export."
    examples = ["build/granite build/poet/adapter -o build/granite-poet"]
    command = make("merge-lora", purpose, examples)
    command.add_argument(
        "base", metavar="BASE", help="checkpoint folder or hub id that the adapter was made for"
    )
    _add_peft_folder(command, "checkpoint folder to make")


def _add_adapter(make: MakeCommand) -> None:
    purpose = "Make a LoRA adapter of peft one that pages put over an exported base at run time."
    examples = ["build/models/granite build/poet/adapter -o build/models/poet"]
    command = make("adapter", purpose, examples)
    command.add_argument("artifact", type=Path, metavar="ARTIFACT", help="exported base, in any quantization")
    _add_peft_folder(command, "adapter folder to make")


def _add_peft_folder(command: argparse.ArgumentParser, made: str) -> None:
    command.add_argument("adapter", type=Path, metavar="ADAPTER", help="folder that peft saved")
    command.add_argument("-o", "--output", type=Path, metavar="DIR", required=True, help=made)
    command.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def _tell(note: str) -> None:
    if note:
        print(f"note: {note}", file=sys.stderr)


def _merge_lora(arguments: argparse.Namespace) -> int:
    from exporter.adapters import merge_lora

    made = merge_lora(arguments.base, arguments.adapter, arguments.output)
    _tell(made.note)
    if arguments.json:
        print(json.dumps(asdict(made) | {"folder": str(made.folder)}))
        return 0
    print(f"{made.folder}: {made.base} with {made.changed} weights changed by {made.adapter}")
    print(f"next: thistledown export {made.folder} -o DIR")
    return 0


def _adapter(arguments: argparse.Namespace) -> int:
    from exporter.adapters import make_adapter

    made = make_adapter(arguments.artifact, arguments.adapter, arguments.output)
    manifest, size = made.manifest, made.manifest.shard.bytes
    _tell(made.note)
    if arguments.json:
        sizes = {"rank": manifest.rank, "parameters": manifest.parameters, "bytes": size, "share": made.share}
        told = {"folder": str(made.folder), "base": asdict(manifest.base), **sizes, "note": made.note}
        print(json.dumps(told))
        return 0
    print(f"{made.folder}: rank {manifest.rank}, {manifest.parameters:,} values over {manifest.base.name}")
    print(f"its shard has {size:,} bytes ({human(size)}), {made.share:.2%} of the base's")
    print(
        f"next: thistledown serve {arguments.artifact} {made.folder}; the page calls model.setAdapter(its URL)"
    )
    return 0


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {"adapter": _adapter, "merge-lora": _merge_lora}
