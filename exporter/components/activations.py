"""Activations under the names that checkpoints give them (transformers' ACT2FN), alone and as gates."""

import onnx_ir as ir

from exporter.components.graph import GraphBuilder
from exporter.ops import DOMAIN

_GELU_TANH: tuple[str, str, dict[str, str]] = ("Gelu", "", {"approximate": "tanh"})
_SILU: tuple[str, str, dict[str, str]] = ("Silu", DOMAIN, {})

# What makes each: operator, domain and attributes.
ACTIVATIONS: dict[str, tuple[str, str, dict[str, str]]] = {
    "gelu": ("Gelu", "", {}),
    "gelu_new": _GELU_TANH,
    "gelu_fast": _GELU_TANH,
    "gelu_pytorch_tanh": _GELU_TANH,
    "relu": ("Relu", "", {}),
    "silu": _SILU,
    "swish": _SILU,
    "tanh": ("Tanh", "", {}),
}
_GATES = {"Silu": "SiluGate", "Gelu": "GeluGate"}


def activation(g: GraphBuilder, x: ir.Value, name: str) -> ir.Value:
    """The activation that transformers calls `name`, a key of ACTIVATIONS."""
    op_type, domain, attributes = ACTIVATIONS[name]
    return g.op(op_type, x, domain=domain, **attributes)


def gate_operator(name: str) -> str | None:
    """The operator of `ai.thistledown` that is activation(first half) * second half, if there is one."""
    made = ACTIVATIONS[name]
    return _GATES[made[0]] if made in (_SILU, _GELU_TANH) else None
