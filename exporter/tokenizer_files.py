"""Tokenizer files of an artifact: the checkpoint's own, without insignificant white space, and what a visit fetches."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from exporter.artifact import FileEntry, compact_json, file_entry
from exporter.errors import ThistledownError, TokenizerError
from exporter.packed_tokenizer import PACKED_NAME, packed
from exporter.strict_json import JsonProblem, parse_object

_NEEDED = ("tokenizer.json", "tokenizer_config.json")
_USUAL_MASK = "[MASK]"
_LIMIT = 128 * 1024 * 1024


def write_tokenizer(folder: Path, files: Mapping[str, Path]) -> list[FileEntry]:
    """Write the tokenizer; a missing tokenizer_config.json becomes an empty one.

    A visit fetches the packed form, where there is one: then the two are for other programs.
    Raises TokenizerError for a damaged file.
    """
    documents = {name: _parsed(files[name]) if name in files else {} for name in _NEEDED}
    for name, document in documents.items():
        (folder / name).write_bytes(_compact(name, document))
    small = packed(*documents.values())
    if small is None:
        return [file_entry(folder / name, "tokenizer") for name in _NEEDED]
    path = folder / PACKED_NAME
    path.write_bytes(_compact(PACKED_NAME, small))
    return [file_entry(path, "tokenizer"), *(file_entry(folder / name, "original") for name in _NEEDED)]


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return parse_object(path.read_bytes(), _LIMIT)
    except JsonProblem as problem:
        raise TokenizerError(f"{path.name} {problem}", "tokenizer", "Fetch the checkpoint again.") from None


def _compact(name: str, document: dict[str, Any]) -> bytes:
    try:
        return compact_json(document)
    except ThistledownError as problem:
        raise TokenizerError(
            f"{name}: {problem.what}", "tokenizer", "Fetch the checkpoint again."
        ) from problem


def mask_token(files: Mapping[str, Path]) -> str:
    """The token that stands for a word to be found; raises TokenizerError if tokenizer.json does not know it.

    Without any tokenizer.json, when an export is only foretold, it is the usual one.
    """
    if "tokenizer.json" not in files:
        return _USUAL_MASK
    settings = [
        _parsed(files[name]) for name in ("tokenizer_config.json", "special_tokens_map.json") if name in files
    ]
    stated = next((found for found in (each.get("mask_token") for each in settings) if found), _USUAL_MASK)
    token = stated.get("content") if isinstance(stated, dict) else stated
    document = _parsed(files["tokenizer.json"])
    added = [each.get("content") for each in document.get("added_tokens") or [] if isinstance(each, dict)]
    vocab = document["model"]["vocab"]
    if isinstance(token, str) and (token in added or (isinstance(vocab, dict) and token in vocab)):
        return token
    raise TokenizerError(
        f"tokenizer.json does not know the mask token {token!r}",
        "mask_token in tokenizer_config.json",
        "Use the tokenizer that the model was trained with.",
    )


def require_rows(files: Mapping[str, Path], vocabulary: int) -> None:
    """Raises TokenizerError if tokenizer.json has an id that the model's `vocabulary` has no row for."""
    ids = _ids(_parsed(files["tokenizer.json"]))
    largest = max((id_ for id_ in ids if isinstance(id_, int)), default=-1)
    if largest >= vocabulary:
        raise TokenizerError(
            f"tokenizer.json has the id {largest}, and the model has {vocabulary} rows",
            "vocab_size in config.json",
            "Resize the model's embedding to its tokenizer (resize_token_embeddings), then save both again.",
        )


def _ids(document: dict[str, Any]) -> Iterable[object]:
    vocab = document["model"]["vocab"]
    yield from vocab.values() if isinstance(vocab, dict) else range(len(vocab))
    for token in document.get("added_tokens") or []:
        yield token.get("id") if isinstance(token, dict) else None
