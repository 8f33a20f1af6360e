"""The commands `serve` and `bundle`. Exit codes: 0 done, 2 bad input, 130 stopped before it was done."""

import argparse
import difflib
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from webapp import Settings, WebappError, serve, write_bundle
from webapp.settings import default_runtime, default_site

SERVE_EXAMPLES = """examples:
  thistledown serve build/models/minilm
  thistledown serve build/models/minilm build/models/granite --port 0
"""
BUNDLE_EXAMPLES = """examples:
  thistledown bundle build/models/minilm -o build/public
  thistledown bundle build/models/minilm build/models/granite -o build/public --overwrite
"""
INTERRUPTED = 130  # as shells say it
FOLDERS_HELP = "a folder that `thistledown export` or `adapter` has written"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that `argv` names and returns its exit code; argparse exits with 2 on bad usage."""
    arguments, unknown = _parser().parse_known_args(argv)
    if unknown:
        arguments.command.error(_unknown(unknown[0], arguments.command))
    try:
        arguments.run(arguments)
    except WebappError as error:
        print(f"thistledown: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("thistledown: stopped before it was done", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="thistledown", description="Serve exported models, or bundle them as a static site."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_serve(commands)
    _add_bundle(commands)
    return parser


def _unknown(option: str, command: argparse.ArgumentParser) -> str:
    name = option.partition("=")[0]
    near = difflib.get_close_matches(name, re.findall(r"--[a-z]+", command.format_usage()), n=1)
    return f"there is no option {name}" + (f"; did you mean {near[0]}?" if near else "")


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = _add_command(commands, "serve", "serve the web app and exported models", SERVE_EXAMPLES)
    command.add_argument("folders", nargs="*", type=Path, metavar="DIR", help=FOLDERS_HELP)
    command.add_argument("--host", default=Settings.host, help="address to listen on (default: %(default)s)")
    command.add_argument(
        "--port", default=Settings.port, type=int, help="0 takes a free one (default: %(default)s)"
    )
    command.add_argument("--verbose", action="store_true", help="print every request")
    command.add_argument(
        "--sources",
        action="store_true",
        help="scripts as they are written, for work on the site: not bundled",
    )
    command.set_defaults(run=_serve)


def _add_bundle(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = _add_command(
        commands, "bundle", "write the web app and models as a static site", BUNDLE_EXAMPLES
    )
    command.add_argument("folders", nargs="+", type=Path, metavar="DIR", help=FOLDERS_HELP)
    command.add_argument(
        "-o", "--output", required=True, type=Path, metavar="OUT", help="the folder to write"
    )
    command.add_argument("--overwrite", action="store_true", help="replace an earlier bundle")
    command.set_defaults(run=_bundle)


def _add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str, examples: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--site", default=default_site(), type=Path, metavar="DIR", help="site folder (default: our own)"
    )
    command.add_argument(
        "--runtime",
        default=default_runtime(),
        type=Path,
        metavar="DIR",
        help="folder of what pages need where there is no WebGPU (default: build/runtime, if it is there)",
    )
    command.set_defaults(command=command)
    return command


def _serve(arguments: argparse.Namespace) -> None:
    serve(
        Settings(
            folders=tuple(arguments.folders),
            host=arguments.host,
            port=arguments.port,
            site=arguments.site,
            runtime=arguments.runtime,
            sources=arguments.sources,
            verbose=arguments.verbose,
        )
    )


def _bundle(arguments: argparse.Namespace) -> None:
    written = write_bundle(
        arguments.folders, arguments.output, arguments.overwrite, arguments.site, arguments.runtime
    )
    size = f"{written.bytes:,} bytes ({written.bytes / 1e6:.1f} MB)"
    print(f"{arguments.output}: {written.files} files, {size}")
    print(f"Try it: python3 -m http.server -d {shlex.quote(str(arguments.output))}")


if __name__ == "__main__":
    sys.exit(main())
