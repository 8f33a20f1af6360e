"""A checkpoint on disk: configuration, weights on demand, tokenizer files and what the model card states."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .confined_folder import ConfinedFolder
from .extraction import stated_kinds
from .model_card import languages_of, license_of, parse_front_matter
from .origin import Origin, read_origin
from .planned_weights import PlannedWeights
from .safetensors_file import Floats
from .safetensors_header import TensorInfo
from .sentence_modules import MODULES, Pooling, read_pooling
from .tokenizer_files import TOKENIZER_FILES, check_tokenizer, find_tokenizer_files
from .weights import Weights

_CONFIG_LIMIT = 4 * 1024 * 1024
_CARD_LIMIT = 4 * 1024 * 1024
_LONGEST_NAME = 100
_SENTENCE = "sentence_bert_config.json"
# What belongs to a model beside its config and weights, and stays true when those change.
_COMPANIONS = (
    *TOKENIZER_FILES,
    "generation_config.json",
    "README.md",
    "LICENSE",
    "LICENSE.txt",
    "NOTICE",
    MODULES,
    _SENTENCE,
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
)


class Checkpoint:
    """One model's files, opened and checked; tensor values are read only by `read`.

    `source` is the hub id or the folder's name, never an absolute path; `name` is folder-safe; `note` is a
    sentence for the user about where the files came from, or empty. `origin` is what it was cut from, if it was pruned.
    """

    def __init__(self, folder: Path, source: str, note: str = "", *, values: bool = True) -> None:
        """Opens `folder`; without `values` config.json alone will do, and tensors cannot be read.

        Raises CheckpointError, ConfigError or WeightsError.
        """
        files = ConfinedFolder(folder)
        self._files = files
        self.folder = files.path
        self.source = source
        self.name = folder_safe_name(source)
        self.note = note
        self.config = _read_config(files)
        self.generation_config = _optional_json(files, "generation_config.json")
        card = _front_matter(files)
        self.license = license_of(card)
        self.languages = languages_of(card)
        self.origin = read_origin(files)
        self.files: Mapping[str, Path] = find_tokenizer_files(files)
        self._weights: Weights | PlannedWeights = Weights(files) if values else PlannedWeights(files)

    @property
    def tensors(self) -> Mapping[str, TensorInfo]:
        """Every tensor by name, with its stored dtype and shape."""
        return self._weights.tensors

    @property
    def parameter_count(self) -> int:
        """Floating-point values stored in the checkpoint."""
        return sum(info.elements for info in self.tensors.values() if "F" in info.dtype)

    def as_origin(self) -> Origin:
        """Itself as what another is cut from: bytes and values of all tensors."""
        tensors = self.tensors.values()
        return Origin(
            self.source, sum(info.bytes for info in tensors), sum(info.elements for info in tensors)
        )

    @property
    def max_sequence_length(self) -> int | None:
        """The most tokens of one text that a sentence-transformers checkpoint was made for; raises ConfigError."""
        length = _optional_json(self._files, _SENTENCE).get("max_seq_length")
        if length is None or (type(length) is int and length > 0):
            return length
        raise ConfigError(f"'max_seq_length' is {length!r}", _SENTENCE, "Give a positive whole number.")

    @property
    def extraction(self) -> Mapping[str, tuple[str, ...]] | None:
        """The fields that it finds in messages, by kind of message; None for other models. Raises ConfigError."""
        return stated_kinds(self.config)

    def read(self, name: str) -> Floats:
        """Tensor `name` as float32 in its stored shape; raises WeightsError if missing or damaged."""
        return self._weights.read(name)

    def read_rows(self, name: str, start: int, stop: int) -> Floats:
        """Rows [start, stop) along the last axis, the axes before it counted as one: float32 (stop - start, width).

        Raises WeightsError if missing or damaged.
        """
        return self._weights.read_rows(name, start, stop)

    def require(self, name: str, shape: tuple[int, ...]) -> TensorInfo:
        """Tensor `name`; raises WeightsError that names expected and found shape if they differ."""
        return self._weights.require(name, shape)

    @property
    def is_sentence_embedder(self) -> bool:
        """Whether sentence-transformers saved this checkpoint as a chain of modules."""
        return self._files.exists(MODULES)

    def pooling(self) -> Pooling:
        """How the checkpoint's sentence-transformers modules make one vector of a text; raises ConfigError."""
        return read_pooling(self._files)

    def companions(self) -> Mapping[str, Path]:
        """Name to path of the files that belong to the model and hold neither its config nor its weights."""
        return {name: self._files.locate(name) for name in _COMPANIONS if self._files.exists(name)}

    def tokenizer(self) -> Mapping[str, Path]:
        """The tokenizer files (name to path), with tokenizer.json among them; raises TokenizerError."""
        check_tokenizer(self._files)
        return self.files


def folder_safe_name(source: str) -> str:
    """The last part of `source` as a name that matches `[a-z0-9][a-z0-9._-]*`."""
    last = source.partition("@")[0].rstrip("/").rpartition("/")[2]
    return re.sub(r"[^a-z0-9._-]+", "-", last.lower()).lstrip("._-")[:_LONGEST_NAME] or "model"


def _read_config(files: ConfinedFolder) -> Mapping[str, Any]:
    if not files.exists("config.json"):
        raise ConfigError("config.json is missing", files.path.name, "Give the model's own folder.")
    return files.read_json("config.json", _CONFIG_LIMIT, ConfigError)


def _optional_json(files: ConfinedFolder, name: str) -> Mapping[str, Any]:
    return files.read_json(name, _CONFIG_LIMIT, ConfigError) if files.exists(name) else {}


def _front_matter(files: ConfinedFolder) -> Mapping[str, list[str]]:
    if not files.exists("README.md"):
        return {}
    return parse_front_matter(files.read("README.md", _CARD_LIMIT).decode("utf-8", "replace"))
