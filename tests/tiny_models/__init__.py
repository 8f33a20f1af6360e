"""Checkpoints under a megabyte of every text-generation architecture: seeded weights, a tokenizer trained on the spot.

A row says what differs from the class's own defaults; `LLAMA_FAMILY` and `OTHER_DECODERS` hold the rows.
"""

from collections.abc import Mapping

from tests.tiny_models.checkpoint import TinyModel, random_ids, write_tiny_model
from tests.tiny_models.llama_family import LLAMA_FAMILY
from tests.tiny_models.other_decoders import OTHER_DECODERS

DECODERS: Mapping[str, TinyModel] = {row.name: row for row in (*LLAMA_FAMILY, *OTHER_DECODERS)}

__all__ = ["DECODERS", "TinyModel", "random_ids", "write_tiny_model"]
