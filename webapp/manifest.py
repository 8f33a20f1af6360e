"""Reads manifest.json (exporter/artifact/FORMAT.md) of an artifact or an adapter: what may be served, and its facts."""

import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webapp.confinement import open_confined
from webapp.errors import WebappError
from webapp.fields import FieldError, Fields, parse_object
from webapp.media import safe_name

FILE_NAME = "manifest.json"
FORMAT, ADAPTER_FORMAT, VERSION = "thistledown", "thistledown-adapter", 1
LARGEST_MANIFEST = 64 * 1024 * 1024
SUFFIXES = (".json", ".md", ".onnx")  # of `files`; a page or a script would run as if it were this site's own
VISIT_ROLES = frozenset({"tokenizer", "generation"})  # of `files`; the rest is no part of a visit
WASM = "wasm"  # in the place of a tier: a visit without WebGPU, which fetches these in the place of a plan:
WASM_ROLES = frozenset({"onnx", "tokenizer"})
MOST_NAMED = 5  # folders in one message

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True)
class ListedFile:
    """A file as the manifest states it: size in bytes and the SHA-256 of the whole."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """`files`: every file of the artifact by name, manifest.json included. `facts`: for a model's card.

    An adapter is no model of its own: it has no facts. `visits`: the names of the files that a first visit fetches, by
    tier, and without WebGPU.
    """

    files: Mapping[str, ListedFile]
    facts: Mapping[str, Any]
    visits: Mapping[str, Sequence[str]]


def read_manifest(folder: Path) -> Manifest:
    """The checked manifest in the resolved `folder`. Raises WebappError if it is absent or damaged."""
    place = str(folder / FILE_NAME)
    data = _manifest_bytes(folder)
    if data is None:
        raise WebappError("There is no manifest to read", place, _what_to_give(folder))
    try:
        return _manifest(parse_object(data), data)
    except FieldError as error:
        raise WebappError(f"The manifest is damaged: {error}", place, "Export the model again.") from error


def _what_to_give(folder: Path) -> str:
    inside = sorted(str(found.parent) for found in folder.glob(f"*/{FILE_NAME}"))[:MOST_NAMED]
    if inside:
        return f"Give the artifact folders inside it: {shlex.join(inside)}"
    return "Give a folder that `thistledown export` or `adapter` has written."


def _manifest_bytes(folder: Path) -> bytes | None:
    opened = open_confined(folder / FILE_NAME, folder)
    if opened is None:
        return None
    with opened as file:
        data = file.read(LARGEST_MANIFEST + 1)
    return data if len(data) <= LARGEST_MANIFEST else None


def _manifest(fields: Fields, data: bytes) -> Manifest:
    _check_version(fields)
    own = ListedFile(FILE_NAME, len(data), hashlib.sha256(data).hexdigest())
    if fields.text("format") == ADAPTER_FORMAT:
        plans = dict(_plans(fields.object("plans")))
        others = map(_other, fields.objects("files"))
        return Manifest(_by_name([own, _shard(fields.object("shard")), *plans.values(), *others]), {}, {})
    return _model(fields, own)


def _model(fields: Fields, own: ListedFile) -> Manifest:
    shards = [_shard(shard) for shard in fields.objects("shards")]
    plans = dict(_plans(fields.object("plans")))
    others = [(entry.text("role"), _other(entry)) for entry in fields.objects("files")]
    coded = _coded(fields, len(shards))
    listed = [own, *shards, *filter(None, coded), *plans.values(), *(file for _, file in others)]
    fetched = [code or shard for code, shard in zip(coded, shards, strict=True)]
    visit = [own, *fetched, *(file for role, file in others if role in VISIT_ROLES)]
    visits = {tier: [file.name for file in (*visit, plan)] for tier, plan in plans.items()}
    visits[WASM] = [own.name, *(file.name for file in fetched)]
    visits[WASM] += [file.name for role, file in others if role in WASM_ROLES]
    return Manifest(_by_name(listed), _facts(fields, plans), visits)


def _coded(fields: Fields, shards: int) -> Sequence[ListedFile | None]:
    """What is fetched for each shard in its place, where there is such a file."""
    coded = fields.objects_or_nones("coded") or [None] * shards
    if len(coded) != shards:
        raise FieldError("coded does not list as many as there are shards")
    return [None if entry is None else _shard(entry) for entry in coded]


def _check_version(fields: Fields) -> None:
    name, version = fields.text("format"), fields.count("version")
    if name not in (FORMAT, ADAPTER_FORMAT) or version != VERSION:
        raise FieldError(f"format {name} version {version} is unknown; {FORMAT} version {VERSION} is known")


def _shard(fields: Fields) -> ListedFile:
    shard = listed_file(fields)
    if shard.name != f"{shard.sha256}.bin":
        raise FieldError(f"shard {shard.name} is not named by its hash")
    return shard


def _plans(fields: Fields) -> Iterator[tuple[str, ListedFile]]:
    for tier in fields:
        plan = listed_file(fields.object(tier))
        if not _TIER.fullmatch(tier) or plan.name != f"plan.{tier}.json":
            raise FieldError(f"plan {plan.name} is not named by its tier")
        yield tier, plan


def _other(fields: Fields) -> ListedFile:
    file = listed_file(fields)
    if not file.name.endswith(SUFFIXES):
        raise FieldError(f"{file.name} is of a kind that no artifact has")
    return file


def listed_file(fields: Fields) -> ListedFile:
    """The checked entry of one file. Raises FieldError."""
    file = ListedFile(fields.text("file"), fields.count("bytes"), fields.text("sha256"))
    if not safe_name(file.name):
        raise FieldError(f"{file.name} is not a plain file name")
    if not _SHA256.fullmatch(file.sha256):
        raise FieldError(f"the hash of {file.name} is not 64 hex digits")
    return file


def _by_name(listed: list[ListedFile]) -> dict[str, ListedFile]:
    names = {file.name.casefold() for file in listed}
    if len(names) != len(listed):
        raise FieldError("a file is listed twice")
    return {file.name: file for file in listed}


def _facts(fields: Fields, plans: Mapping[str, ListedFile]) -> dict[str, Any]:
    return {
        "name": fields.text("name"),
        "title": fields.text("title"),
        "task": fields.text("task"),
        "architecture": fields.text("architecture"),
        "license": fields.text_or_none("license"),
        "languages": fields.texts("languages"),
        "quantization": fields.text("quantization"),
        "parameters": fields.count("parameters"),
        "context": fields.count("context"),
        "dimensions": fields.count_or_none("dimensions"),
        "labels": fields.texts_or_none("labels"),
        "extraction": fields.lists_or_none("extraction"),
        "plans": {tier: _plan_facts(fields.object("plans").object(tier)) for tier in plans},
    }


def _plan_facts(fields: Fields) -> dict[str, Any]:
    return {
        "features": fields.texts("features"),
        "memory": fields.counts("memory"),
        "limits": fields.counts("limits"),
        "bytes": fields.count("bytes"),
    }
