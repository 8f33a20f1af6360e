"""What docs/reduction.md says of a measurement: whose it is, and which rows may be compared."""

from collections.abc import Mapping
from typing import Any

import pytest

from scripts.reduction_table import BEGIN, END, rewritten

PAGE = f"before\n{BEGIN}\nold\n{END}\nafter\n"
ROW = {
    "step": "teacher",
    "scheme": "f16",
    "parameters": 1000,
    "bytes": 2000,
    "held_out": 0.5,
    "held_out_count": 200,
    "written": 0.25,
    "written_f1": 0.75,
    "written_count": 180,
    "valid": 1.0,
    "tokens_per_second": 99.6,
}
FEW = {**ROW, "held_out": 0.4, "held_out_count": 40, "written_count": 36}
SETTINGS = {
    "teacher": "0123456789abcdef" * 4,
    "to": "hidden=8,mlp=50%",
    "examples": 130000,
    "steps": 1000,
    "batch": 128,
    "tokens": 8192,
    "rank": 2,
    "adapter_steps": 470,
    "adapter_batch": 64,
    "messages": 50,
    "mixed_precision": "bf16",
    "hardest": 0.5,
    "calm": 0.6,
}
ADAPTER = {
    "kind": "trip",
    "bytes": 50,
    "share": 0.016,
    "before": ROW,
    "merged": ROW,
    "merged q8": FEW,
    "at run time": FEW,
}
TABLE: Mapping[str, Any] = {"settings": SETTINGS, "rows": [ROW], "adapter": ADAPTER}


def test_rows_of_the_adapter_say_their_weights_and_their_messages() -> None:
    rows = [line for line in rewritten(PAGE, TABLE).splitlines() if line.startswith("| ")]
    assert rows[2].startswith("| kind `trip` | weights | messages, held-out + by hand | ")
    assert rows[3:] == [
        "| before | f16 | 200 + 180 | 50.0% | 25.0% | 75.0% |",
        "| merged | f16 | 200 + 180 | 50.0% | 25.0% | 75.0% |",
        "| merged | q8 | 40 + 36 | 40.0% | 25.0% | 75.0% |",
        "| at run time | q8, adapter f16 | 40 + 36 | 40.0% | 25.0% | 75.0% |",
    ]


def test_a_row_that_was_not_measured_is_left_out() -> None:
    older = {key: value for key, value in ADAPTER.items() if key != "merged q8"}
    page = rewritten(PAGE, {**TABLE, "adapter": older})
    assert "| merged | f16 |" in page
    assert "| merged | q8 |" not in page


def test_the_page_says_how_it_was_made() -> None:
    page = rewritten(PAGE, TABLE)
    assert "weights begins with `0123456789ab`." in page
    assert "Pruned to `hidden=8,mlp=50%`. Distilled" in page
    assert "1,000 steps of 128 of 130,000 examples, 8,192 tokens at once" in page
    assert "mixed precision: bf16, `--hardest 0.5`, `--calm 0.6`" in page
    assert "of rank 2, for 470 steps of 64." in page
    assert "at most 50 messages of each language in a set: 200 of held-out templates" in page
    assert "of which one is 0.5%, and 180 by hand." in page
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")


@pytest.mark.parametrize("name", SETTINGS)
def test_another_setting_is_another_page(name: str) -> None:
    other = "f" * 64 if isinstance(SETTINGS[name], str) else 3
    assert rewritten(PAGE, {**TABLE, "settings": {**SETTINGS, name: other}}) != rewritten(PAGE, TABLE)


def test_a_table_that_names_no_teacher_is_said_to_be_of_the_first() -> None:
    first = "after the first of its runs"
    older = {key: value for key, value in SETTINGS.items() if key not in ("teacher", "to", "hardest", "calm")}
    assert first in rewritten(PAGE, {**TABLE, "settings": older})
    assert first not in rewritten(PAGE, TABLE)
