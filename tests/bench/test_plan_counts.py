from typing import Any

from bench import plan_counts

SHADERS = {
    "gather": "fn main() {} // workgroupBarrier();",
    "gemv": "fn main() { workgroupBarrier(); /* workgroupBarrier() */ let x = workgroupUniformLoad(&y); }",
    "experts": "fn main() { storageBarrier(); }",
}


def plan(**changes: Any) -> dict[str, Any]:
    """A decode of three dispatches over a tied table, an expert weight and a state."""
    return {
        "shaders": SHADERS,
        "kernels": [
            {"shader": "gather", "constants": {"rows": 100}},
            {"shader": "gemv", "constants": {}},
            {"shader": "experts", "constants": {"expert_count": 8, "slots": 2, "first_expert": 0}},
        ],
        "buffers": [
            {"kind": "weight", "bytes": 1000},
            {"kind": "weight", "bytes": 800},
            {"kind": "state", "bytes": 64},
            {"kind": "activation", "bytes": 32},
        ],
        "memory": {"total": 1896},
        "phases": {
            "prefill": [],
            "decode": [
                {"kernel": 0, "bind": [[0, 0, 0, 1000], [1, 3, 0, 32]]},
                {"kernel": 1, "bind": [[0, 0, 0, 1000], [1, 2, 0, 64], [2, 0, 0, 1000]]},
                {"kernel": 2, "bind": [[0, 1, 0, 800]]},
            ],
            "sample": [{"kernel": 1, "bind": [[0, 3, 0, 32]]}],
        },
    } | changes


def test_a_token_is_decode_and_sample() -> None:
    counts = plan_counts(plan())
    assert counts["phases"] == ["decode", "sample"]
    assert counts["dispatches"] == 4
    assert counts["storage_buffers"] == 3


def test_of_a_table_one_row_is_read_and_of_experts_those_that_a_token_goes_to() -> None:
    bound = plan_counts(plan())["bytes_bound"]
    assert bound == {"weight": 1000 // 100 + 1000 + 800 * 2 // 8, "state": 64, "activation": 64}


def test_weights_and_states_count_once_however_often_they_are_bound() -> None:
    assert plan_counts(plan())["weights_and_states"] == 1000 + 800 + 64


def test_barriers_in_comments_do_not_count() -> None:
    assert plan_counts(plan())["barriers"] == 2 + 1 + 2


def test_an_encoder_has_one_phase() -> None:
    phases = {"encode": [{"kernel": 1, "bind": [[0, 1, 0, 800]]}]}
    counts = plan_counts(plan(phases=phases))
    assert (counts["phases"], counts["dispatches"]) == (["encode"], 1)
