"""Checkpoints: config.json, safetensors weights read one tensor at a time, tokenizer files."""

from .checkpoint import Checkpoint
from .opening import open_checkpoint
from .safetensors_header import TensorInfo
from .sentence_modules import Pooling

__all__ = ["Checkpoint", "Pooling", "TensorInfo", "open_checkpoint"]
