"""What a student reads: lines of a text file, or of JSONL with "text", or with "prompt" and "completion"."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.errors import ReductionError
from exporter.reduction.training.batches import Tokens
from exporter.strict_json import JsonProblem, parse_object

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_LONGEST_LINE = 1 << 20
_KEYS = ({"text"}, {"prompt", "completion"})
_REMEDY = 'Write one text a line, or JSONL of {"text": ...} or of {"prompt": ..., "completion": ...}.'


@dataclass(frozen=True)
class TextFile:
    """A file whose lines were all read once and found to be right; `offsets` are the places where they begin."""

    path: Path
    offsets: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.offsets)

    def tokens(self, index: int, tokenizer: "Tokenizer", longest: int) -> Tokens:
        """Line `index` as ids, cut after `longest`; of a prompt with a completion, what is foretold begins after it."""
        with self.path.open("rb") as file:
            file.seek(self.offsets[index])
            row = _row(self.path, file.readline(_LONGEST_LINE + 1), index + 1)
        if "text" in row:
            return Tokens(tokenizer.encode(row["text"]).ids[:longest], 1)
        before = tokenizer.encode(row["prompt"]).ids
        after = tokenizer.encode(row["completion"], add_special_tokens=False).ids
        return Tokens([*before, *after][:longest], len(before))


def open_text_file(path: Path) -> TextFile:
    """Read all of it once. Raises ReductionError naming the line that is wrong."""
    offsets, at = [], 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    _row(path, line, number)
                    offsets.append(at)
                at += len(line)
    except OSError as problem:
        raise ReductionError(f"The data cannot be read: {problem.strerror}", str(path), _REMEDY) from None
    if not offsets:
        raise ReductionError("There is no text in the data", str(path), _REMEDY)
    return TextFile(path, tuple(offsets))


def _row(path: Path, line: bytes, number: int) -> Mapping[str, str]:
    if len(line) > _LONGEST_LINE:
        raise ReductionError(f"Line {number} is over 1 MiB", str(path), "Split it.")
    if path.suffix != ".jsonl":
        return {"text": _decoded(path, line, number).rstrip("\r\n")}
    try:
        row: Mapping[str, Any] = parse_object(line, _LONGEST_LINE)
    except JsonProblem as problem:
        raise ReductionError(f"Line {number} {problem}", str(path), _REMEDY) from None
    if not any(keys <= set(row) for keys in _KEYS):
        raise ReductionError(f"Line {number} has no text", str(path), _REMEDY)
    if not all(isinstance(row[key], str) for keys in _KEYS for key in keys & set(row)):
        raise ReductionError(f"Line {number} holds something else than text", str(path), _REMEDY)
    return row


def _decoded(path: Path, line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise ReductionError(f"Line {number} is not UTF-8", str(path), _REMEDY) from None
