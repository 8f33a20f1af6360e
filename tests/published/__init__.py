"""Configurations of published models, a folder each, for what needs their shapes and not their weights."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def config_of(name: str) -> dict[str, Any]:
    """config.json of the model called `name`."""
    values: dict[str, Any] = json.loads((FOLDER / name / "config.json").read_text())
    return values
