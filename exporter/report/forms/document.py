"""The report as one JSON document; report.schema.json says what it holds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from exporter.report.analysis import Analysis
from exporter.report.ancestry import PRUNED_FROM
from exporter.report.attribution import Attribution, Share
from exporter.report.devices import DEVICES
from exporter.report.difference import Difference, Mover
from exporter.report.first_result import FirstResult
from exporter.report.forms.words import layer_of, part_of
from exporter.report.networks import NETWORKS
from exporter.report.situations import Situation
from exporter.report.weights import Weight


def document(analysis: Analysis) -> str:
    """What report.json in the artifact says, and beside it what needs every byte to be read."""
    values: dict[str, Any] = {
        **analysis.report.to_json(),
        "attribution": _attribution(analysis.attribution),
        "weights": [_weight(weight) for weight in analysis.weights],
        "tiers": {
            name: {"features": list(plan.features), "memory": dict(analysis.memory[name])}
            for name, plan in analysis.plans.items()
        },
        "networks": [asdict(network) for network in NETWORKS],
        "situations": [_situation(situation) for situation in analysis.situations],
        "devices": [asdict(device) for device in DEVICES],
        "first_result": _first_result(analysis.first_result),
    }
    values["waterfall"] = [asdict(step) for step in analysis.waterfall]
    if analysis.pruned_from:
        values[PRUNED_FROM] = analysis.pruned_from.to_json()
    if analysis.what_if:
        values["what_if"] = analysis.what_if.to_json()
    if analysis.difference:
        values["difference"] = _difference(analysis.difference)
    return json.dumps(values, indent=2, ensure_ascii=False)


def _attribution(attribution: Attribution) -> Mapping[str, Any]:
    return {
        "folder_bytes": attribution.folder_bytes,
        "left_over": 0,
        "by_role": _shares(attribution.roles),
        "by_layer": _shares(attribution.by(layer_of)),
        "by_scheme": _shares(attribution.by(lambda piece: piece.scheme or "not weights")),
        "by_dtype": _shares(attribution.by(lambda piece: piece.dtype or "not weights")),
        "by_part": _shares(attribution.by(part_of)),
        "by_file": _shares(attribution.by(lambda piece: piece.file)),
        "pieces": [asdict(piece) for piece in attribution.pieces],
    }


def _shares(shares: Sequence[Share]) -> list[dict[str, Any]]:
    return [asdict(share) for share in shares]


def _weight(weight: Weight) -> Mapping[str, Any]:
    return {
        **asdict(weight),
        "entropy_bits": round(weight.entropy_bits),
        "bytes": weight.bytes,
        "bits_per_weight": round(weight.bits_per_weight, 3),
        "entropy_per_weight": round(weight.entropy_per_weight, 3),
        "gap": round(weight.gap, 3),
    }


def _situation(situation: Situation) -> Mapping[str, Any]:
    return {
        "name": situation.name,
        "note": situation.note,
        "tiers": {
            tier: {**asdict(trip), "predicted_seconds": _rounded(situation.seconds(tier))}
            for tier, trip in situation.trips.items()
        },
    }


def _first_result(found: FirstResult) -> Mapping[str, Any]:
    tiers = {
        tier: {
            **asdict(work),
            "predicted_seconds": {name: _rounded(times) for name, times in found.seconds[tier].items()},
        }
        for tier, work in found.work.items()
    }
    return {"what": found.what, "tokens": found.tokens, "tiers": tiers}


def _rounded(seconds: Mapping[str, float]) -> Mapping[str, float]:
    return {name: round(value, 2) for name, value in seconds.items()}


def _difference(difference: Difference) -> Mapping[str, Any]:
    return {
        **asdict(difference),
        "movers": [_mover(mover) for mover in difference.movers],
        "roles": [_mover(mover) for mover in difference.roles],
        "update": difference.update,
    }


def _mover(mover: Mover) -> Mapping[str, Any]:
    return {**asdict(mover), "bytes": mover.bytes}
