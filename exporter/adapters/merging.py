"""`thistledown merge-lora`: W + scale * B A in place of each weight that an adapter changes; the rest as it was.

Shapes and types stay, so each file of the result has the header of the base's and tensors at the same places.
"""

import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from exporter.adapters.base_names import require_shape, weights_changed
from exporter.adapters.encoding import encoded
from exporter.adapters.peft_folder import Floats, PeftAdapter
from exporter.artifact import atomic_folder, check_target
from exporter.checkpoints import Checkpoint, open_checkpoint
from exporter.checkpoints.confined_folder import ConfinedFolder
from exporter.checkpoints.safetensors_file import SafetensorsFile
from exporter.checkpoints.safetensors_header import StoredTensor
from exporter.checkpoints.weights import INDEX_FILE, SINGLE_FILE, indexed_files
from exporter.errors import CheckpointError

_SLAB_VALUES = 1 << 20
_COPY_BYTES = 1 << 22
# What is copied beside the model's companions: configurations and cards. Code and pickles are left behind.
_COPIED = (".json", ".jinja", ".md", ".model", ".txt")
_MOST_COPIED = 64 << 20


@dataclass(frozen=True)
class Merged:
    """What a merge made: how many weights it changed, and how many values the adapter has for them.

    `note` is a sentence for the user about the base, or empty.
    """

    folder: Path
    base: str
    adapter: str
    changed: int
    parameters: int
    note: str


@dataclass(frozen=True)
class _Change:
    """The product of one module, its matrices in memory: they are small beside the weight."""

    up: Floats
    down: Floats

    def rows(self, start: int, stop: int) -> Floats:
        """Rows [start, stop) of the product, scaled."""
        product: Floats = np.matmul(self.up[start:stop], self.down)
        return product


def merge_lora(base: str, adapter: Path, output: Path) -> Merged:
    """Write `base` with `adapter` merged into it to the folder `output`, which appears whole or not at all.

    The sum is made in float32 and rounded to the type of each weight. Raises ThistledownError with the remedy.
    """
    check_target(output, overwrite=False)
    checkpoint, peft = open_checkpoint(base), PeftAdapter(adapter)
    targets = _targets(checkpoint, peft)
    files = ConfinedFolder(checkpoint.folder)
    names = _weight_files(files)
    needed = sum(files.locate(name).stat().st_size for name in names)
    with atomic_folder(output, needed_bytes=needed) as folder:
        for name in names:
            _write(files, name, folder / name, targets, peft)
        _copy_rest(files, checkpoint.companions(), folder)
    note = peft.note_on(checkpoint.source)
    return Merged(output, checkpoint.source, peft.name, len(targets), peft.parameters, note)


def _targets(checkpoint: Checkpoint, peft: PeftAdapter) -> Mapping[str, str]:
    """Weight -> the module that changes it."""
    targets = weights_changed(peft.products, checkpoint.tensors.keys(), checkpoint.source)
    for name, module in targets.items():
        product = peft.products[module]
        require_shape(
            module, (product.rows, product.inner), checkpoint.tensors[name].shape, checkpoint.source
        )
    return targets


def _weight_files(files: ConfinedFolder) -> list[str]:
    """The files that `Checkpoint` reads weights from."""
    if files.exists(SINGLE_FILE):
        return [SINGLE_FILE]
    return sorted(set(indexed_files(files).values()))


def _write(
    files: ConfinedFolder, name: str, target: Path, targets: Mapping[str, str], peft: PeftAdapter
) -> None:
    path = files.locate(name)
    source = SafetensorsFile(path, f"{files.path.name}/{name}")
    with path.open("rb") as old, target.open("xb") as new:
        _copy(old, new, min((t.start for t in source.tensors.values()), default=path.stat().st_size))
        for tensor in source.tensors.values():
            module = targets.get(tensor.info.name)
            if module is None:
                _copy(old, new, tensor.end - tensor.start)
                continue
            for slab in _changed(source, tensor, _change(peft, module)):
                new.write(slab)
            old.seek(tensor.end)


def _change(peft: PeftAdapter, module: str) -> _Change:
    return _Change(peft.up(module) * np.float32(peft.products[module].scale), peft.down(module))


def _changed(source: SafetensorsFile, tensor: StoredTensor, change: _Change) -> Iterator[bytes]:
    rows, inner = tensor.info.shape
    step = max(1, _SLAB_VALUES // inner)
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        summed = source.read_rows(tensor.info.name, start, stop) + change.rows(start, stop)
        yield encoded(summed, tensor.info.dtype, tensor.info.name)


def _copy(old: BinaryIO, new: BinaryIO, size: int) -> None:
    while size:
        data = old.read(min(size, _COPY_BYTES))
        if not data:
            raise CheckpointError("A file of weights ends early", "merge-lora", "Fetch the checkpoint again.")
        new.write(data)
        size -= len(data)


def _copy_rest(files: ConfinedFolder, companions: Collection[str], folder: Path) -> None:
    for path in sorted(files.path.rglob("*")):
        name = path.relative_to(files.path).as_posix()
        unknown = path.suffix not in _COPIED and name not in companions
        if unknown or name.startswith(".") or not path.is_file() or name.count("/") > 1:
            continue
        # An index without its shards would hide the single file from other readers.
        if name == INDEX_FILE and (folder / SINGLE_FILE).exists():
            continue
        real = files.locate(name)
        if real.stat().st_size > _MOST_COPIED:
            raise CheckpointError(
                f"{name} is over {_MOST_COPIED} bytes", files.path.name, "Move it elsewhere."
            )
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(real, folder / name)
