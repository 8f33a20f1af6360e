"""Weights as blocks of small integers with a float16 scale, in the bytes that `MatMulNBits` reads."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import SchemeError, WeightsError
from .bits import pack_bits, unpack_bits
from .curvature import Curvature
from .gptq import Rounded, gptq
from .grid import LARGEST_SCALE, symmetric
from .methods import choose_grids, find_method
from .schemes import Scheme
from .uniform import row_scales

Floats = npt.NDArray[np.float32]

# Values worked on at once: a few arrays of this size stay in a core's cache.
_SLAB_VALUES = 1 << 17


@dataclass(frozen=True)
class Packed:
    """A quantized (N, K) weight: `b` uint8 (N, blocks, bytes of a block), `scales` float16 (N, blocks).

    `zeros` uint8 (N, ceil(blocks * bits / 8)) holds the blocks' zero points, for schemes that store them.
    A value is (q - zero point) * scale. Values past K in the last block are zero.
    """

    scheme: Scheme
    b: npt.NDArray[np.uint8]
    scales: npt.NDArray[np.float16]
    zeros: npt.NDArray[np.uint8] | None = None


def quantize(
    scheme: Scheme,
    weight: Floats,
    name: str = "",
    method: str = "search",
    hessian: Curvature | Floats | None = None,
) -> Packed:
    """`weight` float32 (N, K) in a `scheme` with blocks; each row's bytes are the same whichever rows are beside it.

    `method` is one of METHODS. `hessian` holds the second moments X^T X (K, K) of what the weight is multiplied by;
    "gptq" needs it, "search" weighs errors with its diagonal. "gptq" without it is "search". Give a Curvature to do
    what depends on it once for many slabs. All but "gptq" give the same bytes on every machine.
    Raises WeightsError, naming the tensor, for values not finite or too large for a float16 scale.
    """
    if not scheme.block:
        raise SchemeError(f"{scheme.name} has no blocks", name, "Use q8, q4 or q2.")
    if weight.ndim != 2:
        raise WeightsError(
            f'Tensor "{name}" has shape {list(weight.shape)}', scheme.name, "A matrix is needed."
        )
    rows, inner = weight.shape
    job = _Job(scheme, find_method(method), name, _curvature(hessian, inner, name))
    packed = Packed(
        scheme,
        np.empty(scheme.shape(rows, inner), np.uint8),
        np.empty((rows, scheme.blocks(inner)), np.float16),
        np.empty((rows, scheme.zero_bytes(1, inner)), np.uint8) if scheme.zeros else None,
    )
    for slab in _row_slabs(rows, inner):
        _store(packed, slab, job.round(np.asarray(weight[slab], np.float32)))
    return packed


def dequantize(packed: Packed, inner: int) -> Floats:
    """The float32 (N, `inner`) weight that `packed` stands for."""
    scheme = packed.scheme
    rows, blocks = packed.scales.shape
    weight = np.empty((rows, inner), np.float32)
    for slab in _row_slabs(rows, inner):
        q = unpack_bits(packed.b[slab], scheme.bits, scheme.block).astype(np.float32)
        if packed.zeros is None:
            q -= scheme.zero_point
        else:
            q -= unpack_bits(packed.zeros[slab], scheme.bits, blocks)[..., None]
        q *= packed.scales[slab].astype(np.float32)[..., None]
        weight[slab] = q.reshape(q.shape[0], -1)[:, :inner]
    return weight


@dataclass(frozen=True)
class _Job:
    """How the rows of one weight are rounded."""

    scheme: Scheme
    method: str
    name: str
    curvature: Curvature | None

    def round(self, weight: Floats) -> Rounded:
        _check_range(self.scheme, weight, self.name)
        uniform = row_scales(self.scheme, weight) if self.scheme.step else None
        if self.method == "gptq" and self.curvature is not None:
            return gptq(self.scheme, weight, self.curvature, uniform)
        rows, blocks = weight.shape[0], self.scheme.blocks(weight.shape[1])
        x = _as_columns(self.scheme, weight)
        if uniform is None:
            grid = choose_grids(self.scheme, x, self.method, self._importance(rows))
        else:
            grid = symmetric(self.scheme, np.repeat(uniform, blocks))
        q = grid.levels(x)
        q += grid.zero
        zeros = np.broadcast_to(grid.zero, grid.scale.shape).reshape(rows, blocks)
        return Rounded(q.T.astype(np.uint8).reshape(rows, -1), grid.scale.reshape(rows, blocks), zeros)

    def _importance(self, rows: int) -> Floats | None:
        if self.curvature is None or self.method != "search":
            return None
        columns = _as_columns(self.scheme, self.curvature.importance[None])
        return np.tile(columns, (1, rows))


def _curvature(hessian: Curvature | Floats | None, inner: int, name: str) -> Curvature | None:
    known = hessian if hessian is None or isinstance(hessian, Curvature) else Curvature(hessian, name)
    if known is not None and known.size != inner:
        what = f'Tensor "{name}" has rows of {inner}, the second moments of its inputs are of {known.size}'
        raise WeightsError(what, "calibration", "Calibrate with the model that is exported.")
    return known


def _store(packed: Packed, slab: slice, made: Rounded) -> None:
    scheme, rows = packed.scheme, made.q.shape[0]
    packed.b[slab] = pack_bits(made.q.reshape(rows, -1, scheme.block), scheme.bits)
    packed.scales[slab] = made.scales.astype(np.float16)
    if packed.zeros is not None:
        packed.zeros[slab] = pack_bits(made.zeros.astype(np.uint8), scheme.bits)


def _row_slabs(rows: int, inner: int) -> Iterator[slice]:
    step = max(1, _SLAB_VALUES // max(inner, 1))
    for start in range(0, rows, step):
        yield slice(start, start + step)


def _check_range(scheme: Scheme, weight: Floats, name: str) -> None:
    limit = LARGEST_SCALE * scheme.zero_point
    lost = weight.size - int(np.count_nonzero(np.abs(weight) <= limit))
    if lost:
        what = f'Tensor "{name}" has {lost} values that are not finite or beyond {limit}'
        raise WeightsError(what, scheme.name, "Use f32.")


def _as_columns(scheme: Scheme, weight: Floats) -> Floats:
    """`weight` (rows, K) as (block, rows * blocks), K padded with zeros: reductions then run over axis 0."""
    inner = weight.shape[1]
    padding = scheme.blocks(inner) * scheme.block - inner
    padded = np.pad(weight, ((0, 0), (0, padding))) if padding else weight
    return np.ascontiguousarray(padded.reshape(-1, scheme.block).T)
