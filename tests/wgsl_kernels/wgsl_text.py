"""Read declarations out of WGSL text, as far as our own shaders use the language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from wgsl_kernels.compose import minified

_BINDING = re.compile(r"@group\(0\) @binding\((\d+)\) var<([^>]+)> (\w+): ([^;]+);")
_OVERRIDE = re.compile(r"override (\w+): (\w+)( = [^;]+)?;")
_WORKGROUP = re.compile(r"var<workgroup> (\w+): ([^;]+);")
_CONSTANT = re.compile(r"(?:const|override) (\w+)(?:: u32)? = (\w+(?: \* \w+)?);")
_ARRAY = re.compile(r"array<(.+), (\w+)>")
_SCALAR_BYTES = 4  # Elem counts as f32, the larger


@dataclass(frozen=True)
class BindingText:
    index: int
    space: str
    name: str
    element: str


@dataclass(frozen=True)
class OverrideText:
    name: str
    kind: str
    default: bool


def bindings(text: str) -> list[BindingText]:
    """Every binding; `element` is the scalar or struct that it is made of."""
    found = _BINDING.findall(minified(text))
    return [
        BindingText(int(at), space, name, re.findall(r"\w+", kind)[-1]) for at, space, name, kind in found
    ]


def overrides(text: str) -> list[OverrideText]:
    return [
        OverrideText(name, kind, bool(default)) for name, kind, default in _OVERRIDE.findall(minified(text))
    ]


def workgroup_bytes(text: str, numbers: Mapping[str, float]) -> int:
    """Bytes of all `var<workgroup>` with overrides as in `numbers`; each counts as aligned to 16."""
    constants = dict(_CONSTANT.findall(minified(text))) | {name: f"{n:.0f}" for name, n in numbers.items()}
    sizes = [_bytes(kind, constants) for _, kind in _WORKGROUP.findall(minified(text))]
    return sum(-(-size // 16) * 16 for size in sizes)


def _bytes(kind: str, constants: Mapping[str, str]) -> int:
    if array := _ARRAY.fullmatch(kind):
        return _bytes(array[1], constants) * _number(array[2], constants)
    lanes = re.match(r"(?:vec|mat)(\d)(?:x(\d))?", kind)
    return _SCALAR_BYTES * (int(lanes[1]) * int(lanes[2] or 1) if lanes else 1)


def _number(text: str, constants: Mapping[str, str]) -> int:
    if " * " in text:
        return prod(_number(factor, constants) for factor in text.split(" * "))
    return int(text.rstrip("u")) if text[0].isdigit() else _number(constants[text], constants)
