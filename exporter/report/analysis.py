"""All that the report command tells about an artifact, read and summed once for every form of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exporter.artifact import PlanEntry, gpu_memory, read_manifest
from exporter.errors import printable
from exporter.report.ancestry import PrunedFrom, stored_pruned_from
from exporter.report.attribution import Attribution, attribute
from exporter.report.difference import Build, Difference, compare
from exporter.report.first_result import FirstResult, first_result
from exporter.report.measure import Report, measure_artifact
from exporter.report.situations import Situation, changed_files, situations_of
from exporter.report.waterfall import Step, waterfall
from exporter.report.weights import Weight, read_weights
from exporter.report.what_if import WhatIf, stored_what_if


@dataclass(frozen=True)
class Analysis:
    """The report with all bytes explained; `plans`, and the GPU's `memory` by use, are by tier.

    `difference` is there where another build is given,
    `what_if` are other schemes where somebody measured them; `pruned_from` where the checkpoint was cut from another.
    """

    report: Report
    attribution: Attribution
    weights: Sequence[Weight]
    plans: Mapping[str, PlanEntry]
    memory: Mapping[str, Mapping[str, int]]
    situations: Sequence[Situation]
    first_result: FirstResult
    difference: Difference | None
    what_if: WhatIf | None
    pruned_from: PrunedFrom | None

    @property
    def waterfall(self) -> Sequence[Step]:
        """How the model came down to what travels."""
        return waterfall(self.report, self.weights, self.what_if, self.pruned_from)


def analyse(
    folder: Path,
    tier: str = "base",
    previous: Path | None = None,
    adapter: Path | None = None,
    what_if: WhatIf | None = None,
) -> Analysis:
    """Everything about the artifact in `folder`, for a visitor whose device plays `tier`.

    `previous` is another build that it is compared with, `adapter` an adapter for it, `what_if` what was measured of
    other schemes (None: what report.json tells of them).
    Raises ArtifactError for what is missing, damaged or no artifact; LoraError for an adapter of another base.
    """
    build, report = _read(folder, tier)
    manifest = read_manifest(folder)
    situations = situations_of(folder, report, previous, adapter)
    difference = _difference(folder, build, report, previous) if previous is not None else None
    schemes = what_if or stored_what_if(folder)
    return Analysis(
        report,
        build.attribution,
        build.weights,
        manifest.plans,
        {each: gpu_memory(manifest, each) for each in manifest.plans},
        situations,
        first_result(folder, manifest.task, situations[0]),
        difference,
        schemes.beside(report) if schemes else None,
        stored_pruned_from(folder),
    )


def _read(folder: Path, tier: str) -> tuple[Build, Report]:
    report = measure_artifact(folder, tier)
    attribution = attribute(folder, report)
    shipped = {share.name: share.travels for share in attribution.by(lambda piece: piece.name)}
    weights = read_weights(folder, report.tensors, shipped)
    return Build(printable(folder.resolve().name), report.first_visit, attribution, weights), report


def _difference(folder: Path, new: Build, report: Report, previous: Path) -> Difference:
    old, _ = _read(previous, report.tier)
    changed = changed_files(folder, report, previous)
    visited = {file.file for file in report.files if file.visit}
    return compare(old, new, {name: size for name, size in changed.items() if name in visited})
