"""The command line of the exporter's commands. Data goes to stdout, progress and errors to stderr."""

import argparse
import difflib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from exporter import adapter_commands as adapters
from exporter import measuring_options
from exporter.brief_parser import BriefParser
from exporter.errors import OutputError, SchemeError, ThistledownError
from exporter.reduction import command_line as reduction
from exporter.sizes import DEFAULT_SHARD_BYTES, human, parse_budget_size, parse_size

if TYPE_CHECKING:
    from exporter.export_options import ExportOptions
    from exporter.progress import Progress
    from exporter.report import Budget

TIER_NAMES = ("base", "subgroups", "f16")
ENCODER_TASKS = ("sentence-embedding", "text-classification", "token-classification", "fill-mask")


# What only some commands need: `make demo` does not install it.
_OF_SETUP = {"accelerate", "matplotlib", "onnxscript", "torch", "transformers", "wgpu"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 a check failed, 2 bad input."""
    arguments = parse(argv)
    try:
        code = _COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
        return code
    except ThistledownError as error:
        print(f"thistledown: {error}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        needed = str(error.name).partition(".")[0]
        if needed not in _OF_SETUP:
            raise
        what = f"{arguments.command} needs {needed}, which is not installed here"
        print(f"thistledown: {what}. Run `make setup`, which installs it.", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # keeps the interpreter's last flush quiet
        return 0
    except OSError as error:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # what could not be written is not tried again at exit
        print(f"thistledown: {error.strerror} ({error.filename or 'standard output'})", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("thistledown: stopped; nothing was left half-written", file=sys.stderr)
        return 130


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; a word that no command knows is answered with the nearest option."""
    parser, commands = _parser()
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        command = commands.choices[arguments.command]
        options = [option for action in command._actions for option in action.option_strings]
        near = difflib.get_close_matches(unknown[0].partition("=")[0], options, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        command.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return arguments


def _parser() -> "tuple[argparse.ArgumentParser, argparse._SubParsersAction[argparse.ArgumentParser]]":
    parser: argparse.ArgumentParser = BriefParser(
        prog="thistledown", description="Small language models for the browser's GPU."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_export(commands)
    _add_report(commands)
    _add_inspect(commands)
    _add_verify(commands)
    reduction.add_commands(partial(_command, commands))
    adapters.add_commands(partial(_command, commands))
    return parser, commands


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    purpose: str,
    examples: Sequence[str],
) -> argparse.ArgumentParser:
    lines = "\n".join(f"  thistledown {name} {example}" for example in examples)
    return commands.add_parser(
        name,
        help=purpose,
        description=purpose,
        epilog=f"examples:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    examples = [
        "minilm -o build/models/minilm",
        "ibm-granite/granite-4.0-h-350m -o build/models/granite --quantize q4",
    ]
    command = _command(commands, "export", "Turn a checkpoint into an artifact for the browser.", examples)
    command.add_argument("source", help="checkpoint folder, hub id (owner/name), minilm, or an .onnx file")
    command.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="artifact folder to make; needed unless --dry-run"
    )
    _add_quantization(command)
    command.add_argument(
        "--context",
        type=int,
        metavar="TOKENS",
        help="longest text or conversation (default: what the model was made for, at most 4096)",
    )
    command.add_argument(
        "--task",
        choices=ENCODER_TASKS,
        help="what to make of an encoder (default: what its checkpoint was made for)",
    )
    command.add_argument(
        "--shard-size",
        type=parse_size,
        default=DEFAULT_SHARD_BYTES,
        metavar="SIZE",
        help="largest weight file (default: 32MB)",
    )
    command.add_argument(
        "--budget", type=parse_budget_size, metavar="SIZE", help="fail if a first visit downloads more"
    )
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="write nothing: foretell files, GPU memory and tiers; SOURCE needs no weights, only config.json",
    )
    command.add_argument(
        "--code-weights",
        action="store_true",
        help="entropy-code what is downloaded; the same weights in fewer bytes",
    )
    command.add_argument(
        "--what-if",
        action="store_true",
        help="also try other schemes, and tell in report.json and the model card what they cost and keep",
    )
    _add_schemes(command)
    command.add_argument("--overwrite", action="store_true", help="replace an existing artifact folder")
    command.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def _add_quantization(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--quantize",
        default="q8",
        metavar="SCHEME",
        help="f32, f16, q8, q4, q2, q8z, q4z, q2z, e3 to e6, q4-mixed, hybrid or auto (default: q8)",
    )
    command.add_argument(
        "--rounding",
        default="search",
        metavar="METHOD",
        help="nearest, search, hqq or gptq, which runs the model on texts (default: search)",
    )
    command.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="texts to round by, one a line (default: a few of ours in many languages)",
    )
    command.add_argument(
        "--target-kl",
        type=float,
        metavar="NATS",
        help="with --quantize auto: how far outputs may move; KL, of embeddings 1 - cosine (else --budget decides)",
    )


