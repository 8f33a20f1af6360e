"""Checkpoints whose weights are those that an artifact stores: read from its shards, made floats, put back by name."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
from safetensors.numpy import load_file, save_file

Arrays = Mapping[str, np.ndarray]

_BLOCK = 32
_PARTS = (".blocks", ".rows", ".scales", ".zeros")


def write_dequantized(folder: Path, checkpoint: Path, artifact: Path) -> None:
    """Copy `checkpoint` to `folder`, with the weights that `artifact` made of it."""
    shutil.copytree(checkpoint, folder, dirs_exist_ok=True)
    tensors = load_file(checkpoint / "model.safetensors")
    stored = _stored(artifact)
    found = {}
    for name in {_base(name) for name in stored}:
        parts = name.removesuffix(".rearranged").split("+")
        if all(part in tensors for part in parts):
            shape = _stacked_shape([tensors[part].shape for part in parts])
            found |= _unstacked(parts, _floats(name, stored, shape), tensors, name.endswith(".rearranged"))
    missing = sorted(set(tensors) - set(found))
    assert not missing, f"the artifact does not have {missing}"
    save_file(found, folder / "model.safetensors", metadata={"format": "pt"})


def _stored(artifact: Path) -> Arrays:
    """Everything that lies in the shards, by its name in the graph."""
    model = ir.from_proto(onnx.load(artifact / "model.onnx", load_external_data=False))
    found = {}
    for name, value in model.graph.initializers.items():
        tensor = value.const_value
        if isinstance(tensor, ir.ExternalTensor):
            path = artifact / Path(tensor.location)
            count = int(np.prod(tensor.shape.numpy(), dtype=np.int64))
            flat = np.fromfile(path, tensor.dtype.numpy(), count, offset=tensor.offset or 0)
            found[name] = flat.reshape(tensor.shape.numpy())
    return found


def _base(name: str) -> str:
    return next((name.removesuffix(part) for part in _PARTS if name.endswith(part)), name)


def _stacked_shape(shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    return (sum(shape[0] for shape in shapes), *shapes[0][1:])


def _floats(name: str, stored: Arrays, shape: tuple[int, ...]) -> np.ndarray:
    """The float32 weight `name` of `shape`: as it is stored, or (q - zero point) * scale of its blocks."""
    if name in stored:
        return stored[name].astype(np.float32).reshape(shape)
    packed = stored[f"{name}.blocks"] if f"{name}.blocks" in stored else stored[f"{name}.rows"]
    inner, scales = shape[-1], stored[f"{name}.scales"].astype(np.float32)
    blocks = -(-inner // _BLOCK)
    rows = scales.size // blocks
    bits = packed.size * 8 // (rows * blocks * _BLOCK)
    q = _unpacked(packed.reshape(rows, -1), bits).reshape(rows, blocks, _BLOCK).astype(np.float32)
    zeros = np.full((rows, blocks), 1 << (bits - 1), np.uint8)
    if f"{name}.zeros" in stored:
        zeros = _unpacked(stored[f"{name}.zeros"].reshape(rows, -1), bits)[:, :blocks]
    values = (q - zeros[..., None].astype(np.float32)) * scales.reshape(rows, blocks, 1)
    return values.reshape(rows, -1)[:, :inner].reshape(shape)


def _unpacked(packed: np.ndarray, bits: int) -> np.ndarray:
    """Values of `bits` bits from each byte of (rows, n), the lowest first."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    return ((packed[..., None] >> shifts) & np.uint8((1 << bits) - 1)).reshape(packed.shape[0], -1)


def _unstacked(
    parts: list[str], weight: np.ndarray, tensors: Arrays, interleaved: bool
) -> dict[str, np.ndarray]:
    """The checkpoint's own tensors; an expert's rows are gate, up, gate, up, ... where they were interleaved."""
    if interleaved:
        weight = np.concatenate([weight[:, 0::2], weight[:, 1::2]], axis=1)
    ends = np.cumsum([tensors[part].shape[0] for part in parts])[:-1]
    pieces = np.split(weight, ends)
    return {part: np.ascontiguousarray(piece) for part, piece in zip(parts, pieces, strict=True)}
