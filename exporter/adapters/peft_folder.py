"""An adapter folder of peft, opened and checked: nothing in it is believed before its shapes are known to fit."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exporter.adapters.peft_config import CONFIG_FILE, parse_config
from exporter.checkpoints.checkpoint import folder_safe_name
from exporter.checkpoints.confined_folder import ConfinedFolder
from exporter.checkpoints.safetensors_file import SafetensorsFile
from exporter.errors import LoraError, printable

Floats = npt.NDArray[np.float32]

WEIGHTS_FILE = "adapter_model.safetensors"
_CONFIG_LIMIT = 1 << 20
# peft's names have about 80 characters. Patterns of adapter_config.json take the cube of a name's length.
_LONGEST_NAME = 256
_PREFIX = "base_model.model."
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"
# A copy of the base's own weight, which peft adds where the head is among what is adapted.
_COPY = ".base_layer.weight"
_KINDS = {
    "lora_embedding_": "an embedding's; only those of linears can be applied",
    "lora_magnitude_vector": "of DoRA; only the low-rank product itself can be applied",
    ".lora_B.bias": "a bias; only the low-rank product itself can be applied",
}


@dataclass(frozen=True)
class LowRank:
    """What an adapter adds to the weight (rows, inner) of a linear: scale * up (rows, rank) @ down (rank, inner)."""

    module: str
    rank: int
    rows: int
    inner: int
    scale: float


class PeftAdapter:
    """The products of one adapter, by the name of their module in the base model; values are read when asked for."""

    def __init__(self, folder: Path) -> None:
        """Raises LoraError, or CheckpointError or WeightsError for files that cannot be used."""
        if not folder.is_dir():
            raise LoraError("There is no such folder", str(folder), "Give the folder that peft saved.")
        files = ConfinedFolder(folder)
        self.name = files.path.name
        for needed in (CONFIG_FILE, WEIGHTS_FILE):
            if not files.exists(needed):
                remedy = "Give the folder that peft's save_pretrained wrote, with safetensors."
                raise LoraError(f"There is no {needed}", self.name, remedy)
        self._config = parse_config(files.read_json(CONFIG_FILE, _CONFIG_LIMIT, LoraError))
        self._file = SafetensorsFile(files.locate(WEIGHTS_FILE), f"{self.name}/{WEIGHTS_FILE}")
        self.products: Mapping[str, LowRank] = {name: self._product(name) for name in self._modules()}
        if not self.products:
            raise LoraError("The adapter holds no tensors", WEIGHTS_FILE, "Save the adapter again.")

    @property
    def parameters(self) -> int:
        """Values of all its matrices."""
        return sum(each.rank * (each.rows + each.inner) for each in self.products.values())

    def note_on(self, base: str) -> str:
        """A sentence for the user if the adapter states another base than `base`, or nothing: folders have any name."""
        stated = self._config.base
        if not stated or folder_safe_name(stated) == folder_safe_name(base):
            return ""
        return printable(
            f'{self.name} was trained on "{stated[:200]}", and this base is "{base}": '
            "if that is another model, the result will not work well."
        )

    def down(self, module: str) -> Floats:
        """A of `module`: (rank, inner). Raises WeightsError if it is damaged."""
        return self._file.read(_PREFIX + module + _DOWN)

    def up(self, module: str) -> Floats:
        """B of `module`: (rows, rank). Raises WeightsError if it is damaged."""
        return self._file.read(_PREFIX + module + _UP)

    def _modules(self) -> list[str]:
        names = [name for name in self._file.tensors if not name.endswith(_COPY)]
        for name in names:
            _check_kind(name)
        found = [name.removeprefix(_PREFIX).removesuffix(_DOWN) for name in names if name.endswith(_DOWN)]
        _check_pairs(names, found)
        return sorted(found)

    def _product(self, module: str) -> LowRank:
        down, up = (self._file.tensors[_PREFIX + module + end].info.shape for end in (_DOWN, _UP))
        rank = self._config.rank_of(module)
        if len(down) != 2 or len(up) != 2 or down[0] != rank or up[1] != rank or 0 in (up[0], down[1]):
            what = f"{module} has A {list(down)} and B {list(up)}, which are not those of rank {rank}"
            raise LoraError(what, WEIGHTS_FILE, "The adapter is damaged; save it again.")
        return LowRank(module, rank, up[0], down[1], self._config.scale_of(module))


def _check_kind(name: str) -> None:
    if len(name) > _LONGEST_NAME:
        what = f'A name of {len(name)} characters, "{name[:60]}…", is over {_LONGEST_NAME}'
        raise LoraError(what, WEIGHTS_FILE, "The adapter is damaged; save it again.")
    if name.startswith(_PREFIX) and name.endswith((_DOWN, _UP)) and "lora_embedding_" not in name:
        return
    kind = next((words for mark, words in _KINDS.items() if mark in name), "no A or B of a linear")
    raise LoraError(
        f'Tensor "{name}" is {kind}', WEIGHTS_FILE, "Merge this one with peft (merge_and_unload)."
    )


def _check_pairs(names: Collection[str], modules: Collection[str]) -> None:
    wanted = {_PREFIX + module + end for module in modules for end in (_DOWN, _UP)}
    alone = sorted(wanted.symmetric_difference(names))
    if alone:
        what = f'Tensor "{alone[0]}" is {"without its A" if alone[0] in names else "missing"}'
        raise LoraError(what, WEIGHTS_FILE, "The adapter is damaged; save it again.")