def _add_schemes(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--schemes",
        metavar="LIST",
        help='with --what-if: the schemes, such as "q8, q4 coded, auto 0.01", which is --target-kl 0.01 '
        "(default: a dozen)",
    )


def _add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    examples = [
        "build/models/minilm",
        "build/models/minilm --format html > report.html",
        "build/models/minilm --format markdown --compare build/before",
        "build/models/minilm --budget 30MB --budget embedding=13MB",
        'build/models/minilm --what-if minilm --schemes "q8, q4, q4 coded, e4"',
    ]
    command = _command(commands, "report", "What a download costs, to the byte.", examples)
    command.add_argument("folder", type=Path, metavar="DIR", help="artifact folder")
    command.add_argument(
        "--format",
        choices=("table", "json", "markdown", "html", "badge"),
        default="table",
        help="badge is an SVG picture (default: table)",
    )
    command.add_argument(
        "--budget",
        type=_budget,
        action="append",
        default=[],
        metavar="SIZE",
        help="exit 1 if a first visit downloads more; total=SIZE is for the folder, embedding=SIZE and so on for a "
        "role; may be repeated, and stands in pyproject.toml as [tool.thistledown.budget]",
    )
    command.add_argument(
        "--compare",
        "--diff",
        type=Path,
        dest="diff",
        metavar="DIR",
        help="another build of the model beside it",
    )
    measuring_options.add(command)
    command.add_argument(
        "--what-if",
        metavar="SOURCE",
        help="export its checkpoint SOURCE in other schemes, too, and tell what they cost and keep",
    )
    _add_schemes(command)
    command.add_argument(
        "--adapter", type=Path, metavar="DIR", help="an adapter of it, whose cost is told, too"
    )
    command.add_argument(
        "--tier",
        choices=TIER_NAMES,
        default="base",
        help="the plan that the visitor plays: base, subgroups or f16 (default: base)",
    )


def _budget(text: str) -> "Budget":
    from exporter.report import parse_budget

    return parse_budget(text)


