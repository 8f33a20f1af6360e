"""Lossless coding of weight shards for the wire: fewer bytes to download, decoded while they stream. Knows no ONNX."""

from .chunks import CHUNK_BYTES, STRETCH_BYTES, coded_chunks
from .planes import Span
from .reading import Extent, decode_chunk, extents_of

__all__ = ["CHUNK_BYTES", "STRETCH_BYTES", "Extent", "Span", "coded_chunks", "decode_chunk", "extents_of"]
