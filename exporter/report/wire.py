"""How a file travels: the server's compression policy, restated because the exporter may not import the server.

tests/contracts holds both equal. Weights travel as they are; their compressed sizes are stated for comparison only,
at levels that finish on hundreds of megabytes.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

import brotli

COMPRESSED_SUFFIXES = frozenset(
    {".css", ".html", ".js", ".json", ".md", ".mjs", ".svg", ".txt", ".webmanifest", ".wgsl"}
)
LARGEST = 64 * 1024 * 1024
BROTLI_BEST_BELOW = 1_000_000
BROTLI_BEST, BROTLI_FAST, BROTLI_WINDOW = 11, 9, 22
GZIP_LEVEL = 9
BINARY_BROTLI, BINARY_GZIP = 5, 6
# What zlib wants added to the window's bits for gzip's header and trailer.
_GZIP_CONTAINER = 16


_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class WireSizes:
    """Bytes of a file as it is, as gzip, as brotli, and as it travels to a browser that takes brotli.

    gzip and brotli are None where nobody has compressed it.
    """

    raw: int
    gzip: int | None
    brotli: int | None
    travels: int


def is_compressed(name: str, size: int) -> bool:
    """Whether the server compresses the file called `name`, of `size` bytes."""
    return PurePath(name).suffix in COMPRESSED_SUFFIXES and size <= LARGEST


def wire_sizes(name: str, data: bytes) -> WireSizes:
    """Sizes of the file called `name` with the content `data`."""
    if not is_compressed(name, len(data)):
        return sizes_for_comparison([data])
    quality = BROTLI_BEST if len(data) < BROTLI_BEST_BELOW else BROTLI_FAST
    packed_gzip = len(gzip.compress(data, GZIP_LEVEL, mtime=0))
    packed_brotli = len(brotli.compress(data, quality=quality, lgwin=BROTLI_WINDOW))
    return WireSizes(len(data), packed_gzip, packed_brotli, min(packed_brotli, len(data)))


def sizes_for_comparison(pieces: Iterable[bytes]) -> WireSizes:
    """Sizes of a file that travels as it is, in `pieces` so that it need not be in memory whole."""
    as_gzip = zlib.compressobj(BINARY_GZIP, wbits=zlib.MAX_WBITS + _GZIP_CONTAINER)
    as_brotli = brotli.Compressor(quality=BINARY_BROTLI, lgwin=BROTLI_WINDOW)
    raw = packed_gzip = packed_brotli = 0
    for piece in pieces:
        raw += len(piece)
        packed_gzip += len(as_gzip.compress(piece))
        packed_brotli += len(as_brotli.process(piece))
    packed_gzip += len(as_gzip.flush())
    packed_brotli += len(as_brotli.finish())
    return WireSizes(raw, packed_gzip, packed_brotli, raw)


def pieces_of(path: Path) -> Iterator[bytes]:
    """The content of `path`, a piece at a time."""
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            yield piece
