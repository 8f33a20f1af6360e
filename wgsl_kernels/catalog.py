"""The kernel catalog's records: one `Kernel` row is the contract between shaders, twins, lowering and tests.

A row says which files make the shader, what is bound where, which numbers vary, how many workgroups to
start, how exact it must be and why, and at which sizes it is tested.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Access = Literal["uniform", "read", "write"]
DType = Literal["elem", "f32", "u32", "packed", "scales", "zeros", "step", "sampling"]
Dim = int | str
Size = int | str | tuple[str, int]


@dataclass(frozen=True)
class Binding:
    """One `@binding` of group 0; access "write" is read_write storage.

    `shape` is in expressions over overrides, symbols and case numbers (`sizes.measure`). `dtype` "elem" is the
    tier's element type, "packed" a weight in the kernel's format, "scales" its scales and "zeros" its stored zero
    points; these three carry the logical shape (rows, inner). "step" and "sampling" are the fixed blocks and need no
    shape.
    """

    index: int
    name: str
    access: Access
    dtype: DType
    shape: tuple[Dim, ...] = ()


STEP = Binding(0, "step", "uniform", "step")


@dataclass(frozen=True)
class Tolerance:
    """Largest |got - twin| allowed: `f32` or `f16` (by element type) times the largest |twin|, plus `absolute`."""

    f32: float
    f16: float
    reason: str
    absolute: float = 0.0


@dataclass(frozen=True)
class Kernel:
    """One kernel.

    `shader` is a file of `shaders/`, `parts` are files of `parts/` that are appended to it. `grid` holds workgroup
    counts: an int, an expression, or (expression, per) for ceil(expression / per). `overrides` are those that every
    plan sets: the ones without a default in the shader. `tunables` have one, and a plan may set them: they change how
    fast the kernel is on an adapter, not what it computes. `fmt` is the weight format that the shader unpacks, if any.
    `twin` names the NumPy twin, `module.function` in `reference/`. A case gives every override, the tunables that it
    is about, and the symbols (`tokens`, `past`, `sequences`, `done`, `generated`, `limit`) and other numbers that
    shapes use. `fill` says how tests fill a binding (the language is in `reference/inputs.py`); the default is normal
    noise for what is read and a NaN canary for what is written.
    """

    name: str
    shader: str
    parts: tuple[str, ...]
    bindings: tuple[Binding, ...]
    overrides: tuple[str, ...]
    grid: tuple[Size, Size, Size]
    twin: str
    tolerance: Tolerance
    cases: tuple[Mapping[str, float], ...]
    fmt: str | None = None
    tunables: tuple[str, ...] = ()
    fill: Mapping[str, str] = field(default_factory=dict)

    def settable(self, constants: Mapping[str, float]) -> tuple[str, ...]:
        """The overrides that are set where `constants` are given: all that must be, and what is told to tune."""
        return (*self.overrides, *(name for name in self.tunables if name in constants))
