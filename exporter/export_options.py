"""What one export is asked for."""

from dataclasses import dataclass
from pathlib import Path

from exporter.lowering import MAX_BINDING
from exporter.quantization import SCHEMES
from exporter.report import WhatIf
from exporter.sizes import DEFAULT_SHARD_BYTES


@dataclass(frozen=True)
class ExportOptions:
    """Every choice of one export. `context` None: what the checkpoint allows; `budget` in bytes of a first visit.

    `task` None: what the checkpoint was made for. `rounding` is one of `quantization.METHODS`; `calibration` a file
    of texts to round by, one a line (None: ours, where texts are needed). `quantize` "auto" finds the mixture that
    changes the outputs by at most `target_kl`, or the best within `budget`. With `code_weights` a visit fetches
    weights entropy-coded. `what_if` tells of other schemes, for the report and the model card.
    """

    source: str
    output: Path
    quantize: str = "q8"
    context: int | None = None
    shard_size: int = DEFAULT_SHARD_BYTES
    budget: int | None = None
    overwrite: bool = False
    task: str | None = None
    rounding: str = "search"
    calibration: Path | None = None
    target_kl: float | None = None
    max_binding: int = MAX_BINDING
    code_weights: bool = False
    what_if: WhatIf | None = None

    @property
    def coded(self) -> bool:
        """Whether a visit fetches coded weights: uniform steps are made for it."""
        return self.code_weights or (self.quantize in SCHEMES and SCHEMES[self.quantize].step > 0)
