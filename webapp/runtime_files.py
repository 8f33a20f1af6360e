"""The folder that `scripts.provide_runtime` writes: which of its files visitors get, and what they fetch of it.

    runtime.json    names the others
    *.mjs           modules of onnxruntime-web
    <sha256>.bin    its WebAssembly binary, packed by gzip

A browser without WebGPU loads these, and no other does.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from webapp.confinement import open_confined
from webapp.errors import WebappError
from webapp.fields import FieldError, Fields, parse_object
from webapp.manifest import ListedFile, listed_file

RUNTIME = "/runtime/"  # belongs to that folder
FILE_NAME = "runtime.json"
FORMAT, VERSION = "thistledown-runtime", 1
LARGEST = 1024 * 1024
REMEDY = "Write it again: python3 -m scripts.provide_runtime"


def runtime_files(folder: Path) -> Mapping[str, ListedFile]:
    """The files of the resolved `folder` by name, runtime.json first. Raises WebappError if it is damaged."""
    place = str(folder / FILE_NAME)
    opened = open_confined(folder / FILE_NAME, folder)
    if opened is None:
        raise WebappError("There is no runtime to serve", place, REMEDY)
    with opened as file:
        data = file.read(LARGEST)
    try:
        return {file.name: file for file in (_own(data), *_listed(parse_object(data)))}
    except FieldError as error:
        raise WebappError(f"The runtime is damaged: {error}", place, REMEDY) from error


def _own(data: bytes) -> ListedFile:
    return ListedFile(FILE_NAME, len(data), hashlib.sha256(data).hexdigest())


def _listed(fields: Fields) -> list[ListedFile]:
    if (fields.text("format"), fields.count("version")) != (FORMAT, VERSION):
        raise FieldError(f"its format is not {FORMAT} version {VERSION}")
    binary = listed_file(fields.object("binary"))
    modules = [listed_file(module) for module in fields.objects("modules")]
    if binary.name != f"{binary.sha256}.bin" or not all(module.name.endswith(".mjs") for module in modules):
        raise FieldError("it lists a file of another kind")
    return [binary, *modules]
