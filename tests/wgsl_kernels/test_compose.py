"""Shader text of a kernel in a tier."""

import re
from pathlib import Path

import pytest

import wgsl_kernels
from wgsl_kernels import CATALOG, TIERS, compose

SHADERS = Path(wgsl_kernels.__file__).parent / "shaders"
NORM = CATALOG["rms_norm"]


def test_line_numbers_are_those_of_the_shader_file() -> None:
    lines = (SHADERS / NORM.shader).read_text().splitlines()
    assert compose(NORM, TIERS["base"]).splitlines()[: len(lines)] == lines
    assert compose(NORM, TIERS["f16"]).splitlines()[1 : len(lines)] == lines[1:]


def test_f16_changes_one_line() -> None:
    base, f16 = (compose(NORM, TIERS[tier]).splitlines() for tier in ("base", "f16"))
    assert [(a, b) for a, b in zip(base, f16, strict=True) if a != b] == [
        ("alias Elem = f32;", "enable f16; alias Elem = f16;")
    ]


def test_subgroups_tier_swaps_the_reduction() -> None:
    text = compose(NORM, TIERS["subgroups"])
    assert text.startswith("enable subgroups;\nalias Elem = f32;\n")
    assert "subgroupAdd" in text
    assert "subgroupAdd" not in compose(NORM, TIERS["base"])


def test_kernel_without_reduction_is_the_same_in_both_f32_tiers() -> None:
    assert compose(CATALOG["add"], TIERS["subgroups"]) == compose(CATALOG["add"], TIERS["base"])


def test_minified_text_keeps_the_code_only() -> None:
    full, small = (compose(NORM, TIERS["f16"], minify=minify) for minify in (False, True))
    code = [line.split("//")[0].strip() for line in full.splitlines()]
    assert small.splitlines() == [line for line in code if line]
    assert "//" not in small
    assert len(small) < 0.8 * len(full)


@pytest.mark.parametrize("tier", TIERS)
def test_bindings_are_declared_in_one_form(tier: str) -> None:
    """The engine tells from it what an adapter's shader writes (site/engine/adapters/weight_access.js)."""
    declared = re.compile(r"@group\(0\) @binding\(\d+\) var<(?:uniform|storage, (?:read|read_write))>")
    for kernel in CATALOG.values():
        text = compose(kernel, TIERS[tier], minify=True)
        others = re.findall(r"@(?!(?:compute|workgroup_size|builtin)\b)", text)
        assert len(others) == 2 * len(declared.findall(text)) == 2 * len(kernel.bindings), kernel.name
