"""The quantization schemes that can be asked for by name; how their bytes lie is stated in `wgsl_kernels`."""

import difflib
from collections.abc import Sequence

from wgsl_kernels import FORMATS as SCHEMES
from wgsl_kernels import Format as Scheme

from ..errors import SchemeError

__all__ = ["SCHEMES", "Scheme", "find_scheme"]


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
