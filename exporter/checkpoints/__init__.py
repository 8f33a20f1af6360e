"""Checkpoints: config.json, safetensors weights read one tensor at a time, tokenizer files."""

from .checkpoint import Checkpoint
from .opening import open_checkpoint
from .origin import ORIGIN_FILE, Origin
from .safetensors_header import TensorInfo
from .sentence_modules import Pooling

__all__ = ["ORIGIN_FILE", "Checkpoint", "Origin", "Pooling", "TensorInfo", "open_checkpoint"]
