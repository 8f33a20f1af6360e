"""All tensors of a checkpoint, in one safetensors file or in the shards that an index names."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import WeightsError
from .confined_folder import REFETCH, ConfinedFolder, is_confined_name
from .safetensors_file import Floats, SafetensorsFile
from .safetensors_header import TensorInfo

SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
_INDEX_LIMIT = 32 * 1024 * 1024
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


class Weights:
    """The tensors of a checkpoint folder; values are read only when asked for."""

    def __init__(self, folder: ConfinedFolder) -> None:
        self._where = folder.path.name
        files = _open_files(folder)
        self._file_of = {name: file for file, names in files for name in names}
        self.tensors: Mapping[str, TensorInfo] = {
            name: file.tensors[name].info for name, file in self._file_of.items()
        }

    def read(self, name: str) -> Floats:
        """Tensor `name` as float32 in its stored shape; raises WeightsError."""
        self._find(name)
        return self._file_of[name].read(name)

    def read_rows(self, name: str, start: int, stop: int) -> Floats:
        """Rows [start, stop) along the last axis of tensor `name` as float32 (rows, width); raises WeightsError."""
        self._find(name)
        return self._file_of[name].read_rows(name, start, stop)

    def require(self, name: str, shape: tuple[int, ...]) -> TensorInfo:
        """Tensor `name`, which must have `shape`; raises WeightsError that tells expected and found."""
        info = self._find(name)
        if info.shape != tuple(shape):
            raise WeightsError(
                f'Tensor "{name}" has shape {list(info.shape)}; config.json asks for {list(shape)}',
                self._where,
                "config.json and the weights do not belong together; fetch the checkpoint again.",
            )
        return info

    def _find(self, name: str) -> TensorInfo:
        if name not in self.tensors:
            raise WeightsError(
                f'Tensor "{name}" is missing', self._where, f"The weights are incomplete. {REFETCH}"
            )
        return self.tensors[name]


def _open_files(folder: ConfinedFolder) -> list[tuple[SafetensorsFile, list[str]]]:
    # If both are there the single file wins, as in transformers.
    if folder.exists(SINGLE_FILE):
        file = SafetensorsFile(folder.locate(SINGLE_FILE), f"{folder.path.name}/{SINGLE_FILE}")
        return [(file, list(file.tensors))]
    if folder.exists(INDEX_FILE):
        return list(_open_shards(folder))
    raise missing_weights(folder.path.name, folder.names())


def missing_weights(where: str, names: list[str]) -> WeightsError:
    """The error for a checkpoint whose files, `names`, have no safetensors among them."""
    pickles = [name for name in names if name.endswith(_PICKLES)]
    if not pickles:
        return WeightsError(f"There is no {SINGLE_FILE}", where, "Give one with safetensors.")
    return WeightsError(
        f"The only weights are pickled ({pickles[0]}), and loading a pickle executes code from the file",
        where,
        "Use a checkpoint with model.safetensors, or convert this one if you trust it: load it with "
        "transformers and call save_pretrained, which writes safetensors.",
    )


def _open_shards(folder: ConfinedFolder) -> Iterator[tuple[SafetensorsFile, list[str]]]:
    for file_name, names in _names_by_file(folder).items():
        where = f"{folder.path.name}/{file_name}"
        if not folder.exists(file_name):
            raise WeightsError(f"The shard {file_name} is missing", folder.path.name, REFETCH)
        file = SafetensorsFile(folder.locate(file_name), where)
        for name in names:
            if name not in file.tensors:
                raise WeightsError(f'Tensor "{name}" is not where the index says', where, REFETCH)
        yield file, names


def _names_by_file(folder: ConfinedFolder) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, file_name in indexed_files(folder).items():
        grouped.setdefault(file_name, []).append(name)
    return grouped


def indexed_files(folder: ConfinedFolder) -> dict[str, str]:
    """The file of each tensor, as the index tells; raises WeightsError if the index is damaged."""
    index = folder.read_json(INDEX_FILE, _INDEX_LIMIT, WeightsError)
    return _weight_map(index, folder.path.name)


def _weight_map(index: Mapping[str, Any], where: str) -> dict[str, str]:
    weight_map = index.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise WeightsError(f"{INDEX_FILE} has no weight_map", where, REFETCH)
    for file_name in weight_map.values():
        if not _is_plain_safetensors(file_name):
            what = f'The index names "{file_name}", which is not a plain .safetensors file name'
            raise WeightsError(what, where, REFETCH)
    return weight_map


def _is_plain_safetensors(file_name: Any) -> bool:
    if not isinstance(file_name, str) or "/" in file_name:
        return False
    return is_confined_name(file_name) and file_name.endswith(".safetensors")
