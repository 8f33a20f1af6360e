"""Calibration texts: the lines of a text file, or the "text" of each line of a JSONL file, as tokens."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

from exporter.errors import CalibrationError
from exporter.reduction.tokenizer_file import open_tokenizer
from exporter.strict_json import JsonProblem, parse_object

MOST_TEXTS = 1024
_LONGEST_FILE = 256 << 20
_LONGEST_LINE = 1 << 20
MOST_TOKENS = 512


def read_texts(file: Path, seed: int) -> Sequence[str]:
    """Texts of `file` that are not empty; of more than 1,024 as many, drawn by `seed`. Raises CalibrationError."""
    # splitlines would also cut within JSON strings, which may hold separators of Unicode.
    lines = _read(file).split("\n")
    if file.suffix == ".jsonl":
        lines = [_text_of(line, number, file) for number, line in enumerate(lines, 1) if line.strip()]
    texts = [line.strip() for line in lines if line.strip()]
    if not texts:
        raise CalibrationError("There is no text", str(file), "Write one text a line.")
    return texts if len(texts) <= MOST_TEXTS else Random(seed).sample(texts, MOST_TEXTS)


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > _LONGEST_FILE:
            raise CalibrationError("The file is over 256 MiB", str(file), "A thousand texts are enough.")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise CalibrationError(
            f"The calibration texts cannot be read: {problem}",
            str(file),
            "Give a text file in UTF-8, one text a line, or JSONL.",
        ) from None


def _text_of(line: str, number: int, file: Path) -> str:
    try:
        text = parse_object(line.encode(), _LONGEST_LINE).get("text")
    except JsonProblem as problem:
        raise CalibrationError(f"Line {number} {problem}", str(file), 'Write {"text": "..."}.') from None
    if not isinstance(text, str):
        raise CalibrationError(
            f'Line {number} has no "text" that is a string', str(file), 'Write {"text": "..."}.'
        )
    return text


def tokens_of(texts: Sequence[str], tokenizer: Path, vocabulary: int, most: int) -> Sequence[Sequence[int]]:
    """The token ids of each text that has any, at most `most`; raises CalibrationError or TokenizerError."""
    tokenize = open_tokenizer(tokenizer)
    tokenize.no_padding()
    tokenize.enable_truncation(most)
    found = [encoded.ids for encoded in tokenize.encode_batch(list(texts)) if encoded.ids]
    if not found:
        raise CalibrationError("No text has any tokens", "calibration", "Give texts that the model can read.")
    if max(map(max, found)) >= vocabulary:
        raise CalibrationError(
            f"The tokenizer gives ids past the vocabulary of {vocabulary}",
            tokenizer.name,
            "Give the checkpoint its own tokenizer.",
        )
    return found
