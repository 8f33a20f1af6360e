"""onnxruntime, torch and the WebGPU plan against each other."""

from exporter.parity.canary import MOST_CANARY_BYTES, canary_of, planned_canary
from exporter.parity.verify import Check, require_all, verify

__all__ = ["MOST_CANARY_BYTES", "Check", "canary_of", "planned_canary", "require_all", "verify"]