def _add_inspect(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    examples = ["build/models/minilm", "build/models/granite --tier f16 --phase decode"]
    command = _command(commands, "inspect", "The plan, readable: tiers, memory, dispatches.", examples)
    command.add_argument("folder", type=Path, metavar="DIR", help="artifact folder")
    command.add_argument("--tier", choices=TIER_NAMES, default="base", help="which plan (default: base)")
    command.add_argument(
        "--phase", metavar="PHASE", help="list every dispatch of encode, prefill, head, decode or sample"
    )


def _add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    examples = ["build/models/minilm", "build/models/minilm --checkpoint minilm"]
    command = _command(
        commands,
        "verify",
        "Compare the plan, model.onnx in onnxruntime and, if given, the checkpoint. Needs `make setup`.",
        examples,
    )
    command.add_argument("folder", type=Path, metavar="DIR", help="artifact folder")
    command.add_argument("--checkpoint", metavar="SOURCE", help="compare with transformers in float32, too")
    command.add_argument("--tier", choices=TIER_NAMES, default="base", help="which plan (default: base)")


def _export(arguments: argparse.Namespace) -> int:
    from exporter.alternatives import alternatives
    from exporter.pipeline import check_options, export
    from exporter.progress import Progress

    progress = Progress(quiet=arguments.json)
    if arguments.dry_run:
        return _predict(arguments, progress)
    if arguments.output is None:
        raise OutputError("There is no folder to write to", "--output", "Give one, or say --dry-run.")
    options, schemes = _options(arguments), _schemes(arguments)
    if schemes:
        check_options(options)
        options = replace(options, what_if=alternatives(options, schemes, export, progress))
    done = export(options, progress)
    if arguments.json:
        weights = [asdict(choice) for choice in done.choices]
        print(json.dumps({"folder": str(done.folder), "report": done.report.to_json(), "weights": weights}))
        return 0
    report = done.report
    print(f"{done.folder}: {report.quantization}, {report.bits_per_weight:.2f} bits per weight")
    print(f"first visit downloads {report.first_visit:,} bytes ({human(report.first_visit)})")
    if arguments.budget:
        print(
            f"budget kept: {human(arguments.budget - report.first_visit)} of {human(arguments.budget)} left"
        )
    print(f"next: thistledown serve {done.folder}")
    return 0


def _schemes(arguments: argparse.Namespace) -> Sequence[str]:
    """The schemes to try besides; none without --what-if."""
    from exporter.alternatives import parse_schemes

    if not arguments.what_if and arguments.schemes is not None:
        raise SchemeError("There is nothing to try schemes for", "--schemes", "Say --what-if, too.")
    return parse_schemes(arguments.schemes) if arguments.what_if else ()


def _options(arguments: argparse.Namespace) -> "ExportOptions":
    from exporter.export_options import ExportOptions

    names = (
        "source",
        "quantize",
        "context",
        "shard_size",
        "budget",
        "overwrite",
        "task",
        "rounding",
        "calibration",
        "target_kl",
        "code_weights",
    )
    given = {name: getattr(arguments, name) for name in names}
    return ExportOptions(output=arguments.output or Path(Path(arguments.source).name), **given)


def _predict(arguments: argparse.Namespace, progress: "Progress") -> int:
    from exporter.pipeline import predict
    from exporter.report import render_prediction

    if arguments.what_if:
        raise SchemeError("other schemes are measured", "--what-if", "Leave out it, or --dry-run.")
    prediction = predict(_options(arguments), progress)
    print(json.dumps(prediction.to_json()) if arguments.json else render_prediction(prediction))
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from exporter.alternatives import alternatives_to
    from exporter.pipeline import export
    from exporter.progress import Progress
    from exporter.report import analyse, joined, kept_budgets, project_budgets, render, require_budgets

    measuring_options.check(arguments)
    budgets, folder = joined(project_budgets(Path.cwd()), arguments.budget), arguments.folder
    schemes = _schemes(arguments)
    what_if = alternatives_to(folder, arguments.what_if, schemes, export, Progress()) if schemes else None
    analysis = analyse(folder, arguments.tier, arguments.diff, arguments.adapter, what_if)
    print(render(analysis, arguments.format))
    for line in kept_budgets(analysis.attribution, budgets):
        # Other forms are for programs.
        print(line, file=sys.stdout if arguments.format == "table" else sys.stderr)
    require_budgets(analysis.attribution, budgets, str(folder))
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    from exporter.artifact import read_artifact_plan, with_readback
    from exporter.lowering import describe

    manifest, plan = read_artifact_plan(arguments.folder, arguments.tier)
    memory = with_readback(manifest["task"], manifest["vocabulary"], plan["memory"])
    print(describe(manifest, {**plan, "memory": memory}, arguments.phase))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from exporter.parity import require_all, verify

    checks = verify(arguments.folder, arguments.tier, arguments.checkpoint)
    print("\n".join(map(str, checks)))
    require_all(checks, arguments.folder)
    return 0


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    **adapters.COMMANDS,
    **reduction.COMMANDS,
    "export": _export,
    "inspect": _inspect,
    "report": _report,
    "verify": _verify,
}

if __name__ == "__main__":
    sys.exit(main())
