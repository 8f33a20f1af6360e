"""The catalog's rows against the shaders' text: what the twins cannot see."""

import re
from pathlib import Path

import pytest

import wgsl_kernels
from tests.wgsl_kernels.wgsl_text import bindings, overrides, workgroup_bytes
from wgsl_kernels import CATALOG, FORMATS, TIERS, compose, grid, measure
from wgsl_kernels.packed_weights import block_parts, direct_parts, weight_parts

ROOT = Path(wgsl_kernels.__file__).parent
ELEMENT = {
    "elem": {"Elem"},
    "f32": {"f32", "u32"},  # u32: read as bits
    "u32": {"u32"},
    "packed": {"u32", "f32"},
    "scales": {"u32"},
    "zeros": {"u32"},
    "step": {"Step"},
    "sampling": {"Sampling"},
}
ACCESS = {"uniform": "uniform", "read": "storage, read", "write": "storage, read_write"}

every_kernel = pytest.mark.parametrize("name", CATALOG)


@every_kernel
def test_row_binds_what_the_shader_binds(name: str) -> None:
    row = {(each.index, each.name, ACCESS[each.access]) for each in CATALOG[name].bindings}
    assert row == {
        (each.index, each.name, each.space) for each in bindings(compose(CATALOG[name], TIERS["base"]))
    }


@every_kernel
def test_row_has_the_shaders_types(name: str) -> None:
    types = {each.name: each.element for each in bindings(compose(CATALOG[name], TIERS["base"]))}
    assert [each.name for each in CATALOG[name].bindings if types[each.name] not in ELEMENT[each.dtype]] == []


@every_kernel
def test_row_sets_every_override_without_a_default(name: str) -> None:
    kernel = CATALOG[name]
    text = compose(kernel, TIERS["base"])
    assert set(kernel.overrides) == {each.name for each in overrides(text) if not each.default}
    assert set(kernel.tunables) <= {each.name for each in overrides(text) if each.default}
    assert {each.name for each in overrides(text) if each.kind not in ("u32", "f32")} == set()


@every_kernel
@pytest.mark.parametrize("tier", TIERS)
def test_kernel_fits_the_default_limits(name: str, tier: str) -> None:
    text = compose(CATALOG[name], TIERS[tier])
    assert sum(each.space.startswith("storage") for each in bindings(text)) <= 8
    assert max(workgroup_bytes(text, case) for case in CATALOG[name].cases) <= 16384


@every_kernel
def test_cases_size_everything(name: str) -> None:
    kernel = CATALOG[name]
    for case in kernel.cases:
        names = {"tokens": 1, "past": 0, "sequences": 1, **case}
        assert set(kernel.overrides) <= case.keys()
        assert min(grid(kernel, names)) >= 1
        assert all(measure(dim, names) >= 1 for binding in kernel.bindings for dim in binding.shape)


@every_kernel
def test_row_gives_reasons(name: str) -> None:
    kernel = CATALOG[name]
    assert len(kernel.tolerance.reason.split()) >= 3
    assert kernel.cases


@every_kernel
def test_fill_names_bindings(name: str) -> None:
    assert CATALOG[name].fill.keys() <= {binding.name for binding in CATALOG[name].bindings}


@every_kernel
def test_format_is_that_of_the_weight_parts(name: str) -> None:
    kernel = CATALOG[name]
    parts = [part for part in kernel.parts if part.startswith(("weight", "block_", "direct_", "zero_point"))]
    parts = [part for part in parts if not part.endswith("_input.wgsl")]
    unpackers = (weight_parts, block_parts, direct_parts)
    wanted = [unpack(kernel.fmt) for unpack in unpackers] if kernel.fmt else [()]
    assert tuple(parts) in wanted
    stored = {binding.dtype for binding in kernel.bindings} & {"packed", "scales", "zeros"}
    fmt = FORMATS[kernel.fmt] if kernel.fmt else None
    has = {"packed": fmt is not None, "scales": fmt and fmt.block, "zeros": fmt and fmt.zeros}
    assert stored == {dtype for dtype, present in has.items() if present}


def test_every_file_is_used() -> None:
    used = {f"shaders/{kernel.shader}" for kernel in CATALOG.values()}
    used |= {f"parts/{part}" for kernel in CATALOG.values() for part in kernel.parts}
    used |= {f"parts/{part}" for tier in TIERS.values() for part in tier.swaps.values()}
    assert used == {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.wgsl")}


@pytest.mark.parametrize("path", sorted((ROOT / "shaders").glob("*.wgsl")), ids=lambda path: path.stem)
def test_shader_that_says_elem_starts_with_its_line(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("alias Elem = f32;\n") == bool(re.search(r"\bElem\b", text))


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.wgsl")), ids=lambda path: path.stem)
def test_file_has_no_block_comment(path: Path) -> None:
    """`minified` reads line comments only."""
    assert "/*" not in path.read_text()
