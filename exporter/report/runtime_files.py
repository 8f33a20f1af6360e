"""What a browser without WebGPU fetches besides: the folder that scripts.provide_runtime writes.

Restated because the exporter may not import the server; tests/contracts holds both equal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from exporter.artifact import Fields
from exporter.errors import ArtifactError
from exporter.report.site_files import SITE
from exporter.report.wire import is_compressed, wire_sizes
from exporter.strict_json import JsonProblem, parse_object

RUNTIME = SITE.parent / "build" / "runtime"
BRING = "python3 -m scripts.provide_runtime"
_FILE_NAME = "runtime.json"
_FORMAT, _VERSION = "thistledown-runtime", 1
_LONGEST = 1 << 20
_FILE_KEYS = ("file", "bytes", "sha256")
_BINARY_KEYS = (*_FILE_KEYS, "chunk_bytes", "chunks", "unpacked_bytes")


@dataclass(frozen=True)
class Runtime:
    """What computes on the CPU, with its version; `files` are bytes that travel, by name."""

    name: str
    files: Mapping[str, int]

    @property
    def travels(self) -> int:
        """Bytes of all of it."""
        return sum(self.files.values())


def read_runtime(folder: Path) -> Runtime | None:
    """The runtime in `folder`; None where nobody has brought one. Raises ArtifactError for a damaged one."""
    if not folder.is_dir():
        return None
    try:
        name, sizes = _described(folder / _FILE_NAME)
        return Runtime(name, {file: _travels(folder / file, size) for file, size in sizes.items()})
    except (ArtifactError, JsonProblem, OSError) as problem:
        what = problem.what if isinstance(problem, ArtifactError) else f"{_FILE_NAME} {problem}"
        raise ArtifactError(
            f"The runtime is damaged: {what}", str(folder), f"Write it again: {BRING}"
        ) from None


def _described(path: Path) -> tuple[str, Mapping[str, int]]:
    """Its name, and the size of each file, the description's own among them."""
    with path.open("rb") as file:
        data = file.read(_LONGEST + 1)
    value = parse_object(data, _LONGEST)
    found = Fields(value, "", ("format", "version", "name", "binary", "modules"), _FILE_NAME)
    found.one_of("format", (_FORMAT,))
    found.whole("version", _VERSION, _VERSION)
    return found.text("name"), {
        _FILE_NAME: len(data),
        **dict(_listed(value["binary"], found.items("modules"))),
    }


def _listed(binary: object, modules: list[object]) -> Iterator[tuple[str, int]]:
    entries = [Fields(binary, "binary", _BINARY_KEYS, _FILE_NAME)]
    entries += [Fields(each, f"modules.{i}", _FILE_KEYS, _FILE_NAME) for i, each in enumerate(modules)]
    for entry in entries:
        yield entry.file("file"), entry.whole("bytes")


def _travels(path: Path, size: int) -> int:
    held = path.stat().st_size if path.is_file() else 0
    if held != size:
        raise ArtifactError(f"{path.name} has {held} bytes, {_FILE_NAME} says {size}")
    return wire_sizes(path.name, path.read_bytes()).travels if is_compressed(path.name, size) else size
