"""tokenizer.json as the tokenizers package reads it."""

from pathlib import Path
from typing import TYPE_CHECKING

from exporter.errors import TokenizerError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def open_tokenizer(path: Path) -> "Tokenizer":
    """Raises TokenizerError where it cannot be read."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as problem:  # tokenizers has no type of its own for what is damaged
        raise TokenizerError(f"The tokenizer cannot be read: {problem}", str(path), "Copy it anew.") from None
