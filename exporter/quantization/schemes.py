"""The quantization schemes that can be asked for by name; how their bytes lie is stated in `wgsl_kernels`."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from wgsl_kernels import FORMATS, Format

from ..errors import SchemeError

__all__ = ["SCHEMES", "Scheme", "find_scheme"]


@dataclass(frozen=True)
class Scheme(Format):
    """A format and how its levels are placed: `step` is that of a uniform grid, in root mean squares of a row, or 0.

    Weights with uniform steps have the form of q8; what is downloaded of them is entropy-coded.
    """

    step: float = 0.0


def _uniform(bits: float) -> Scheme:
    """About `bits` a weight once coded: of normally distributed values the entropy is 2.05 - log2(step) bits."""
    return Scheme(**{**asdict(FORMATS["q8"]), "name": f"e{bits:g}", "step": 2 ** (2 - bits)})


SCHEMES: Mapping[str, Scheme] = {
    **{name: Scheme(**asdict(format)) for name, format in FORMATS.items()},
    **{scheme.name: scheme for scheme in map(_uniform, (3, 3.5, 4, 4.5, 5, 6))},
}


def find_scheme(name: str, mixtures: Sequence[str] = ()) -> Scheme:
    """The scheme called `name`; raises SchemeError that suggests the nearest of the schemes and `mixtures`."""
    if name in SCHEMES:
        return SCHEMES[name]
    known = [*SCHEMES, *mixtures]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    raise SchemeError(
        f'Unknown quantization "{name}"', "--quantize", f"{hint}Known: {', '.join(known)}, auto."
    )
