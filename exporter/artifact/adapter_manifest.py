"""manifest.json of an adapter: a plan a tier and one shard of its own, over the shards of a base that it names."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import ArtifactError, LoraError
from ..strict_json import JsonProblem, parse_object
from .compact_json import compact_json
from .fields import Fields
from .file_checking import check_file
from .manifest import FileEntry, Manifest, PlanEntry, Shard
from .manifest_parsing import (
    MANIFEST_LIMIT,
    NAME,
    check_distinct,
    keys_of,
    parse_file,
    parse_plans,
    parse_shard,
)
from .plan_checking import check_plan
from .reading import read_manifest

ADAPTER_FORMAT = "thistledown-adapter"
ADAPTER_VERSION = 1
_REMEDY = "Make the adapter again."


@dataclass(frozen=True)
class Base:
    """The artifact that an adapter belongs to: its name for people, what its weights are, its context."""

    name: str
    weights: str
    context: int


@dataclass(frozen=True)
class AdapterManifest:
    """What FORMAT.md lists under "Adapters"; `rank` is the largest."""

    name: str
    base: Base
    rank: int
    parameters: int
    shard: Shard
    plans: Mapping[str, PlanEntry]
    files: tuple[FileEntry, ...]

    def to_json(self) -> bytes:
        """The bytes of manifest.json."""
        fields: dict[str, Any] = asdict(self)
        return compact_json({"format": ADAPTER_FORMAT, "version": ADAPTER_VERSION, **fields})

    def over(self, base: Manifest) -> Manifest:
        """The base with the adapter's plans, and its shard as the last one: what its plans are checked against."""
        return replace(base, shards=(*base.shards, self.shard), plans=self.plans)


def base_of(manifest: Manifest) -> Base:
    """How an adapter names the artifact of `manifest`; `weights` is SHA-256 of the SHA-256 of its shards, in hex."""
    digests = "".join(shard.sha256 for shard in manifest.shards)
    return Base(manifest.name, hashlib.sha256(digests.encode("ascii")).hexdigest(), manifest.context)


def require_base(adapter: AdapterManifest, base: Manifest, where: str) -> None:
    """Raises LoraError unless `adapter` was made for the weights and the context of `base`."""
    found, wanted = base_of(base), adapter.base
    if (found.weights, found.context) != (wanted.weights, wanted.context):
        what = "other weights" if found.weights != wanted.weights else f"a context of {found.context}"
        raise LoraError(
            f"The adapter {adapter.name} was made for {wanted.name}, and {found.name} has {what}",
            where,
            "Give the base that it was made for, or make it again with `thistledown adapter`.",
        )


def parse_adapter_manifest(data: bytes) -> AdapterManifest:
    """The manifest in `data`; raises ArtifactError that names the first field that is unfit."""
    try:
        value = parse_object(data, MANIFEST_LIMIT)
    except JsonProblem as problem:
        raise ArtifactError(f"The manifest {problem}", "manifest.json", _REMEDY) from None
    version = value.get("version")
    if value.get("format") != ADAPTER_FORMAT or type(version) is not int or version != ADAPTER_VERSION:
        what = f"This is no {ADAPTER_FORMAT} of version {ADAPTER_VERSION}"
        raise ArtifactError(what, "manifest.json", "Give a folder that `thistledown adapter` made.")
    found = Fields(value, "", ("format", "version", *keys_of(AdapterManifest)))
    manifest = AdapterManifest(
        name=found.text("name", NAME),
        base=_base(found.pairs("base")),
        rank=found.whole("rank", least=1),
        parameters=found.whole("parameters", least=1),
        shard=parse_shard(found.pairs("shard"), "shard"),
        plans=parse_plans(found.pairs("plans")),
        files=tuple(parse_file(item, f"files.{i}") for i, item in enumerate(found.items("files"))),
    )
    check_distinct((manifest.shard, *manifest.plans.values(), *manifest.files))
    return manifest


def _base(value: dict[str, Any]) -> Base:
    found = Fields(value, "base", keys_of(Base))
    return Base(found.text("name", NAME), found.sha256("weights"), found.whole("context", least=1))


def read_adapter_manifest(folder: Path) -> AdapterManifest:
    """The manifest of the adapter in `folder`; raises ArtifactError if it is missing or unfit."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise ArtifactError(
            "There is no manifest.json", str(folder), "Give a folder that `thistledown adapter` made."
        )
    with path.open("rb") as file:
        data = file.read(MANIFEST_LIMIT + 1)
    try:
        return parse_adapter_manifest(data)
    except ArtifactError as problem:
        raise ArtifactError(problem.what, str(path), problem.remedy) from None


def read_adapter_plan(folder: Path, base: Path, tier: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The base's manifest with the adapter's shard and plans, and the plan for `tier`, as checked JSON objects.

    Raises ArtifactError for what is missing, damaged or unfit; LoraError for another base.
    """
    adapter, of_base = read_adapter_manifest(folder), read_manifest(base)
    require_base(adapter, of_base, str(base))
    entry = adapter.plans.get(tier)
    if entry is None:
        tiers = ", ".join(adapter.plans) or "none"
        raise ArtifactError(f'There is no plan for tier "{tier}"', str(folder), f"There are {tiers}.")
    check_file(folder, entry)
    check_file(folder, adapter.shard)
    both = adapter.over(of_base)
    values: dict[str, Any] = json.loads(both.to_json())
    return values, check_plan((folder / entry.file).read_bytes(), both, tier)
