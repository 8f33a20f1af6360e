"""WGSL kernels: the catalog, the packed weight formats, the tiers, and composition of shader text.

This door needs the standard library only. The NumPy twins are in `wgsl_kernels.reference`.
"""

from collections.abc import Mapping

from .catalog import Binding, Kernel, Tolerance
from .compose import compose
from .formats import FORMATS, Format
from .rows_decode_attention import DECODE_ATTENTION_KERNELS
from .rows_dense import DENSE_KERNELS
from .rows_experts import EXPERT_KERNELS
from .rows_low_rank import LOW_RANK_KERNELS
from .rows_mamba import MAMBA_KERNELS
from .rows_packed import PACKED_KERNELS
from .rows_scan import SCAN_KERNELS
from .rows_sequence import SEQUENCE_KERNELS
from .sizes import grid, measure
from .tiers import TIERS, Tier

CATALOG: Mapping[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        *PACKED_KERNELS,
        *DENSE_KERNELS,
        *SEQUENCE_KERNELS,
        *DECODE_ATTENTION_KERNELS,
        *SCAN_KERNELS,
        *MAMBA_KERNELS,
        *EXPERT_KERNELS,
        *LOW_RANK_KERNELS,
    )
}

__all__ = [
    "CATALOG",
    "FORMATS",
    "TIERS",
    "Binding",
    "Format",
    "Kernel",
    "Tier",
    "Tolerance",
    "compose",
    "grid",
    "measure",
]
