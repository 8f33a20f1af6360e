"""Weights that are only asked for: names and shapes without values, for foretelling an export."""

from collections.abc import Mapping

from ..errors import WeightsError
from .confined_folder import ConfinedFolder
from .safetensors_file import Floats
from .safetensors_header import TensorInfo
from .weights import INDEX_FILE, SINGLE_FILE, Weights, indexed_files

_UNKNOWN = "BF16"


class PlannedWeights:
    """Says yes to every tensor of a folder that has only config.json.

    Where the weights are there, their headers are believed; where only the index is, the names in it.
    """

    def __init__(self, folder: ConfinedFolder) -> None:
        self._where = folder.path.name
        self._weights = Weights(folder) if _are_all_there(folder) else None
        self._named = indexed_files(folder) if self._weights is None and folder.exists(INDEX_FILE) else {}

    @property
    def tensors(self) -> Mapping[str, TensorInfo]:
        """The tensors that are known to exist; their shapes are known only where the weights are there."""
        if self._weights is not None:
            return self._weights.tensors
        return {name: TensorInfo(name, _UNKNOWN, ()) for name in self._named}

    def require(self, name: str, shape: tuple[int, ...]) -> TensorInfo:
        """Tensor `name` of `shape`; raises WeightsError where it is known not to be so."""
        if self._weights is not None:
            return self._weights.require(name, shape)
        if self._named and name not in self._named:
            raise WeightsError(f'Tensor "{name}" is missing', f"{self._where}/{INDEX_FILE}")
        return TensorInfo(name, _UNKNOWN, tuple(shape))

    def read(self, name: str) -> Floats:
        """Raises WeightsError: there are no values."""
        raise self._no_values(name)

    def read_rows(self, name: str, start: int, stop: int) -> Floats:
        """Raises WeightsError: there are no values."""
        raise self._no_values(name)

    def _no_values(self, name: str) -> WeightsError:
        remedy = "Leave --dry-run out, and give the weights."
        return WeightsError(f'The values of tensor "{name}" are needed', self._where, remedy)


def _are_all_there(folder: ConfinedFolder) -> bool:
    if folder.exists(SINGLE_FILE):
        return True
    return folder.exists(INDEX_FILE) and all(map(folder.exists, set(indexed_files(folder).values())))
