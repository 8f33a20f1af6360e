"""The tables that several forms of the report show, as headings and rows of cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from exporter.report.analysis import Analysis
from exporter.report.devices import ASSUMED, DEVICES
from exporter.report.difference import Difference, Mover
from exporter.report.forms.words import ROLE_WORDS, duration, folder_of, percent, short_name, signed
from exporter.report.measure import Report, ReportFile
from exporter.report.networks import NETWORKS
from exporter.report.waterfall import Step
from exporter.report.weights import Weight

FILE_HEADINGS = ("file", "role", "type", "bits", "raw", "gzip", "brotli", "travels")
WEIGHT_HEADINGS = ("weight", "role", "type", "parameters", "bytes", "bits", "entropy", "gap")
ROLE_HEADINGS = ("role", "first visit", "share", "folder and site", "")
STEP_HEADINGS = ("step", "bytes", "left")
MOVER_HEADINGS = ("what", "role", "before", "after", "change", "first visit")


@dataclass(frozen=True)
class Sizes:
    """Bytes as they are, as gzip, as brotli and as they travel; None where nobody compressed them."""

    raw: int
    gzip: int | None
    brotli: int | None
    travels: int


def file_rows(report: Report) -> list[Sequence[str]]:
    """Each file of the folder, and the files of the site by folder."""
    folders: dict[str, list[ReportFile]] = {}
    for file in report.files:
        folders.setdefault(folder_of(file), []).append(file)
    return [_file_row(name, files) for name, files in folders.items()]


def _file_row(name: str, files: Sequence[ReportFile]) -> Sequence[str]:
    first = files[0]
    shown = f"{name} ({len(files)} files)" if len(files) > 1 else short_name(first.file)
    bits = "" if first.bits_per_weight is None else f"{first.bits_per_weight:.2f}"
    travels = f"{sum(file.travels for file in files):,}" if first.visit else "not fetched"
    sizes = [_total([getattr(file, key) for file in files]) for key in ("raw", "gzip", "brotli")]
    return (shown, first.role, first.dtype, bits, *map(size, sizes), travels)


def _total(sizes: Sequence[int | None]) -> int | None:
    known = [each for each in sizes if each is not None]
    return sum(known) if len(known) == len(sizes) else None


def size(value: int | None) -> str:
    """Bytes, or nothing where they are not known."""
    return "" if value is None else f"{value:,}"


def total_rows(report: Report) -> list[Sequence[str]]:
    """What a first visit fetches, in four groups."""
    rows: list[Sequence[str]] = []
    for group, sizes in report.totals.items():
        bits = f"{report.bits_per_weight:.2f}" if group == "weights" and sizes["raw"] else ""
        rows.append(
            (group, "", "", bits, *(size(sizes[key]) for key in ("raw", "gzip", "brotli", "travels")))
        )
    return rows


def role_rows(analysis: Analysis) -> list[Sequence[str]]:
    """Bytes by role, with what each is of a first visit."""
    whole = analysis.report.first_visit
    return [
        (
            share.name,
            f"{share.travels:,}",
            percent(share.travels, whole),
            f"{share.bytes:,}",
            ROLE_WORDS[share.name],
        )
        for share in analysis.attribution.roles
    ]


def weight_rows(weights: Sequence[Weight]) -> list[Sequence[str]]:
    """One row a weight: bits for each parameter as shipped, by order-0 entropy, and the gap between them."""
    return [
        (
            short_name(weight.name),
            weight.role,
            weight.scheme,
            f"{weight.parameters:,}",
            f"{weight.shipped:,}",
            f"{weight.bits_per_weight:.2f}",
            f"{weight.entropy_per_weight:.2f}",
            f"{weight.gap:.2f}",
        )
        for weight in weights
    ]


def entropy_note(analysis: Analysis) -> str:
    """What a perfect coder would save of all weights, in a sentence."""
    shipped = sum(weight.shipped for weight in analysis.weights)
    entropy = sum(weight.entropy_bits for weight in analysis.weights) / 8
    return (
        f"Coded number by number the weights could have {entropy:,.0f} bytes instead of {shipped:,}, "
        f"{percent(shipped - round(entropy), shipped)} less."
    )


def situation_rows(analysis: Analysis) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Headings and rows: what each situation downloads on each tier, and what it is."""
    tiers = list(analysis.plans)
    rows = [
        (s.name, *(f"{s.trips[tier].travels:,}" for tier in tiers if tier in s.trips), s.note)
        for s in analysis.situations
    ]
    memory = ("GPU memory", *(f"{uses['total']:,}" for uses in analysis.memory.values()), "")
    return ("situation", *(f"{tier}, bytes" for tier in tiers), ""), [*rows, memory]


def network_rows(analysis: Analysis) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Headings and rows: predicted time of each situation on each network, and the network's numbers."""
    tier = analysis.report.tier
    shown = [s for s in analysis.situations if s.trips[tier].travels]
    rows: list[Sequence[str]] = [
        (
            network.name,
            f"{network.bits_per_second / 1e6:g} Mbit/s, {network.round_trip * 1000:g} ms",
            *(duration(s.seconds(tier)[network.name]) for s in shown),
        )
        for network in NETWORKS
    ]
    return ("network", "rate, round trip", *(s.name for s in shown)), rows


def result_words(analysis: Analysis) -> str:
    """What the times to a first result are of."""
    found = analysis.first_result
    return f"Predicted time to the first {found.what}, {found.tokens} tokens read"


def result_rows(analysis: Analysis) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Headings and rows: that time on each network with each device, beside the download alone."""
    tier = analysis.report.tier
    downloads, times = analysis.situations[0].seconds(tier), analysis.first_result.seconds[tier]
    rows: list[Sequence[str]] = [
        (name, duration(seconds), *(duration(times[device.name][name]) for device in DEVICES))
        for name, seconds in downloads.items()
    ]
    return ("network", "download", *(device.name for device in DEVICES)), rows


def result_note() -> str:
    """What is assumed of the devices."""
    sources = "; ".join(f"{device.name}: {device.source}" for device in DEVICES)
    return f"{ASSUMED} ({sources})."


def step_rows(steps: Sequence[Step]) -> list[Sequence[str]]:
    """Each step of the waterfall: its change, and what is left after it."""
    left = accumulate(step.change for step in steps)
    first, *others = zip(steps, left, strict=True)
    rows = [(step.name, signed(step.change), f"{rest:,}") for step, rest in others]
    return [(first[0].name, "", f"{first[1]:,}"), *rows]


def mover_rows(movers: Sequence[Mover]) -> list[Sequence[str]]:
    """One row each: bytes in the folder and the site before, after, the change, and that of a first visit."""
    return [
        (short_name(m.name), m.role, f"{m.old:,}", f"{m.new:,}", signed(m.bytes), signed(m.travels))
        for m in movers
    ]


def changed_roles(difference: Difference) -> list[Mover]:
    """The roles that changed, the largest change first, and the sum of all roles."""
    changed = [mover for mover in difference.roles if mover.bytes or mover.travels]
    sums = [sum(getattr(mover, key) for mover in difference.roles) for key in ("old", "new", "travels")]
    return [*changed, Mover("all", "", *sums)]
