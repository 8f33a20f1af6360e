"""A compiled normalization in SentencePiece's binary form: a double array over bytes, then the replacements."""

import struct

REPLACEMENTS = {
    "\u0009": " ", "\u000a": " ", "\u00a0": " ", "\u3000": " ", "\u200b": " ",
    "\ufeff": "", "\u0007": "", "\ufb01": "fi", "\u2460": "1", "\u00bd": "1\u20442",
    "\u2167": "VIII", "\uff76": "\u30ab", "\uff76\uff9e": "\u30ac", "\uff11": "1", "\uff12": "2",
    "\uff13": "3", "e\u0301": "\u00e9", "\u000d\u000a": " ", "\u2028": " ", "\ufffd": " ",
}  # fmt: skip
LEAF = 1 << 8


def charsmap(replacements: dict[str, str] = REPLACEMENTS) -> bytes:
    """The `precompiled_charsmap` of `replacements`, each at most a few characters."""
    texts, places = b"", {}
    for key, text in replacements.items():
        places[key.encode()] = len(texts)
        texts += text.encode() + b"\0"
    units = _DoubleArray(places).units
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + texts


class _DoubleArray:
    """Units as in https://github.com/s-yata/darts-clone: label, a leaf's flag, and the offset of the children."""

    def __init__(self, places: dict[bytes, int]) -> None:
        self.units = [0] * 0x10000
        self.used = {0}
        self.units[0] = self._children(0, b"", places)
        last = max(i for i, unit in enumerate(self.units) if unit) | 0xFF
        self.units = self.units[: last + 1]

    def _children(self, at: int, prefix: bytes, places: dict[bytes, int]) -> int:
        """Place what follows `prefix`; returns the offset bits of the unit at `at`."""
        labels = sorted(
            {key[len(prefix)] for key in places if len(key) > len(prefix) and key.startswith(prefix)}
        )
        leaf = prefix in places
        slots = ([0] if leaf else []) + labels
        base = next(b for b in range(0, 0xFF00, 0x100) if self._is_free(b, slots))
        base = next(b for b in range(base, base + 0x100) if self._is_free(b, slots))
        self.used |= {base ^ slot for slot in slots}
        if leaf:
            self.units[base] = places[prefix] | 1 << 31
        for label in labels:
            child = base ^ label
            self.units[child] = label | self._children(child, prefix + bytes([label]), places)
            if prefix + bytes([label]) in places:
                self.units[child] |= LEAF
        return (base ^ at) << 10

    def _is_free(self, base: int, slots: list[int]) -> bool:
        return not any(base ^ slot in self.used for slot in slots)
