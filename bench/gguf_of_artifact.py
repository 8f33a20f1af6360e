"""A GGUF of the very weights of an artifact, for peers that are built on llama.cpp."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import MODEL_ARCH, MODEL_ARCH_NAMES, GGUFWriter, TensorNameMap, get_tensor_name_map

from bench.gguf_blocks import in_gguf
from bench.gguf_settings import write_settings
from bench.gguf_sizes import Attention, Sizes
from bench.stored_model import Array, Blocks, StoredModel, Weight

# A browser holds one file in one ArrayBuffer.
LARGEST = 2_000_000_000
ARCHITECTURES = {"granitemoehybrid": MODEL_ARCH.GRANITE_HYBRID, "llama": MODEL_ARCH.LLAMA}
# What graphs of these architectures are made of; another operator is something that the file could not say.
_KINDS = {
    *(
        "Add",
        "Cast",
        "Gather",
        "GatherBlockQuantized",
        "Mul",
        "ReduceSum",
        "Shape",
        "Split",
        "Squeeze",
        "Sub",
    ),
    *("FusedMatMul", "GroupQueryAttention", "MatMulNBits", "RMSNorm", "RotaryTable", "SiluGate"),
    *("CausalConvWithState", "GatedRMSNorm", "SSMScan"),
}
_GATE_AND_UP = "shared_mlp.input_linear"


def write_gguf(folder: Path, manifest: Mapping[str, Any], target: Path) -> None:
    """Write to `target` the weights of the artifact in `folder`; raises ValueError for what a GGUF cannot say.

    Its tokens are their ids as text: the name of token 10 is 0000a. So a peer that only takes text is told ids, and
    its answer is read as ids.
    """
    name = str(manifest["architecture"])
    if name not in ARCHITECTURES:
        raise ValueError(f"the bench makes a GGUF of {', '.join(ARCHITECTURES)}, and this is {name}")
    model = StoredModel(folder)
    if strange := sorted(model.kinds - _KINDS):
        raise ValueError(f"no GGUF of {name} says what {', '.join(strange)} computes here")
    sizes = Sizes.of(model)
    architecture = ARCHITECTURES[name] if sizes.mamba or name == "llama" else MODEL_ARCH.GRANITE
    writer = GGUFWriter(target, MODEL_ARCH_NAMES[architecture])
    write_settings(writer, sizes, int(manifest["context"]))
    _write_tokens(writer, int(manifest["vocabulary"]))
    _write_weights(writer, model, sizes, architecture)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def token_name(token: int) -> str:
    """The text of a token: all are of one length, so that any text of them has one reading only."""
    return f"{token:05x}"


def _write_tokens(writer: GGUFWriter, vocabulary: int) -> None:
    """Of llama.cpp's tokenizers, rwkv is the one that takes the longest token that fits, and knows no special ones."""
    writer.add_tokenizer_model("rwkv")
    writer.add_token_list([token_name(token) for token in range(vocabulary)])
    writer.add_add_bos_token(False)


def _write_weights(writer: GGUFWriter, model: StoredModel, sizes: Sizes, architecture: MODEL_ARCH) -> None:
    places = get_tensor_name_map(architecture, sizes.layers)
    total = 0
    for stored in model.names():
        for name, weight in _pieces(stored, model.weight(stored), sizes):
            data, kind = in_gguf(_shaped(name, weight, sizes))
            total += data.nbytes
            if total > LARGEST:
                raise ValueError(f"the GGUF would be above {LARGEST / 1e9:g} GB, which a browser cannot hold")
            writer.add_tensor(_place(places, name), data, raw_dtype=kind)


def _pieces(stored: str, weight: Weight, sizes: Sizes) -> Iterator[tuple[str, Weight]]:
    """The tensors of a checkpoint in llama's spelling out of one that is stored, each with its name."""
    names = stored.replace("shared_mlp.output_linear", "mlp.down_proj").split("+")
    if _GATE_AND_UP in stored:
        names = [stored.replace(_GATE_AND_UP, part) for part in ("mlp.gate_proj", "mlp.up_proj")]
    if len(names) == 1:
        yield names[0], weight
        return
    start = 0
    for name, rows in zip(names, _heights(names, _height(weight), sizes.attention), strict=True):
        yield name, _taken(weight, start + _order(name, rows, sizes.attention))
        start += rows


def _height(weight: Weight) -> int:
    return len(weight.codes) if isinstance(weight, Blocks) else len(weight)


def _taken(weight: Weight, rows: Array) -> Weight:
    return weight.take(rows) if isinstance(weight, Blocks) else weight[rows]


def _heights(names: list[str], rows: int, attention: Attention) -> list[int]:
    """How many rows each of stacked tensors has."""
    if len(names) == 3:
        heads = (attention.heads, attention.kv_heads, attention.kv_heads)
        return [number * attention.head_dim for number in heads]
    return [rows // len(names)] * len(names)


def _order(name: str, rows: int, attention: Attention) -> Array:
    """llama.cpp turns neighbours, where a checkpoint has the partner of a value half a head away."""
    order = np.arange(rows)
    if (
        attention is None
        or attention.frequencies is None
        or (".q_proj." not in name and ".k_proj." not in name)
    ):
        return order
    pairs: Array = order.reshape(-1, 2, attention.head_dim // 2).swapaxes(1, 2)
    return pairs.reshape(-1)


def _shaped(name: str, weight: Weight, sizes: Sizes) -> Weight:
    """What llama.cpp stores otherwise than a checkpoint does: only vectors and the convolution."""
    if isinstance(weight, Blocks):
        return weight
    if name.endswith(".A_log"):
        return -np.exp(weight)[:, None]
    if name.endswith(".mamba.D"):
        return weight[:, None]
    if name.endswith(".conv1d.weight"):
        return weight[:, 0]
    if sizes.mamba and name.endswith(".mamba.norm.weight"):
        return weight.reshape(sizes.mamba.groups, -1)
    return weight


def _place(places: TensorNameMap, name: str) -> str:
    """The name of a checkpoint's tensor in a GGUF."""
    whole = name if name.startswith(("model.", "lm_head.")) else f"model.{name}"
    homeless = whole.endswith((".in_proj.bias", ".out_proj.bias"))
    found = (
        None
        if homeless
        else places.get_name(whole.replace(".dt_bias", ".dt_proj.bias"), (".weight", ".bias"))
    )
    if found is None:
        raise ValueError(f"a GGUF of this architecture has no place for {name}")
    return found
