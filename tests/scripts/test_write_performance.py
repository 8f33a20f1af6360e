from typing import Any

import pytest

from scripts.write_performance import BEGIN, END, rewritten

RESULT: dict[str, Any] = {
    "model": {"name": "granite", "quantization": "q4"},
    "device": {"vendor": "acme", "architecture": "one"},
    "engines": [
        {
            "name": "thistledown",
            "version": "",
            "ok": True,
            "loadMs": 1500,
            "runtime_bytes": {"gzip": 60_000},
            "gpuBytes": 5e7,
            "peakBytes": 2.5e8,
        },
        {"name": "wllama", "ok": False, "error": "not measured: no GGUF\nand more"},
    ],
    "workloads": [{"name": "prefill 32", "times_as_long": {}}],
    "checks": [],
    "gpu_calls": {
        "thistledown": {
            "calls": {
                "dispatchWorkgroups": 85,
                "submit": 1,
                "createBindGroup": 0,
                "createBuffer": 0,
                "writeBuffer": 0.5,
            }
        }
    },
    "kernels": None,
}


def test_only_what_is_between_the_marks_changes() -> None:
    page = rewritten(f"# Top\n{BEGIN}\nold\n{END}\nbottom", [RESULT])
    assert page.startswith("# Top\n")
    assert page.endswith("\nbottom")
    assert "old" not in page
    assert "| thistledown | 1.5 s | 0.06 MB | 50 MB | 250 MB | 85 dispatchWorkgroups, 1 submit," in page
    assert "- wllama: not measured: no GGUF\n" in page
    assert rewritten(page, [RESULT]) == page


def test_a_peer_without_a_time_of_a_workload_has_a_dash_there() -> None:
    spread = {"median": 8.0, "low": 7.0, "high": 9.5, "rounds": 2}
    loads = [
        {"name": "prefill 32", "times_as_long": {"one": spread}},
        {"name": "scan 512", "times_as_long": {"two": spread}},
    ]
    page = rewritten(f"{BEGIN}{END}", [{**RESULT, "workloads": loads}])
    told = "8.00 times as long (7.00–9.50)"
    assert "| workload | one takes | two takes |" in page
    assert f"| prefill 32 | {told} | – |" in page
    assert f"| scan 512 | – | {told} |" in page


def test_a_page_without_marks_is_a_fault() -> None:
    with pytest.raises(ValueError, match="unpack"):
        rewritten("# Top", [RESULT])
