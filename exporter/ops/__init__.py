"""The `ai.thistledown` operators, version 1, as model-local ONNX functions that stock onnxruntime runs."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import onnx_ir as ir

from exporter.ops.activations import gelu_gate, silu, silu_gate, soft_cap
from exporter.ops.domain import DOMAIN, OPSET_IMPORTS, VERSION
from exporter.ops.low_rank import low_rank
from exporter.ops.mean_pool import mean_pool
from exporter.ops.normalization import gated_rms_norm, head_rms_norm, rms_norm
from exporter.ops.rotary_table import rotary_table
from exporter.ops.ssm_scan import ssm_scan
from exporter.ops.ssm_scan_reference import ssm_scan_reference
from exporter.ops.unpacking import nibbles, octets

__all__ = [
    "DOMAIN",
    "FUNCTIONS",
    "OPSET_IMPORTS",
    "VERSION",
    "function",
    "functions_for",
    "ssm_scan_reference",
]

FUNCTIONS: Final[Mapping[str, Callable[[], ir.Function]]] = {
    "SSMScan": ssm_scan,
    "RMSNorm": rms_norm,
    "HeadRMSNorm": head_rms_norm,
    "GatedRMSNorm": gated_rms_norm,
    "Silu": silu,
    "SiluGate": silu_gate,
    "GeluGate": gelu_gate,
    "SoftCap": soft_cap,
    "RotaryTable": rotary_table,
    "MeanPool": mean_pool,
    "LowRank": low_rank,
    "Octets": octets,
    "Nibbles": nibbles,
}


def function(name: str) -> ir.Function:
    """A fresh copy of the function `name`: a function belongs to one model.

    Raises:
        KeyError: there is no such operator.
    """
    return functions_for([name])[0]


def functions_for(op_names: Iterable[str]) -> list[ir.Function]:
    """Fresh functions for the operators named, each once, in the order of `FUNCTIONS`.

    Raises:
        KeyError: there is no such operator.
    """
    wanted = set(op_names)
    if unknown := wanted - FUNCTIONS.keys():
        raise KeyError(f"no operator {sorted(unknown)} in {DOMAIN}; there are {sorted(FUNCTIONS)}")
    return [build() for name, build in FUNCTIONS.items() if name in wanted]
