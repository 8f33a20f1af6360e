"""Measures an artifact folder and the site: every file with its role, and what a first and a repeat visit transfer."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from exporter.artifact import ChatTemplate, Manifest, Shard, check_files, read_artifact_plan, read_manifest
from exporter.errors import ArtifactError
from exporter.report.site_files import SITE, TOKENIZER_CODE, WORKER, page_for, served, visit_levels
from exporter.report.tensors import VALUES, StoredTensor, stored_tensors
from exporter.report.wire import WireSizes, is_compressed, pieces_of, sizes_for_comparison, wire_sizes
from exporter.strict_json import JsonProblem, parse_object

_LONGEST_TOKENIZER = 64 << 20
FORMAT = "thistledown-report"
VERSION = 1
GROUPS = {
    "weights": ("weights",),
    "tokenizer": ("tokenizer",),
    "plan and kernels": ("manifest", "plan"),
    "engine and page": ("engine", "page"),
}
_SIZES = ("raw", "gzip", "brotli", "travels")


@dataclass(frozen=True)
class ReportFile:
    """One file: sizes in bytes; `travels` is the body that a browser receives; `visit` whether a visit fetches it.

    A coded file of weights `stands_for` a shard, and is read by chunks of `chunk_bytes`. `content` is which version of
    a file of the site was measured, as the site's service worker writes it: 96 bits of its SHA-256, in base64.
    gzip and brotli are None for files that travel as they are, where nobody compressed them for comparison.
    """

    file: str
    role: str
    dtype: str
    bits_per_weight: float | None
    raw: int
    gzip: int | None
    brotli: int | None
    travels: int
    visit: bool
    stands_for: str = ""
    chunk_bytes: int = 0
    content: str = ""


@dataclass(frozen=True)
class Report:
    """All files of an artifact and of the site that a visit touches. `tier` is the plan that the visit plays.

    `tensors` are what lies in the shards.
    """

    name: str
    task: str
    quantization: str
    parameters: int
    tier: str
    files: Sequence[ReportFile]
    tensors: Sequence[StoredTensor]

    @property
    def first_visit(self) -> int:
        """Bytes of bodies that a visitor with an empty cache receives."""
        return sum(file.travels for file in self.files if file.visit)

    @property
    def model_visit(self) -> int:
        """Of a first visit, the bytes of the artifact alone: the same beside every version of the site."""
        return sum(
            file.travels for file in self.files if file.visit and file.role not in GROUPS["engine and page"]
        )

    @property
    def repeat_visit(self) -> int:
        """Bytes of bodies when nothing has changed: weights are immutable, all else answers 304 without a body."""
        return 0

    @property
    def saved_by_sharing(self) -> int:
        """Bytes of weights that are read in several places and stored once: tied embeddings, layers that share."""
        return sum(tensor.saved for tensor in self.tensors)

    @property
    def totals(self) -> dict[str, dict[str, int | None]]:
        """Raw, gzip, brotli and travelling bytes of each group of files that a visit fetches."""
        return {group: self._sum(roles) for group, roles in GROUPS.items()}

    def _sum(self, roles: Sequence[str]) -> dict[str, int | None]:
        files = [file for file in self.files if file.visit and file.role in roles]
        return {key: _total([getattr(file, key) for file in files]) for key in _SIZES}

    @property
    def bits_per_weight(self) -> float:
        """Bits of weights that a visit fetches for each parameter."""
        weights = sum(file.raw for file in self.files if file.role == "weights" and file.visit)
        return 8 * weights / max(1, self.parameters)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "task": self.task,
            "quantization": self.quantization,
            "parameters": self.parameters,
            "bits_per_weight": round(self.bits_per_weight, 3),
            "tier": self.tier,
            "totals": self.totals,
            "first_visit": self.first_visit,
            "repeat_visit": self.repeat_visit,
            "saved_by_sharing": self.saved_by_sharing,
            "files": [_file(file) for file in self.files],
        }


def _file(file: ReportFile) -> dict[str, Any]:
    fields = asdict(file)
    coded = {key: fields.pop(key) for key in ("stands_for", "chunk_bytes")}
    content = {"content": fields.pop("content")}
    return fields | (coded if file.stands_for else {}) | (content if file.content else {})


def _total(sizes: Sequence[int | None]) -> int | None:
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def measure_artifact(folder: Path, tier: str = "base", site: Path = SITE) -> Report:
    """The report of the artifact in `folder`, for a visitor whose device plays `tier`.

    Raises ArtifactError if the folder is no artifact, or a listed file is missing or damaged.
    """
    check_files(folder)
    return _measure(folder, tier, site, compare=True)


def measure_export(folder: Path, tier: str = "base", site: Path = SITE) -> Report:
    """The report of what this process has just written to `folder`, as measure_artifact gives it.

    Shards are not read, so they may be missing; what travels as it is is not compressed for comparison.
    """
    return _measure(folder, tier, site, compare=False)


def _measure(folder: Path, tier: str, site: Path, *, compare: bool) -> Report:
    manifest = read_manifest(folder)
    shards = {shard.file: shard.bytes for shard in manifest.shards}
    tensors = stored_tensors(folder / "model.onnx", shards)
    files = [
        *_weights(folder, manifest, tensors, compare),
        *_plans(folder, manifest, tier),
        *_others(folder, manifest, compare),
        _measured("manifest.json", wire_sizes("manifest.json", _read(folder, "manifest.json")), "manifest"),
        *_site(folder, manifest, site),
    ]
    facts = (manifest.name, manifest.task, manifest.quantization, manifest.parameters)
    return Report(*facts, tier, tuple(files), tuple(tensors))


def _measured(
    name: str,
    sizes: WireSizes,
    role: str,
    *,
    visit: bool = True,
    dtype: str = "",
    bits: float | None = None,
) -> ReportFile:
    return ReportFile(name, role, dtype, bits, sizes.raw, sizes.gzip, sizes.brotli, sizes.travels, visit)


def _read(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def _sizes(folder: Path, name: str, size: int, compare: bool) -> WireSizes:
    if is_compressed(name, size):
        return wire_sizes(name, _read(folder, name))
    return sizes_for_comparison(pieces_of(folder / name)) if compare else WireSizes(size, None, None, size)


def _weights(
    folder: Path, manifest: Manifest, tensors: Sequence[StoredTensor], compare: bool
) -> list[ReportFile]:
    rows = []
    for index, shard in enumerate(manifest.shards):
        held = [tensor for tensor in tensors if tensor.file == shard.file]
        code = manifest.coded[index] if manifest.coded else None
        row = _weights_row(folder, shard, held, compare)
        rows.append(replace(row, visit=code is None))
        if code:
            row = _weights_row(folder, code, held, compare)
            rows.append(replace(row, stands_for=shard.file, chunk_bytes=code.chunk_bytes))
    return rows


def _weights_row(folder: Path, file: Shard, held: Sequence[StoredTensor], compare: bool) -> ReportFile:
    count = sum(tensor.parameters for tensor in held)
    bits = round(8 * file.bytes / count, 3) if count else None
    sizes = _sizes(folder, file.file, file.bytes, compare)
    return _measured(file.file, sizes, "weights", dtype=_kinds(held), bits=bits)


def _kinds(held: Sequence[StoredTensor]) -> str:
    """What a shard holds, the largest share first: "q4 + f16 scales + f32"."""
    sizes: Counter[str] = Counter()
    for tensor in held:
        kind = tensor.scheme if tensor.part == VALUES else f"{tensor.dtype} {tensor.part}"
        sizes[kind] += tensor.bytes
    return " + ".join(kind for kind, _ in sizes.most_common())


def _plans(folder: Path, manifest: Manifest, tier: str) -> list[ReportFile]:
    for each in dict.fromkeys((tier, *manifest.plans)):
        read_artifact_plan(folder, each)
    return [
        _measured(plan.file, wire_sizes(plan.file, _read(folder, plan.file)), "plan", visit=name == tier)
        for name, plan in manifest.plans.items()
    ]


def _others(folder: Path, manifest: Manifest, compare: bool) -> list[ReportFile]:
    return [
        _measured(
            entry.file,
            _sizes(folder, entry.file, entry.bytes, compare),
            entry.role,
            visit=entry.role == "tokenizer",
        )
        for entry in manifest.files
    ]


def _site(folder: Path, manifest: Manifest, site: Path) -> list[ReportFile]:
    rows = []
    for name in sorted(name for level in levels_of(folder, manifest, site) for name in level):
        role = "engine" if name.startswith("engine/") else "page"
        path = served(site, name)
        rows.append(replace(_measured(f"site/{name}", site_sizes(path), role), content=_content(path)))
    return rows


def _content(path: Path) -> str:
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()[:12]).decode()


def levels_of(
    folder: Path, manifest: Manifest, site: Path, worker: str | None = WORKER
) -> Sequence[Sequence[str]]:
    """What the page for the model in `folder` loads, as `visit_levels` gives it."""
    chat = manifest.generation.chat if manifest.generation else None
    carries, extracts = isinstance(chat, ChatTemplate), manifest.extraction is not None
    return visit_levels(
        manifest.task,
        site,
        carries_template=carries,
        extracts=extracts,
        worker=worker,
        decodes=manifest.coded is not None,
        tokenizer=_tokenizer_kinds(folder / "tokenizer.json"),
    )


def page_of(folder: Path) -> str:
    """The page that plays the model in `folder`. Raises ArtifactError if it is no artifact, or has no page."""
    manifest = read_manifest(folder)
    page = page_for(manifest.task, extracts=manifest.extraction is not None)
    if page is None:
        raise ArtifactError(f"No page plays {manifest.task}", str(folder), "Measure another model.")
    return page


def _tokenizer_kinds(path: Path) -> Collection[str]:
    """Kinds of TOKENIZER_CODE in tokenizer.json; all of them where there is none to be read."""
    try:
        parts = parse_object(path.read_bytes(), _LONGEST_TOKENIZER)
    except (OSError, JsonProblem):
        return TOKENIZER_CODE
    model = parts.get("model")
    kind = model.get("type", "BPE") if isinstance(model, dict) else ""
    found = {kind} if isinstance(kind, str) and kind in TOKENIZER_CODE else set()
    return found | ({"Precompiled"} if '"Precompiled"' in json.dumps(parts.get("normalizer")) else set())


def site_sizes(path: Path) -> WireSizes:
    """Sizes of a file of the site; it is the same for every model that a process measures."""
    return _site_sizes(path, path.stat().st_mtime_ns)


@cache
def _site_sizes(path: Path, _changed: int) -> WireSizes:
    return wire_sizes(path.name, path.read_bytes())
