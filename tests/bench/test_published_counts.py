"""What a token costs in models of published shapes, by their plans alone: no weight is read."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import plan_counts
from exporter import pipeline
from exporter.export_options import ExportOptions
from exporter.pipeline import predict
from exporter.progress import Progress
from tests.published import config_of

SMALL = config_of("granite-4.0-h-350m")
FOUR = (5, 15, 25, 35)
LARGER = SMALL | {
    "hidden_size": 1536,
    "num_hidden_layers": 40,
    "layer_types": ["attention" if layer in FOUR else "mamba" for layer in range(40)],
    "shared_intermediate_size": 4096,
    "intermediate_size": 4096,
    "mamba_d_head": 64,
}


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The plans that are written from now on."""
    seen: list[dict[str, Any]] = []
    write = pipeline._write_plan

    def noting(folder: Path, plan: Any) -> Any:
        seen.append(plan.to_json())
        return write(folder, plan)

    monkeypatch.setattr(pipeline, "_write_plan", noting)
    return seen


@pytest.mark.parametrize(
    ("config", "dispatches"), [(SMALL, 175), (LARGER, 215)], ids=["Granite-4.0-H-350M", "Granite-4.0-H-1B"]
)
def test_a_token_has_few_dispatches_and_binds_little_more_than_it_needs(
    config: dict[str, Any], dispatches: int, tmp_path: Path, plans: list[dict[str, Any]]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    predict(ExportOptions(str(tmp_path), tmp_path / "out", quantize="q4", context=4096), Progress(quiet=True))
    assert {plan["tier"] for plan in plans} == {"base", "subgroups", "f16"}
    for plan in plans:
        counts = plan_counts(plan)
        assert counts["dispatches"] <= dispatches
        assert counts["storage_buffers"] <= 9  # with the step's uniform
        assert counts["bytes_bound_total"] <= 1.03 * counts["weights_and_states"]
