"""Whether what was measured, or what answered, is still the same: one digest of many files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from webapp import Settings, site_files

SITE = Settings().site


def digest_of(files: Mapping[str, Path]) -> str:
    """The SHA-256 of the names and contents of the files, in whatever order they come."""
    whole = hashlib.sha256()
    for name, path in sorted(files.items()):
        with path.open("rb") as file:
            whole.update(f"{hashlib.file_digest(file, 'sha256').hexdigest()} {name}\n".encode())
    return whole.hexdigest()


def served(under: str = "/", *, sources: bool = False) -> dict[str, Path]:
    """What our server sends of the site, by address; `sources` as for `thistledown serve`."""
    return {url: path for url, path in site_files(SITE, sources).items() if url.startswith(under)}
