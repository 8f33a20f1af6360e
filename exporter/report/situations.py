"""What different visitors download: the first time, again, after an update, an adapter, or without WebGPU."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exporter.artifact import (
    FileEntry,
    Manifest,
    PlanEntry,
    Shard,
    read_adapter_manifest,
    read_adapter_plan,
    read_manifest,
)
from exporter.report.cpu_visit import cpu_trip
from exporter.report.measure import Report, levels_of, site_sizes
from exporter.report.networks import NETWORKS, Trip, rounds_of, seconds
from exporter.report.round_trips import asked_again, load_rounds, page_rounds
from exporter.report.runtime_files import BRING, RUNTIME, read_runtime
from exporter.report.site_files import ADAPTER_SHELF, SITE, added_levels, served
from exporter.report.wire import wire_sizes

# The manifest, then plan and tokenizer, then the shards, each named by what came before it.
_MODEL_ROUNDS = 3
_NO_RUNTIME = f"its runtime is not counted, as none was brought here: {BRING}"


@dataclass(frozen=True)
class Situation:
    """A visit: what it is, in words, and for each tier of device what it downloads."""

    name: str
    note: str
    trips: Mapping[str, Trip]

    def seconds(self, tier: str) -> Mapping[str, float]:
        """Predicted seconds on each of NETWORKS, by name."""
        return {network.name: seconds(self.trips[tier], network) for network in NETWORKS}


def situations_of(
    folder: Path,
    report: Report,
    previous: Path | None,
    adapter: Path | None,
    site: Path = SITE,
    runtime: Path = RUNTIME,
) -> Sequence[Situation]:
    """The situations of a model: an update where `previous`, an older build, is given; so with `adapter`.

    `runtime` is the folder of what computes without WebGPU.
    Raises ArtifactError for what is missing, damaged or no artifact, LoraError for an adapter of another base.
    """
    manifest = read_manifest(folder)
    found = [
        _first(folder, manifest, report, site),
        _repeat(manifest),
        _no_gpu(folder, manifest, report, site, runtime),
    ]
    if previous is not None:
        found.insert(2, _update(folder, report, previous))
    if adapter is not None:
        found.insert(-1, _adapter(adapter, folder, site))
    return found


def _plans(report: Report) -> Mapping[str, int]:
    return {file.file: file.travels for file in report.files if file.role == "plan"}


def _first(folder: Path, manifest: Manifest, report: Report, site: Path) -> Situation:
    plans = _plans(report)
    rest = report.first_visit - plans[manifest.plans[report.tier].file]
    rounds, requests = _asked(folder, manifest, report, site)
    trips = {tier: Trip(rest + plans[plan.file], rounds, requests) for tier, plan in manifest.plans.items()}
    return Situation("first visit", "nothing is kept on the device yet", trips)


def _asked(folder: Path, manifest: Manifest, report: Report, site: Path) -> tuple[int, int]:
    """Round trips of a first visit, and requests: the manifest is asked for twice, the list of models once."""
    levels = levels_of(folder, manifest, site)
    of_page = levels_of(folder, manifest, site, None)
    files = sum(file.visit for file in report.files)
    requests = files + asked_again(levels, of_page, site) + 2
    return page_rounds(of_page, site) + load_rounds(levels, site), requests


def _repeat(manifest: Manifest) -> Situation:
    trips = dict.fromkeys(manifest.plans, Trip(0, 0))
    return Situation("repeat visit", "weights are kept, all else is unchanged and has no body", trips)


def _no_gpu(folder: Path, manifest: Manifest, report: Report, site: Path, place: Path) -> Situation:
    runtime = read_runtime(place)
    trip = cpu_trip(folder, report, runtime, site)
    of_runtime = f"{runtime.travels:,} bytes of it {runtime.name}" if runtime else _NO_RUNTIME
    note = f"the CPU computes, with model.onnx for a plan; {of_runtime}"
    return Situation("without WebGPU", note, dict.fromkeys(manifest.plans, trip))


def _update(folder: Path, report: Report, previous: Path) -> Situation:
    manifest, old = read_manifest(folder), read_manifest(previous)
    changed = changed_files(folder, report, previous)
    plans = _plans(report)
    common = sum(size for name, size in changed.items() if name not in plans)
    trips = {
        tier: Trip(common + changed.get(plan.file, 0), _MODEL_ROUNDS if changed else 0)
        for tier, plan in manifest.plans.items()
    }
    return Situation("update", f"the other build of {old.name} is kept, the page is the same", trips)


def changed_files(folder: Path, report: Report, previous: Path) -> Mapping[str, int]:
    """Bytes that travel of what a visit needs and an older build has not, by file; plans of all tiers among them."""
    had, has = (_digests(read_manifest(build)) for build in (previous, folder))
    changed = {name for name, digest in has.items() if had.get(name) != digest}
    if (previous / "manifest.json").read_bytes() != (folder / "manifest.json").read_bytes():
        changed.add("manifest.json")
    needed = (file for file in report.files if file.visit or file.role == "plan")
    return {file.file: file.travels for file in needed if file.file in changed}


def _digests(manifest: Manifest) -> Mapping[str, str]:
    lists: Sequence[Iterable[FileEntry | PlanEntry | Shard]] = (
        manifest.files,
        manifest.plans.values(),
        manifest.fetched,
    )
    return {entry.file: entry.sha256 for entries in lists for entry in entries}


def _adapter(folder: Path, base: Path, site: Path) -> Situation:
    manifest, of_base = read_adapter_manifest(folder), read_manifest(base)
    for tier in of_base.plans:
        read_adapter_plan(folder, base, tier)
    visited = levels_of(base, of_base, site)
    levels = added_levels(ADAPTER_SHELF, {name for level in visited for name in level}, site)
    code = sum(site_sizes(served(site, name)).travels for level in levels for name in level)
    common = code + manifest.shard.bytes + _travels(folder, "manifest.json")
    rounds = rounds_of(levels) + _MODEL_ROUNDS
    trips = {
        tier: Trip(common + _travels(folder, manifest.plans[tier].file), rounds) for tier in of_base.plans
    }
    return Situation("adapter only", f"{manifest.name}, put over the model that is there", trips)


def _travels(folder: Path, name: str) -> int:
    return wire_sizes(name, (folder / name).read_bytes()).travels
