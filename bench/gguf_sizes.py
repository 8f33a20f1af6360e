"""The sizes and factors of a GGUF's header, read from the nodes of an artifact's graph."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.stored_model import StoredModel, attributes

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Attention:
    """The sizes of all layers with attention; `frequencies` are None where nothing tells positions apart."""

    heads: int
    kv_heads: int
    head_dim: int
    scale: float
    frequencies: tuple[float, ...] | None


@dataclass(frozen=True)
class Mamba:
    """The sizes of all Mamba-2 layers."""

    heads: int
    head_dim: int
    state_size: int
    groups: int
    taps: int


@dataclass(frozen=True)
class Sizes:
    """Of the whole model; `attentive` are the layers with attention, and the factors are None where there is no Mul."""

    layers: int
    attentive: frozenset[int]
    hidden: int
    inner: int
    vocabulary: int
    epsilon: float
    attention: Attention
    mamba: Mamba | None
    embedding_factor: float | None
    residual_factor: float | None
    logits_factor: float | None

    @classmethod
    def of(cls, model: StoredModel) -> "Sizes":
        """Raises ValueError for layers that differ, and for what llama.cpp does not compute."""
        norms = model.nodes("RMSNorm") + model.nodes("GatedRMSNorm")
        attentive = [_number_in(node.input[3]) for node in model.nodes("GroupQueryAttention")]
        scans = [_number_in(node.input[7]) for node in model.nodes("SSMScan")]
        attention = _one(
            (_attention(model, node) for node in model.nodes("GroupQueryAttention")), "attention"
        )
        if attention is None:
            raise ValueError("llama.cpp stops at a hybrid without a layer of attention")
        factors = {kind: _one(found, "factors") for kind, found in _factors(model).items()}
        embedding = next(name for name in model.names() if name.endswith("embed_tokens.weight"))
        return cls(
            layers=1 + max(attentive + scans),
            attentive=frozenset(attentive),
            hidden=len(model.constant(model.nodes("RMSNorm")[0].input[1])),
            inner=_inner(model),
            vocabulary=model.rows(embedding),
            epsilon=_one((attributes(node)["epsilon"] for node in norms), "norms") or 0.0,
            attention=attention,
            mamba=_one((_mamba(model, node) for node in model.nodes("SSMScan")), "Mamba layers"),
            embedding_factor=factors["embedding"],
            residual_factor=factors["residual"],
            logits_factor=factors["logits"],
        )


def _number_in(state: str) -> int:
    """The layer of a state: 3 in past_ssm.3 and in past_key_values.3.key."""
    return int(next(part for part in state.split(".") if part.isdigit()))


def _one(found: Iterable[_Found], what: str) -> _Found | None:
    """The one value of all layers."""
    distinct = set(found)
    if len(distinct) > 1:
        raise ValueError(f"a GGUF has one set of {what}, and here are {len(distinct)}")
    return next(iter(distinct), None)


def _inner(model: StoredModel) -> int:
    """The width of the MLP: half of what its first linear gives."""
    first = (
        name for name in model.names() if "mlp." in name and ("gate_proj" in name or "input_linear" in name)
    )
    return _one((model.rows(name) // 2 for name in first if name.endswith(".weight")), "MLP sizes") or 0


def _attention(model: StoredModel, node: Any) -> Attention:
    found = attributes(node)
    if found["softcap"] or found["local_window_size"] > 0:
        raise ValueError("its attention has a window or a cap, which this does not know to say in a GGUF")
    head_dim = model.input_shape(node.input[3])[-1]
    frequencies = _frequencies(model) if found["do_rotary"] else None
    return Attention(found["num_heads"], found["kv_num_heads"], head_dim, found["scale"], frequencies)


def _frequencies(model: StoredModel) -> tuple[float, ...]:
    [table] = model.nodes("RotaryTable")
    if attributes(table)["scale"] != 1:
        raise ValueError("its rotary tables are scaled, which this does not know to say in a GGUF")
    return tuple(map(float, model.constant(table.input[0])))


def _mamba(model: StoredModel, node: Any) -> Mamba:
    found = attributes(node)
    if found["dt_min"] > 0 or found["dt_max"] != float("inf"):
        raise ValueError("its Mamba layers limit their time steps, which llama.cpp does not")
    _, heads, state_size, head_dim = model.input_shape(node.input[7])
    taps = 1 + model.input_shape(f"past_conv.{_number_in(node.input[7])}")[1]
    return Mamba(heads, head_dim, state_size, found["n_groups"], taps)


def _factors(model: StoredModel) -> dict[str, list[float]]:
    """What the embedding, each layer's branches and the logits are multiplied by."""
    found: dict[str, list[float]] = {"embedding": [], "residual": [], "logits": []}
    for node in model.nodes("Mul"):
        layer = "residual" if node.name.startswith("layers.") else "embedding"
        found["logits" if node.output[0] == "logits" else layer].append(model.factor(node))
    return found
