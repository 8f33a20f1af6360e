"""docs/reduction.md and docs/demo-model.md say what was measured, and the command that measures still goes through."""

import hashlib
import json
from pathlib import Path

import pytest

from exporter.reduction.training.begun import decisive, digest
from scripts import reduction_chain, write_demo_model
from scripts.reduction_table import rewritten

MODEL = reduction_chain.ROOT / "exporter" / "reduction" / "extraction" / "thistledown-extract"


def test_the_tables_are_those_of_the_measurements() -> None:
    page = reduction_chain.PAGE.read_text(encoding="utf-8")
    told = json.loads(reduction_chain.TABLE.read_text(encoding="utf-8"))
    assert rewritten(page, told) == page
    for settings in ({"teacher": "f" * 64}, {"steps": 7}, {"adapter_steps": 7}, {"messages": 7}):
        assert rewritten(page, {**told, "settings": {**told["settings"], **settings}}) != page
    page = write_demo_model.PAGE.read_text(encoding="utf-8")
    scores = json.loads((MODEL / "scores.json").read_text(encoding="utf-8"))
    assert write_demo_model.rewritten(page, scores) == page
    assert scores["checkpoint"] == digest(decisive(MODEL)), "examine the checkpoint that is in the tree"


@pytest.mark.gpu
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
def test_a_short_run_of_the_chain_makes_what_the_table_says(tmp_path: Path) -> None:
    told = json.loads(reduction_chain.TABLE.read_text(encoding="utf-8"))
    assert reduction_chain.main([str(tmp_path), "--short", "--to", told["settings"]["to"]]) == 0
    made = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    for ours, theirs in zip(made["rows"], told["rows"], strict=True):
        assert [ours[key] for key in ("step", "scheme", "parameters")] == [
            theirs[key] for key in ("step", "scheme", "parameters")
        ]
        assert ours["bytes"] == pytest.approx(theirs["bytes"], rel=0.01)
    teacher, pruned = made["rows"][:2]
    assert pruned["parameters"] < teacher["parameters"] / 2
    assert made["adapter"]["bytes"] == pytest.approx(told["adapter"]["bytes"], rel=0.02)
    assert made["adapter"]["share"] < 0.02
    weights = (MODEL / "model.safetensors").read_bytes()
    assert made["settings"]["teacher"] == hashlib.sha256(weights).hexdigest()
    assert told["settings"].keys() <= made["settings"].keys()
    alike = [made["adapter"][name] for name in ("merged q8", "at run time")]
    assert alike[0]["held_out_count"] == alike[1]["held_out_count"]
    assert alike[0]["written_count"] == alike[1]["written_count"]
