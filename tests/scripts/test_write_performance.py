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
    assert "| thistledown | 1.5 s | 0.06 MB | 50 MB | 85 dispatchWorkgroups, 1 submit," in page
    assert "- wllama: not measured: no GGUF\n" in page
    assert rewritten(page, [RESULT]) == page


def test_a_page_without_marks_is_a_fault() -> None:
    with pytest.raises(ValueError, match="unpack"):
        rewritten("# Top", [RESULT])
