"""Byte sizes as people write and read them: 32MB is 32,000,000 bytes, 32MiB is 33,554,432."""

import argparse
import re

DEFAULT_SHARD_BYTES = 32_000_000

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_LARGEST = 2.0**63
_LEAST_BARE = 1000
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMG]?I?B?)\s*", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Bytes in "50MB", "1.5 GiB" or "1234"; raises argparse.ArgumentTypeError saying what is understood."""
    match = _SIZE.fullmatch(text)
    unit = _UNITS.get(match[2].upper()) if match else None
    if match is None or unit is None:
        near = f"{match[0].strip()}B" if match else "500kB, 50MB, 32MiB or a number of bytes"
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write {near}")
    size = float(match[1]) * unit
    if not 0.5 <= size <= _LARGEST:
        raise argparse.ArgumentTypeError(f"{text[:40]!r}: a size is at least 1 byte and at most 8 EiB")
    return round(size)


def parse_budget_size(text: str) -> int:
    """The same for a whole download, where a small number without a unit means megabytes that nobody wrote."""
    size, bare = parse_size(text), text.strip()
    if bare.isdecimal() and size < _LEAST_BARE:
        raise argparse.ArgumentTypeError(
            f"{bare} without a unit would be bytes: write {bare}MB, or {bare}B if you mean bytes"
        )
    return size


def human(size: float) -> str:
    """A size with three digits or so: "912 B", "23.4 kB", "22.7 MB"."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"
