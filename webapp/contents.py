"""What a resource's bytes are now: read, hashed and compressed once for each version of the file.

Small files and all texts are kept in memory; weights are streamed from the disk, and their hash is the
manifest's, which the visitor's engine checks.
"""

import hashlib
import os
import threading
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from webapp.compression import CODINGS, compress, compressible
from webapp.confinement import open_confined
from webapp.negotiation import IDENTITY, preferred_coding
from webapp.tree import Resource

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Representation:
    """What travels: a body in one content coding, with a strong entity tag of its own.

    A body that is a file is open; who gets it closes it.
    """

    body: bytes | BufferedReader
    length: int
    etag: str
    coding: str
    negotiated: bool

    def close(self) -> None:
        if isinstance(self.body, BufferedReader):
            self.body.close()


@dataclass(frozen=True)
class _Text:
    data: bytes
    sha256: str
    stamp: Stamp


class Contents:
    """A cache; safe to use from many threads."""

    def __init__(self) -> None:
        self._texts: dict[Path, _Text] = {}
        self._packed: dict[tuple[str, str], bytes | None] = {}
        self._packing: dict[tuple[str, str], threading.Lock] = {}

    def represent(self, resource: Resource, accept_encoding: str) -> Representation | None:
        """`resource` as this visitor wants it; None if it is gone, or no longer what its manifest says."""
        file = open_confined(resource.path, resource.root)
        if file is None:
            return None
        size = os.fstat(file.fileno()).st_size
        if resource.bytes not in (None, size):
            file.close()
            return None
        packs = compressible(resource.path.name, size)
        if resource.sha256 is not None and not packs:
            return Representation(file, size, f'"{resource.sha256}"', IDENTITY, negotiated=False)
        with file:
            text = self._text(resource.path, file)
        return self._in_memory(text.data, text.sha256, accept_encoding if packs else "", packs)

    def transfer_bytes(self, resource: Resource) -> int:
        """Bytes of body that travel to a visitor who takes the best coding; 0 for a file that is gone."""
        found = self.represent(resource, ",".join(CODINGS))
        if found is None:
            return 0
        found.close()
        return found.length

    def text(self, resource: Resource) -> tuple[bytes, str] | None:
        """(bytes, SHA-256) of one of the site's own files; None if it is gone."""
        known = self._texts.get(resource.path)
        if known is not None and known.stamp == _stamp_at(resource.path):
            return known.data, known.sha256
        file = open_confined(resource.path, resource.root)
        if file is None:
            return None
        with file:
            text = self._text(resource.path, file)
        return text.data, text.sha256

    def represent_text(self, data: bytes, accept_encoding: str) -> Representation:
        """`data`, which was made here, as this visitor wants it."""
        return self._in_memory(data, hashlib.sha256(data).hexdigest(), accept_encoding, negotiated=True)

    def _in_memory(self, data: bytes, sha256: str, accept: str, negotiated: bool) -> Representation:
        coding = preferred_coding(accept)
        packed = None if coding == IDENTITY else self._compressed(data, sha256, coding)
        if packed is None:
            return Representation(data, len(data), f'"{sha256}"', IDENTITY, negotiated)
        return Representation(packed, len(packed), f'"{sha256}-{coding}"', coding, negotiated)

    def _text(self, path: Path, file: BufferedReader) -> _Text:
        stamp = _stamp(os.fstat(file.fileno()))
        known = self._texts.get(path)
        if known is not None and known.stamp == stamp:
            return known
        data = file.read()
        text = self._texts[path] = _Text(data, hashlib.sha256(data).hexdigest(), stamp)
        return text

    def _compressed(self, data: bytes, sha256: str, coding: str) -> bytes | None:
        key = sha256, coding
        if key not in self._packed:
            with self._packing.setdefault(
                key, threading.Lock()
            ):  # of several who wait for the same text, one pays
                if key not in self._packed:
                    self._packed[key] = compress(data, coding)
        return self._packed[key]


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _stamp_at(path: Path) -> Stamp | None:
    try:
        return _stamp(os.stat(path))
    except OSError:
        return None
