"""What the checkpoint of an artifact was cut from: an export keeps it in report.json; the waterfall begins there."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from exporter.artifact import Fields
from exporter.report.stored_report import REPORT_FILE, stored_part

PRUNED_FROM = "pruned_from"


@dataclass(frozen=True)
class PrunedFrom:
    """The checkpoint before pruning, `name`, and the one that was exported: bytes and values of all their tensors.

    The exported one's are 0 where it has no tensors of its own, as beside an .onnx file.
    """

    name: str
    bytes: int
    values: int
    checkpoint_bytes: int
    checkpoint_values: int

    @property
    def left(self) -> int:
        """Bytes after pruning: those of the exported one, unless a later step saved it in a type of another width."""
        before, after = self.bytes / self.values, self.checkpoint_bytes / self.checkpoint_values
        if round(8 * before) == round(8 * after):
            return self.checkpoint_bytes
        return round(before * self.checkpoint_values)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def stored_pruned_from(folder: Path) -> PrunedFrom | None:
    """What report.json in `folder` says of it; None if nothing, or no step can be told of it.

    Raises ArtifactError for what is malformed.
    """
    value = stored_part(folder, PRUNED_FROM)
    if value is None:
        return None
    found = Fields(value, PRUNED_FROM, [field.name for field in fields(PrunedFrom)], REPORT_FILE)
    before = [found.whole(key, least=1) for key in ("bytes", "values")]
    after = [found.whole(key) for key in ("checkpoint_bytes", "checkpoint_values")]
    return PrunedFrom(found.text("name"), *before, *after) if all(after) else None
