"""What a sentence-transformers checkpoint does after its encoder: a pooling and perhaps a normalisation, or refused."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import ConfigError
from .confined_folder import ConfinedFolder

_LIMIT = 1024 * 1024
MODULES = "modules.json"
_USUAL_POOLING = "1_Pooling"
_POOLING, _NORMALIZE = "Pooling", "Normalize"
_KNOWN = ("Transformer", _POOLING, _NORMALIZE)
_REMEDY = "Use a checkpoint that pools by the mean or by the first token."

Mode = Literal["mean", "cls"]
_MODES: dict[str, Mode] = {
    "mean": "mean",
    "pooling_mode_mean_tokens": "mean",
    "cls": "cls",
    "pooling_mode_cls_token": "cls",
}


@dataclass(frozen=True)
class Pooling:
    """How a text's hidden states become its vector: their mean or the first one, of length 1 if `normalize`."""

    mode: Mode = "mean"
    normalize: bool = True


def read_pooling(files: ConfinedFolder) -> Pooling:
    """What the checkpoint's own modules ask for; the normalized mean where it has none. Raises ConfigError.

    Reads modules.json where there is one, and both spellings of the pooling's configuration: a flag a mode, and since
    sentence-transformers 5.4 one word.
    """
    modules = (
        _known_modules(files) if files.exists(MODULES) else [(_POOLING, _USUAL_POOLING), (_NORMALIZE, "")]
    )
    modes = [_mode_in(files, path) for kind, path in modules if kind == _POOLING]
    if len(modes) > 1:
        raise ConfigError(f"{len(modes)} poolings are not supported", MODULES, _REMEDY)
    return Pooling(modes[0] if modes else "mean", any(kind == _NORMALIZE for kind, _ in modules))


def _known_modules(files: ConfinedFolder) -> list[tuple[str, str]]:
    """Kind and folder of each module."""
    kinds = [(_kind(module), str(module.get("path", ""))) for module in _modules(files)]
    for kind, path in kinds:
        if kind not in _KNOWN:
            raise ConfigError(
                f"the module {kind or 'without a type'} is not supported", f"{MODULES}, {path}", _REMEDY
            )
    return kinds


def _kind(module: dict[str, Any]) -> str:
    return str(module.get("type", "")).rpartition(".")[2]


def _modules(files: ConfinedFolder) -> list[dict[str, Any]]:
    try:
        modules = json.loads(files.read(MODULES, _LIMIT, ConfigError))
    except (ValueError, RecursionError):
        modules = None
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise ConfigError(f"{MODULES} is no list of modules", files.path.name, "Fetch the checkpoint again.")
    return modules


def _mode_in(files: ConfinedFolder, path: str) -> Mode:
    name = f"{path}/config.json"
    return _mode(files.read_json(name, _LIMIT, ConfigError), name) if files.exists(name) else "mean"


def _mode(pooling: dict[str, Any], where: str) -> Mode:
    flags = [key for key, value in pooling.items() if key.startswith("pooling_mode_") and value]
    word = pooling.get("pooling_mode")
    words = word if isinstance(word, list) else [] if word is None else [word]
    asked = [str(each) for each in (*flags, *words)]
    if not asked:
        return "mean"
    if len(asked) > 1 or asked[0] not in _MODES:
        raise ConfigError(f"pooling by {', '.join(asked)} is not supported", where, _REMEDY)
    return _MODES[asked[0]]
