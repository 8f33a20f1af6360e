"""Reading an artifact back: the manifest, and what it vouches for."""

import difflib
import json
from pathlib import Path
from typing import Any

from ..errors import ArtifactError
from .file_checking import check_file
from .manifest import Manifest
from .manifest_parsing import MANIFEST_LIMIT, parse_manifest
from .plan_checking import check_plan

_NAMED = 5


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the artifact in `folder`; raises ArtifactError if it is missing or unfit."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise ArtifactError(
            "There is no manifest.json" if folder.is_dir() else "There is no such folder",
            str(folder),
            _remedy(folder),
        )
    with path.open("rb") as file:
        data = file.read(MANIFEST_LIMIT + 1)
    try:
        return parse_manifest(data)
    except ArtifactError as problem:
        raise ArtifactError(problem.what, str(path), problem.remedy) from None


def _remedy(folder: Path) -> str:
    """What somebody meant who named `folder`, which is no artifact."""
    if (folder / "config.json").is_file():
        return f"This is a checkpoint: make an artifact of it by `thistledown export {folder} -o DIR`."
    if held := _artifacts(folder):
        return f"Give one of the artifacts in it: {', '.join(held[:_NAMED])}."
    near = difflib.get_close_matches(folder.name, _artifacts(folder.parent), n=1)
    if near and not folder.exists():
        return f"Did you mean {folder.parent / near[0]}?"
    return "Give a folder that `thistledown export` made, with a manifest.json in it."


def _artifacts(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.glob("*/manifest.json"))


def read_artifact_plan(folder: Path, tier: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest and the plan for `tier` as JSON objects, checked field by field against FORMAT.md.

    Raises ArtifactError if one is missing, damaged or unfit.
    """
    manifest = read_manifest(folder)
    entry = manifest.plans.get(tier)
    if entry is None:
        tiers = ", ".join(manifest.plans) or "none"
        raise ArtifactError(f'There is no plan for tier "{tier}"', str(folder), f"There are {tiers}.")
    check_file(folder, entry)
    values: dict[str, Any] = json.loads(manifest.to_json())
    return values, check_plan((folder / entry.file).read_bytes(), manifest, tier)


def check_files(folder: Path) -> None:
    """Raises ArtifactError naming the first file that is missing or is not the one that the manifest lists."""
    manifest = read_manifest(folder)
    coded = [shard for shard in manifest.coded or () if shard]
    for entries in (manifest.files, manifest.plans.values(), manifest.shards, coded):
        for entry in entries:
            check_file(folder, entry)
