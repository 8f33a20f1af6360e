"""A vocabulary that can write JSON, for the tiny generator: every byte, and pieces of several."""

from collections.abc import Sequence

from tests.site.engine_artifacts import PIECES, Artifact, generation_artifact

_PRINTABLE = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
_REST = [byte for byte in range(256) if byte not in _PRINTABLE]
# The alphabet of byte-level vocabularies: a character for each byte.
BYTES = {byte: chr(byte) for byte in _PRINTABLE} | {byte: chr(256 + i) for i, byte in enumerate(_REST)}
_PARTS = (
    '{"',
    '":',
    '":Ġ"',
    '",Ġ"',
    '"}',
    '"]',
    "Ġ{",
    "true",
    "false",
    "null",
    "ĠĠĠĠ",
    "abc",
    "12",
    "lo",
    'a"',
    "\\u",
)
JSON_PIECES = tuple(dict.fromkeys((*PIECES, *BYTES.values(), *_PARTS)))


def spelled(text: str) -> list[int]:
    """The ids of a text, the longest piece first."""
    rest = "".join(BYTES[byte] for byte in text.encode())
    ids = []
    while rest:
        piece = max((piece for piece in JSON_PIECES if rest.startswith(piece)), key=len)
        ids.append(JSON_PIECES.index(piece))
        rest = rest[len(piece) :]
    return ids


def writer(script: Sequence[int], **generation: object) -> Artifact:
    """After a prompt of one token it says the script, unless a constraint forbids it."""
    return generation_artifact(script, pieces=JSON_PIECES, context=256, **generation)
