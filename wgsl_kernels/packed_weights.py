"""What a catalog row declares to read a packed weight: the parts that unpack it, and its bindings."""

from .catalog import Binding
from .formats import FORMATS


def weight_parts(fmt: str) -> tuple[str, ...]:
    """The parts that unpack format `fmt`; the first names its bits: q4 and q4z share `weights_q4.wgsl`."""
    stored = FORMATS[fmt]
    if not stored.block:
        return (f"weights_{fmt}.wgsl",)
    zero_point = "zero_point_stored.wgsl" if stored.zeros else "zero_point_fixed.wgsl"
    return (f"weights_q{stored.bits}.wgsl", "weight_blocks.wgsl", zero_point)


def block_parts(fmt: str) -> tuple[str, ...]:
    """The parts that multiply whole blocks of format `fmt` with 32 values, 16 bytes a load."""
    stored = FORMATS[fmt]
    if not stored.block:
        return (f"block_{fmt}.wgsl",)
    zero_point = "zero_point_stored.wgsl" if stored.zeros else "zero_point_fixed.wgsl"
    return (f"block_q{stored.bits}.wgsl", "block_scales.wgsl", zero_point)


def direct_parts(fmt: str) -> tuple[str, ...]:
    """The parts that unpack four values of four rows of whole blocks, in any order, for kernels without barriers."""
    stored = FORMATS[fmt]
    if not stored.block:
        return (f"direct_{fmt}.wgsl", "direct_floats.wgsl")
    zero_point = "zero_point_stored.wgsl" if stored.zeros else "zero_point_fixed.wgsl"
    return (f"direct_q{stored.bits}.wgsl", "direct_blocks.wgsl", zero_point)


def weight_bindings(fmt: str, rows: str, inner: str) -> tuple[Binding, ...]:
    """A weight of `rows` x `inner` at binding 3, its scales at 4 and its zero points at 7, as far as `fmt` has them."""
    shape = (rows, inner)
    weight = Binding(3, "weight", "read", "packed", shape)
    scales = (Binding(4, "scales", "read", "scales", shape),) if FORMATS[fmt].block else ()
    zeros = (Binding(7, "zeros", "read", "zeros", shape),) if FORMATS[fmt].zeros else ()
    return (weight, *scales, *zeros)
