"""What the report.json in an artifact says beyond sizes: it is not listed in the manifest, so nobody vouches for it."""

from pathlib import Path
from typing import Any

from exporter.errors import ArtifactError
from exporter.strict_json import JsonProblem, parse_object

REPORT_FILE = "report.json"
_LONGEST_REPORT = 64 << 20


def stored_part(folder: Path, key: str) -> Any:
    """The value of `key`; None where it or the whole report is missing. Raises ArtifactError for what is no JSON."""
    try:
        with (folder / REPORT_FILE).open("rb") as file:
            return parse_object(file.read(_LONGEST_REPORT + 1), _LONGEST_REPORT).get(key)
    except FileNotFoundError:
        return None
    except JsonProblem as problem:
        raise ArtifactError(f"{REPORT_FILE} {problem}", str(folder), "Export the model again.") from None
