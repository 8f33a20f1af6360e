"""What a model takes of the GPU's memory: its plan's buffers, and those that results are read back through."""

from collections.abc import Mapping

from .manifest import Manifest

_READBACK_SLOTS = 2


def gpu_memory(manifest: Manifest, tier: str) -> Mapping[str, int]:
    """Bytes by use, `readback` and `total` among them; counted as the engine does before it loads (memory.js)."""
    return with_readback(manifest.task, manifest.vocabulary, manifest.plans[tier].memory)


def with_readback(task: str, vocabulary: int, memory: Mapping[str, int]) -> Mapping[str, int]:
    """The same of a plan's `memory`: logits are read one at a time, all else of its `io` in two turns."""
    logits = 4 * vocabulary if task == "text-generation" else 0
    readback = logits + _READBACK_SLOTS * max(0, memory["io"] - logits)
    uses = {use: size for use, size in memory.items() if use != "total"}
    return {**uses, "readback": readback, "total": memory["total"] + readback}
