"""Cutting layers, channels, heads, neurons and experts out of a checkpoint, by what they do on texts."""

from exporter.reduction.pruning.pruning import Pruned, prune

__all__ = ["Pruned", "prune"]
