"""What the same model would cost and keep in other schemes: bytes of a first visit beside quality and GPU memory."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from exporter.artifact import Fields
from exporter.report.measure import Report
from exporter.report.stored_report import REPORT_FILE, stored_part

COSINE, DIVERGENCE = "1 - cosine", "KL"
WHAT_IF = "what_if"
_NAME = re.compile(r"\S.*")
_KEYS = ("name", "coded", "first_visit", "weights", "memory", "distance")
# KL has no bound, but beyond this a model says nothing that the float model says.
_FARTHEST = 1e6


@dataclass(frozen=True)
class Alternative:
    """One scheme: `name` as --schemes spells it, `coded` whether a visit fetches coded weights.

    `weights` are the bytes of weights in `first_visit`, `memory` the GPU memory of each tier, `distance` what the
    answers differ by from those of the float model.
    """

    name: str
    coded: bool
    first_visit: int
    weights: int
    memory: Mapping[str, int]
    distance: float


@dataclass(frozen=True)
class WhatIf:
    """All schemes that were tried, those of fewer bytes first.

    `distance` is COSINE or DIVERGENCE, a mean over `texts` texts of `tokens` tokens. `checkpoint_bytes` and
    `checkpoint_values` are what all tensors of the checkpoint take and hold; None where it has no tensors.
    """

    distance: str
    texts: int
    tokens: int
    checkpoint_bytes: int | None
    checkpoint_values: int | None
    alternatives: Sequence[Alternative]

    @property
    def best(self) -> Sequence[Alternative]:
        """Those that no other one beats in both bytes and distance."""
        found: list[Alternative] = []
        for each in sorted(self.alternatives, key=lambda a: (a.first_visit, a.distance)):
            if not found or each.distance < found[-1].distance:
                found.append(each)
        return found

    def own(self, report: Report) -> Alternative | None:
        """The one that `report` is about; None if it was not tried."""
        coded = any(file.stands_for for file in report.files)
        alike = (
            a for a in self.alternatives if a.coded == coded and a.name.split()[0] == report.quantization
        )
        return next((each for each in alike if not each.name.startswith("auto")), None)

    def beside(self, report: Report) -> "WhatIf":
        """The same, with the bytes that `report` has for its own scheme: its model card tells of the others."""
        own = self.own(report)
        mended = [
            replace(each, first_visit=report.first_visit) if each is own else each
            for each in self.alternatives
        ]
        return replace(self, alternatives=mended)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "alternatives": [asdict(each) for each in self.alternatives]}


def stored_what_if(folder: Path) -> WhatIf | None:
    """What report.json in `folder` says of other schemes; None where it says nothing, or is missing.

    Raises ArtifactError for what is malformed.
    """
    value = stored_part(folder, WHAT_IF)
    return None if value is None else _parse(value)


def _parse(value: Any) -> WhatIf:
    keys = ("distance", "texts", "tokens", "checkpoint_bytes", "checkpoint_values", "alternatives")
    found = Fields(value, WHAT_IF, keys, REPORT_FILE)
    if not found.items("alternatives"):
        raise found.unfit("alternatives", "has none")
    return WhatIf(
        distance=found.one_of("distance", (COSINE, DIVERGENCE)),
        texts=found.whole("texts"),
        tokens=found.whole("tokens"),
        checkpoint_bytes=found.optional("checkpoint_bytes", found.whole),
        checkpoint_values=found.optional("checkpoint_values", lambda key: found.whole(key, least=1)),
        alternatives=[
            _alternative(item, f"what_if.alternatives.{i}")
            for i, item in enumerate(found.items("alternatives"))
        ],
    )


def _alternative(value: Any, path: str) -> Alternative:
    found = Fields(value, path, _KEYS, REPORT_FILE)
    return Alternative(
        name=found.text("name", _NAME),
        coded=found.flag("coded"),
        first_visit=found.whole("first_visit", least=1),
        weights=found.whole("weights"),
        memory=found.sizes("memory"),
        distance=found.number("distance", 0, _FARTHEST),
    )
