"""What the inputs of a linear say about its weights: which columns matter, how errors make up for each other."""

from functools import cached_property
from threading import Lock

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError
from .grid import Floats

Doubles = npt.NDArray[np.float64]

_DAMPING = 0.01


class Curvature:
    """The second moments X^T X (K, K) of a linear's inputs, and what rounding derives from them once a tensor.

    `second_moments` need not be scaled. Raises WeightsError if it is not square or not finite.
    """

    def __init__(self, second_moments: Floats, name: str = "") -> None:
        shape = second_moments.shape
        if len(shape) != 2 or shape[0] != shape[1] or not np.isfinite(second_moments).all():
            what = f'The second moments of the inputs of "{name}" are {list(shape)}, or not finite'
            raise WeightsError(what, "calibration", "Use another calibration text, or --rounding search.")
        self._moments = second_moments
        self.size = shape[0]
        self._lock = Lock()
        self._factors: dict[int, Doubles] = {}

    @cached_property
    def importance(self) -> Floats:
        """The mean square of each input (K,), scaled so that the mean is 1; never 0."""
        diagonal = np.maximum(np.diagonal(self._moments).astype(np.float64), 0)
        mean = diagonal.mean() or 1.0
        return (diagonal / mean + _DAMPING).astype(np.float32)

    def order(self, block: int) -> npt.NDArray[np.intp]:
        """The columns (K,), blocks and those within each the most important first.

        What is rounded late takes up the errors of what came before.
        """
        starts = np.arange(0, self.size, block)
        of_block = np.add.reduceat(self.importance.astype(np.float64), starts) / np.diff([*starts, self.size])
        rank = np.empty(len(starts), np.intp)
        rank[np.argsort(-of_block, kind="stable")] = np.arange(len(starts))
        return np.lexsort((-self.importance, rank[np.arange(self.size) // block]))

    def inverse_factor(self, block: int) -> Doubles:
        """U (K, K), upper triangular, with U^T U the inverse of the damped moments in the order of `order`."""
        with self._lock:
            if block not in self._factors:
                self._factors[block] = self._factor(self.order(block))
            return self._factors[block]

    def _factor(self, order: npt.NDArray[np.intp]) -> Doubles:
        moments = self._moments[np.ix_(order, order)].astype(np.float64)
        mean = np.diagonal(moments).mean() or 1.0
        moments[np.diag_indices(self.size)] += _DAMPING * mean
        # With the order reversed on both sides, the lower factor is an upper one: moments = R R^T, U = R^-1.
        upper = np.linalg.cholesky(moments[::-1, ::-1])[::-1, ::-1]
        return np.triu(np.linalg.inv(upper))
