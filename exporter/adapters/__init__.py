"""LoRA adapters (Hu et al., arXiv 2106.09685) of peft: merged into a checkpoint, or kept beside an artifact."""

from exporter.adapters.making import Made, make_adapter
from exporter.adapters.merging import Merged, merge_lora

__all__ = ["Made", "Merged", "make_adapter", "merge_lora"]
