"""The rounding methods by name, each a way to choose the grids of blocks."""

import difflib

from ..errors import SchemeError
from .grid import Floats, Grid
from .half_quadratic import half_quadratic
from .scale_search import nearest_scales, searched_scales
from .schemes import Scheme
from .zero_search import nearest_zeros, searched_zeros

METHODS = ("nearest", "search", "hqq", "gptq")


def find_method(name: str) -> str:
    """`name`, if it is a method; raises SchemeError that suggests the nearest."""
    if name in METHODS:
        return name
    near = difflib.get_close_matches(name, METHODS, n=1)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    raise SchemeError(f'Unknown rounding "{name}"', "--rounding", f"{hint}Known: {', '.join(METHODS)}.")


def choose_grids(scheme: Scheme, x: Floats, method: str, importance: Floats | None = None) -> Grid:
    """The grid of each block of `x` (block, n); the search weighs errors by `importance` (block, n) if given."""
    if method == "nearest":
        return _nearest(scheme, x)
    if method == "hqq":
        return half_quadratic(scheme, x, _nearest(scheme, x))
    return searched_zeros(scheme, x, importance) if scheme.zeros else searched_scales(scheme, x, importance)


def _nearest(scheme: Scheme, x: Floats) -> Grid:
    return nearest_zeros(scheme, x) if scheme.zeros else nearest_scales(scheme, x)
