"""Calibration texts: a short list of our own in many languages, or the lines of a file; as tokens of a model."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from exporter.errors import CalibrationError

_BUNDLED = Path(__file__).with_name("sentences.txt")
_LONGEST_FILE = 64 << 20
_MOST_TEXTS = 1024
_MOST_TOKENS = 256


def read_texts(file: Path | None = None) -> Sequence[str]:
    """The first 1,024 lines of `file` that are not empty, or ours; raises CalibrationError."""
    path = file or _BUNDLED
    try:
        if path.stat().st_size > _LONGEST_FILE:
            raise CalibrationError("The file is over 64 MiB", str(path), "A thousand lines are enough.")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise CalibrationError(
            f"The calibration texts cannot be read: {problem}",
            str(path),
            "Give a text file in UTF-8, one text a line.",
        ) from problem
    texts = [line.strip() for line in lines if line.strip()]
    if len(texts) < 2:
        raise CalibrationError("There are fewer than 2 texts", str(path), "Write one text a line.")
    return texts[:_MOST_TEXTS]


def tokens_of(texts: Sequence[str], tokenizer: Path, context: int) -> Sequence[Sequence[int]]:
    """The token ids of each text that has any, at most 256 or `context` of them."""
    tokenize = Tokenizer.from_file(str(tokenizer))
    tokenize.no_padding()
    tokenize.enable_truncation(min(context, _MOST_TOKENS))
    found = [encoded.ids for encoded in tokenize.encode_batch(list(texts)) if encoded.ids]
    if len(found) < 2:
        raise CalibrationError(
            f"Of {len(texts)} texts {len(found)} have any tokens",
            "calibration",
            "Give texts that the model can read.",
        )
    return found
