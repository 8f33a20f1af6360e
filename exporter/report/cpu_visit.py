"""What a first visit fetches where there is no WebGPU: the engine computes on the CPU, with model.onnx for a plan."""

from collections.abc import Mapping
from pathlib import Path

from exporter.artifact import read_manifest
from exporter.report.measure import Report, levels_of, site_sizes
from exporter.report.networks import Trip
from exporter.report.round_trips import cpu_asked_again, cpu_rounds
from exporter.report.runtime_files import Runtime
from exporter.report.site_files import CPU_WORKER, SITE, served

_ROLES = ("weights", "tokenizer", "manifest", "onnx")
# The manifest and the runtime's description are asked for by the page and by "Load model", the list of models once.
_ASKED_BESIDES = 3


def cpu_files(folder: Path, report: Report, runtime: Runtime | None, site: Path = SITE) -> Mapping[str, int]:
    """Bytes that travel, by file; those of the site lie below "site/", those of `runtime` below "runtime/"."""
    levels = levels_of(folder, read_manifest(folder), site, CPU_WORKER)
    of_site = {f"site/{name}": site_sizes(served(site, name)).travels for level in levels for name in level}
    of_model = {f.file: f.travels for f in report.files if f.role in _ROLES and (f.visit or f.role == "onnx")}
    of_runtime = {f"runtime/{name}": size for name, size in runtime.files.items()} if runtime else {}
    return {**of_site, **of_model, **of_runtime}


def cpu_trip(folder: Path, report: Report, runtime: Runtime | None, site: Path) -> Trip:
    """The whole of it."""
    files, manifest = cpu_files(folder, report, runtime, site), read_manifest(folder)
    levels = levels_of(folder, manifest, site, CPU_WORKER)
    of_page = levels_of(folder, manifest, site, None)
    requests = len(files) + cpu_asked_again(levels, of_page, site) + _ASKED_BESIDES
    return Trip(sum(files.values()), cpu_rounds(levels, of_page, site), requests)
