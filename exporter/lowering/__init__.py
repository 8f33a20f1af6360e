"""Graph to plan: dispatches over the kernel catalog, buffers and memory."""

from exporter.lowering.describe import describe
from exporter.lowering.lower import HANDLERS, MAX_BINDING, lower
from exporter.lowering.plan import Plan
from exporter.lowering.weight_reads import weights_read

__all__ = ["HANDLERS", "MAX_BINDING", "Plan", "describe", "lower", "weights_read"]
