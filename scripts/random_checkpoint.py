"""Write a checkpoint of random weights for a config.json: bf16 safetensors shards, an index and a byte tokenizer.

    python -m scripts.random_checkpoint tests/published/bamba-9b -o build/bamba-9b

The weights are cut from one seeded tile of normal noise at seeded places, so that a disk is the limit: they are as
hard to round as trained weights and mean nothing. Matrices have a deviation of 0.02, vectors are that noise around 1.
"""

import argparse
import json
import math
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import ml_dtypes
import numpy as np
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from exporter.models import architecture
from exporter.sizes import human, parse_size

_SEED = 20261124
_DEVIATION = 0.02
_TILE_VALUES = 1 << 23
_END = "<|end|>"
_OTHER_FILES = ("generation_config.json", "tokenizer.json", "tokenizer_config.json", "README.md")

Shape = tuple[int, ...]


class _Asked:
    """Notes the tensors that a model builder asks for."""

    def __init__(self) -> None:
        self.tensors: dict[str, Shape] = {}

    def require(self, name: str, shape: Shape) -> None:
        self.tensors[name] = tuple(shape)

    def read(self, name: str) -> np.ndarray:
        raise KeyError(name)

    def read_rows(self, name: str, start: int, stop: int) -> np.ndarray:
        raise KeyError(name)


def write_random_checkpoint(source: Path, folder: Path, shard_bytes: int = 5_000_000_000) -> int:
    """Write a checkpoint for `source`/config.json into `folder`; returns the bytes of its weights."""
    config = json.loads((source / "config.json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / "config.json", folder)
    tensors = tensors_of(config)
    shards = list(_shards(tensors, shard_bytes))
    noise = _Noise()
    weight_map = {}
    for index, names in enumerate(shards):
        file = f"model-{index + 1:05d}-of-{len(shards):05d}.safetensors"
        _write_shard(folder / file, {name: tensors[name] for name in names}, noise)
        weight_map |= dict.fromkeys(names, file)
    total = sum(2 * math.prod(shape) for shape in tensors.values())
    document = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(document, indent=1))
    _write_other_files(source, folder)
    return total


def tensors_of(config: Mapping[str, object]) -> dict[str, Shape]:
    """The tensors that the builder of `config`'s architecture asks for, with their shapes."""
    asked = _Asked()
    architecture(config).build(config, asked, None)
    return asked.tensors


def _shards(tensors: Mapping[str, Shape], shard_bytes: int) -> Iterator[list[str]]:
    names: list[str] = []
    size = 0
    for name, shape in tensors.items():
        if names and size + 2 * math.prod(shape) > shard_bytes:
            yield names
            names, size = [], 0
        names.append(name)
        size += 2 * math.prod(shape)
    yield names


class _Noise:
    """A tile of noise around zero, and the same around one, as the bits of bfloat16."""

    def __init__(self) -> None:
        self._places = np.random.default_rng(_SEED)
        noise = self._places.standard_normal(_TILE_VALUES, np.float32) * np.float32(_DEVIATION)
        self._around = [(noise + np.float32(at)).astype(ml_dtypes.bfloat16).view(np.uint16) for at in (0, 1)]

    def pieces(self, shape: Shape) -> Iterator[memoryview]:
        """The bytes of a tensor, some at a time."""
        tile = self._around[len(shape) == 1]
        left = math.prod(shape)
        while left:
            start = int(self._places.integers(_TILE_VALUES // 2))
            piece = tile[start : start + left]
            yield piece.view(np.uint8).data
            left -= piece.size


def _write_shard(path: Path, tensors: Mapping[str, Shape], noise: _Noise) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, shape in tensors.items():
        end = offset + 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    raw = json.dumps(header, separators=(",", ":")).encode()
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        for shape in tensors.values():
            for piece in noise.pieces(shape):
                file.write(piece)


def _write_other_files(source: Path, folder: Path) -> None:
    for name in _OTHER_FILES:
        if (source / name).is_file():
            shutil.copy(source / name, folder)
    if (folder / "tokenizer.json").is_file():
        return
    vocabulary = {token: index for index, token in enumerate([*sorted(ByteLevel.alphabet()), _END])}
    tokenizer = Tokenizer(BPE(vocabulary, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens([_END])
    tokenizer.save(str(folder / "tokenizer.json"))


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write a checkpoint of random weights.")
    parser.add_argument("source", type=Path, help="folder with config.json, and a tokenizer if there is one")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write into"
    )
    parser.add_argument("--shard-size", type=parse_size, default=5_000_000_000, metavar="SIZE")
    arguments = parser.parse_args(argv)
    total = write_random_checkpoint(arguments.source, arguments.output, arguments.shard_size)
    print(f"{arguments.output}: {human(total)} of random weights")
    return 0


if __name__ == "__main__":
    sys.exit(main())
