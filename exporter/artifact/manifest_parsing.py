"""manifest.json from outside, believed only after every field has been checked."""

import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, get_args

from ..errors import ArtifactError
from ..strict_json import JsonProblem, parse_object
from .fields import Fields
from .manifest import (
    CANARY_BITS,
    FORMAT,
    VERSION,
    Canary,
    Chat,
    ChatTemplate,
    FileEntry,
    Fold,
    Generation,
    Manifest,
    Order,
    PlanEntry,
    Role,
    ScoreFunction,
    Shard,
    Task,
)

MANIFEST_LIMIT = 4 * 1024 * 1024
_REMEDY = "Export the model again."
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
_TIER = re.compile(r"[a-z0-9-]{1,32}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_CHAT_ROLE = re.compile(r"[a-z_]{1,32}")
_FEATURE = re.compile(r"[a-z0-9-]{1,64}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LABEL = re.compile(r"[^\x00-\x1f\x7f]{0,256}")
# What a task cannot do without.
_NEEDED = {
    "text-classification": ("labels", "score_function"),
    "token-classification": ("labels", "score_function"),
    "fill-mask": ("mask_token",),
}
# Keys that artifacts of the first tasks do not have.
_LATER = {
    "labels": None,
    "score_function": None,
    "mask_token": None,
    "extraction": None,
    "canary": None,
    "coded": None,
}
_SCHEMES = ("f32", "f16", "q8", "q4", "q2", "q8z", "q4z", "q2z")
_UNIFORM = ("e3", "e3.5", "e4", "e4.5", "e5", "e6")
_QUANTIZATIONS = (*_SCHEMES, *_UNIFORM, "q4-mixed", "hybrid", "auto")


def parse_manifest(data: bytes) -> Manifest:
    """The manifest in `data`; raises ArtifactError that names the first field that is unfit."""
    try:
        value = parse_object(data, MANIFEST_LIMIT)
    except JsonProblem as problem:
        raise ArtifactError(f"The manifest {problem}", "manifest.json", _REMEDY) from None
    if value.get("format") != FORMAT or type(value.get("version")) is not int or value["version"] != VERSION:
        raise ArtifactError(
            f"This is no {FORMAT} artifact of version {VERSION}", "manifest.json", "Export with this version."
        )
    manifest = _manifest(Fields(_LATER | value, "", ("format", "version", *keys_of(Manifest))))
    coded = tuple(shard for shard in manifest.coded or () if shard)
    check_distinct((*manifest.shards, *coded, *manifest.plans.values(), *manifest.files))
    _check_task(manifest)
    return manifest


def _manifest(found: Fields) -> Manifest:
    return Manifest(
        name=found.text("name", NAME),
        title=found.text("title"),
        task=found.one_of("task", get_args(Task)),
        architecture=found.text("architecture"),
        source=found.text("source"),
        license=found.optional("license", found.text),
        languages=found.texts("languages", _LANGUAGE),
        quantization=found.one_of("quantization", _QUANTIZATIONS),
        parameters=found.whole("parameters"),
        context=found.whole("context", least=1),
        dimensions=found.optional("dimensions", lambda key: found.whole(key, least=1)),
        vocabulary=found.whole("vocabulary", least=1),
        generation=found.optional("generation", lambda key: _generation(found.pairs(key))),
        shards=tuple(parse_shard(item, f"shards.{i}") for i, item in enumerate(found.items("shards"))),
        plans=parse_plans(found.pairs("plans")),
        files=tuple(parse_file(item, f"files.{i}") for i, item in enumerate(found.items("files"))),
        labels=found.optional("labels", lambda key: found.texts(key, _LABEL)),
        score_function=found.optional(
            "score_function", lambda key: found.one_of(key, get_args(ScoreFunction))
        ),
        mask_token=found.optional("mask_token", found.text),
        extraction=found.optional("extraction", lambda key: _extraction(found.pairs(key))),
        canary=found.optional("canary", lambda key: _canary(found.pairs(key))),
        coded=found.optional("coded", lambda key: _coded(found, key)),
    )


def _coded(found: Fields, key: str) -> tuple[Shard | None, ...]:
    items = found.items(key)
    if len(items) != len(found.items("shards")):
        raise found.unfit(key, "does not list as many as there are shards")
    return tuple(None if item is None else parse_shard(item, f"{key}.{i}") for i, item in enumerate(items))


def _canary(value: Any) -> Canary:
    found = Fields(value, "canary", keys_of(Canary))
    rows = [
        [
            _canary_value(pair, f"canary.rows.{i}.{j}")
            for j, pair in enumerate(_items(row, f"canary.rows.{i}"))
        ]
        for i, row in enumerate(found.items("rows"))
    ]
    return Canary(found.wholes("ids"), found.whole("exponent", -126, 126), tuple(map(tuple, rows)))


def _canary_value(value: Any, path: str) -> tuple[int, int]:
    most = 2**CANARY_BITS
    parts = {str(place): part for place, part in enumerate(_items(value, path))}
    found = Fields(parts, path, ("0", "1"))
    return found.whole("0"), found.whole("1", -most, most)


def _items(value: Any, path: str) -> list[Any]:
    return Fields({"list": value}, path, ("list",)).items("list")


def _extraction(value: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    found = Fields(value, "extraction", value)
    unfit = [kind for kind in value if not _KIND.fullmatch(kind)]
    if unfit or not value:
        raise found.unfit("", "has no kinds that match " + _KIND.pattern)
    return {kind: found.texts(kind, _KIND) for kind in value}


def _generation(value: Any) -> Generation:
    with_chat = {"chat": None, **value} if isinstance(value, dict) else value
    found = Fields(with_chat, "generation", keys_of(Generation))
    return Generation(
        found.wholes("stop_ids"),
        found.optional("bos_id", found.whole),
        found.number("temperature", 0, 100),
        found.whole("top_k"),
        found.number("top_p", 0, 1),
        found.optional("chat", lambda key: _chat(found.pairs(key))),
    )


def _chat(value: Any) -> Chat | ChatTemplate:
    if isinstance(value, dict) and "template" in value:
        return ChatTemplate(Fields(value, "generation.chat", keys_of(ChatTemplate)).file("template"))
    plain: dict[str, Any] = {"trim": [], "omit_empty": [], "fold": None, "order": "any"}
    found = Fields({**plain, **value}, "generation.chat", keys_of(Chat))
    roles = {}
    for role, around in found.pairs("roles").items():
        if not (
            isinstance(around, list)
            and 2 <= len(around) <= 4
            and all(isinstance(text, str) for text in around)
        ):
            raise found.unfit(f"roles.{role}", "is not two to four texts")
        roles[role] = tuple(around)
    return Chat(
        found.template("start"),
        roles,
        found.template("answer"),
        found.optional("system", found.template),
        found.texts("trim", _CHAT_ROLE),
        found.texts("omit_empty", _CHAT_ROLE),
        found.optional("fold", lambda key: _fold(found.pairs(key))),
        found.one_of("order", get_args(Order)),
    )


def _fold(value: Any) -> Fold:
    found = Fields(value, "generation.chat.fold", keys_of(Fold))
    return Fold(found.template("before"), found.template("after"), found.flag("trim"))


def parse_shard(value: Any, path: str) -> Shard:
    """A shard of a manifest, named by its SHA-256 and covered by its chunks; raises ArtifactError."""
    found = Fields(value, path, keys_of(Shard))
    shard = Shard(
        found.file("file"),
        found.whole("bytes", least=1),
        found.sha256("sha256"),
        found.whole("chunk_bytes", least=1),
        found.hashes("chunks"),
    )
    if shard.file != f"{shard.sha256}.bin":
        raise ArtifactError(f"{path}.file is not named by its SHA-256", "manifest.json", _REMEDY)
    if len(shard.chunks) != -(-shard.bytes // shard.chunk_bytes):
        raise ArtifactError(f"{path}.chunks does not cover its bytes", "manifest.json", _REMEDY)
    return shard


def parse_plans(value: dict[str, Any]) -> dict[str, PlanEntry]:
    """The plans of a manifest by tier; raises ArtifactError."""
    unfit = [tier for tier in value if not _TIER.fullmatch(tier)]
    if unfit:
        raise ArtifactError(f'plans has the unfit tier "{unfit[0]}"', "manifest.json", _REMEDY)
    return {tier: _plan(entry, f"plans.{tier}") for tier, entry in value.items()}


def _plan(value: Any, path: str) -> PlanEntry:
    found = Fields(value, path, keys_of(PlanEntry))
    return PlanEntry(
        found.file("file"),
        found.whole("bytes", least=1),
        found.sha256("sha256"),
        found.texts("features", _FEATURE),
        found.sizes("memory"),
        found.sizes("limits"),
    )


def parse_file(value: Any, path: str) -> FileEntry:
    """A file of a manifest that is neither a shard nor a plan; raises ArtifactError."""
    found = Fields(value, path, keys_of(FileEntry))
    role = found.one_of("role", get_args(Role))
    return FileEntry(found.file("file"), role, found.whole("bytes"), found.sha256("sha256"))


def _check_task(manifest: Manifest) -> None:
    """What the task cannot do without."""
    needed = _NEEDED.get(manifest.task, ())
    missing = next((key for key in needed if not getattr(manifest, key)), None)
    if missing is not None:
        raise ArtifactError(f"{missing} is missing", "manifest.json", _REMEDY)


def check_distinct(entries: Iterable[Shard | PlanEntry | FileEntry]) -> None:
    """Raises ArtifactError if two of the files of one manifest have the same name."""
    seen = {"manifest.json"}
    for entry in entries:
        # Two names that differ in case only are one file on some systems.
        if entry.file.lower() in seen:
            raise ArtifactError(f'"{entry.file}" is listed twice', "manifest.json", _REMEDY)
        seen.add(entry.file.lower())


def keys_of(row: type[Any]) -> tuple[str, ...]:
    """The keys of the JSON object that `row`, a dataclass, is written as."""
    return tuple(field.name for field in fields(row))
