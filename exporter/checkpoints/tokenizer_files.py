"""The tokenizer files of a checkpoint: which are there, and whether tokenizer.json can be what it says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import TokenizerError
from .confined_folder import ConfinedFolder

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "tokenizer.model",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)
MODEL_TYPES = ("BPE", "Unigram", "WordLevel", "WordPiece")
_LIMIT = 128 * 1024 * 1024


def find_tokenizer_files(folder: ConfinedFolder) -> Mapping[str, Path]:
    """File name to path, for the tokenizer files that are present; links out raise CheckpointError."""
    return {name: folder.locate(name) for name in TOKENIZER_FILES if folder.exists(name)}


def check_tokenizer(folder: ConfinedFolder) -> None:
    """Raises TokenizerError unless tokenizer.json is there and holds a model of a known type."""
    if not folder.exists("tokenizer.json"):
        raise TokenizerError(
            "tokenizer.json is missing",
            folder.path.name,
            "Load the tokenizer with transformers and call save_pretrained, which writes it.",
        )
    model = folder.read_json("tokenizer.json", _LIMIT, TokenizerError).get("model")
    if _model_type(model) not in MODEL_TYPES:
        raise TokenizerError(
            f'tokenizer.json holds no model of a known type (found "{_model_type(model)}")',
            folder.path.name,
            f"Known types: {', '.join(MODEL_TYPES)}.",
        )


def _model_type(model: Any) -> str:
    if not isinstance(model, dict) or not isinstance(model.get("vocab"), dict | list):
        return "none"
    # Files of the first years leave the type out; they are all BPE, and only BPE has merges.
    return str(model.get("type", "BPE" if "merges" in model else "none"))
