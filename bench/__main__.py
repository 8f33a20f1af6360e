"""The command `bench`. Exit codes: 0 done, 1 an answer did not agree with a peer's, 2 bad input, 130 interrupted."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import result_file
from bench.errors import BenchError
from bench.settings import BenchSettings

INTERRUPTED = 130  # as shells say it

EXAMPLES = """examples:
  thistledown bench build/models/minilm --peers '' --software                  ours alone, on SwiftShader
  thistledown bench build/models/minilm --float build/models/minilm-f32        beside Transformers.js
  thistledown bench build/models/granite-4.0-h-350m-random --prefill 32,128 --decode 0 -o bench.json
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that `argv` names and returns its exit code; argparse exits with 2 on bad usage."""
    arguments = _parser().parse_args(argv)
    try:
        return _bench(arguments)
    except BenchError as error:
        print(f"thistledown: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("thistledown: stopped before it was done", file=sys.stderr)
        return INTERRUPTED


def _bench(arguments: argparse.Namespace) -> int:
    # What help needs not, and a demo's environment has not.
    try:
        from bench.measure import bench
        from bench.table import table
    except ImportError as error:
        remedy = "Run `make setup`, or install the extra `bench`."
        raise BenchError(f"Measuring needs {error.name}", "this environment", remedy) from error

    if arguments.output:
        result_file.check_target(arguments.output)
    result = bench(
        arguments.folder, _settings(arguments), lambda line: print(line, file=sys.stderr, flush=True)
    )
    text = json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False)
    if arguments.output:
        result_file.write(arguments.output, f"{text}\n")
        print(f"wrote {arguments.output}", file=sys.stderr)
    print(text if arguments.json else table(result))
    return 0 if all(check["agrees"] for check in result["checks"]) else 1


def _settings(arguments: argparse.Namespace) -> BenchSettings:
    software = ("--use-webgpu-adapter=swiftshader",) if arguments.software else ()
    return BenchSettings(
        peers=arguments.peers,
        prefill=arguments.prefill,
        decode=arguments.decode,
        scan=arguments.scan,
        tokens=arguments.tokens,
        rounds=arguments.rounds,
        texts=arguments.texts,
        tier=arguments.tier,
        arguments=(*software, *arguments.browser_arg),
        onnxruntime_build=arguments.onnxruntime_build,
        float_folder=arguments.float,
        kernels=arguments.kernels,
    )


def _parser() -> argparse.ArgumentParser:
    usual = BenchSettings()
    parser = argparse.ArgumentParser(
        prog="thistledown", description="Measure exported models in a browser, against peers."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    command = commands.add_parser(
        "bench",
        help="in a browser, against peers",
        description="Measure an artifact in a headless Chromium, in turns with other engines.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "folder", type=Path, metavar="DIR", help="a folder that `thistledown export` has written"
    )
    _add_workloads(command, usual)
    _add_engines(command, usual)
    command.add_argument("--json", action="store_true", help="print the whole result as JSON")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the whole result as JSON")
    return parser


def _add_workloads(command: argparse.ArgumentParser, usual: BenchSettings) -> None:
    command.add_argument(
        "--prefill",
        type=_prompts,
        default=usual.prefill,
        metavar="N,N",
        help=f"prompts of so many tokens, of models that write ({_listed(usual.prefill)})",
    )
    command.add_argument(
        "--decode",
        type=_lengths,
        default=usual.decode,
        metavar="N,N",
        help=f"answers after so many tokens ({_listed(usual.decode)})",
    )
    command.add_argument(
        "--scan",
        type=_counts,
        default=usual.scan,
        metavar="N,N",
        help="one layer's Mamba-2 scan for itself, over so many tokens",
    )
    command.add_argument(
        "--tokens", type=_count, default=usual.tokens, metavar="N", help="tokens of an answer (%(default)s)"
    )
    command.add_argument(
        "--texts",
        type=_count,
        default=usual.texts,
        metavar="N",
        help="texts that an embedder gets (%(default)s)",
    )
    command.add_argument(
        "--rounds",
        type=_count,
        default=usual.rounds,
        metavar="N",
        help="times that each is measured (%(default)s)",
    )


def _add_engines(command: argparse.ArgumentParser, usual: BenchSettings) -> None:
    command.add_argument(
        "--peers",
        type=_names,
        default=usual.peers,
        metavar="NAME,NAME",
        help=f"of {', '.join(usual.peers)}; '' for none (all that fit)",
    )
    command.add_argument(
        "--tier", choices=("base", "subgroups", "f16"), help="of our plan (the device's best)"
    )
    command.add_argument(
        "--onnxruntime-build",
        choices=("asyncify", "jspi"),
        default=usual.onnxruntime_build,
        help="of onnxruntime-web (%(default)s)",
    )
    command.add_argument(
        "--float",
        type=Path,
        metavar="DIR",
        help="the same model in f32, of which Transformers.js' q8 is made",
    )
    command.add_argument(
        "--kernels", action="store_true", help="each kernel for itself too, against the device's roofs"
    )
    command.add_argument("--software", action="store_true", help="on SwiftShader, which every machine has")
    command.add_argument(
        "--browser-arg", action="append", default=[], metavar="ARG", help="one more argument of Chromium"
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


def _lengths(text: str) -> tuple[int, ...]:
    numbers = tuple(int(part) for part in text.split(",") if part)
    if any(number < 0 for number in numbers):
        raise argparse.ArgumentTypeError("a length is 0 or more")
    return numbers


def _counts(text: str) -> tuple[int, ...]:
    return tuple(_count(part) for part in text.split(",") if part)


def _prompts(text: str) -> tuple[int, ...]:
    numbers = _lengths(text)
    if 0 in numbers:
        raise argparse.ArgumentTypeError("a prompt has 1 token or more")
    return numbers


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number of 1 or more")
    return int(text)


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


if __name__ == "__main__":
    sys.exit(main())
