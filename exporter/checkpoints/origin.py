"""What a checkpoint was cut from: a file of ours that `prune` writes, later steps carry on and transformers ignores."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import ConfigError, printable
from .confined_folder import ConfinedFolder

ORIGIN_FILE = "thistledown_origin.json"
_FORMAT, _VERSION = "thistledown-origin", 1
_LIMIT = 64 * 1024
_LONGEST_NAME = 120
_MOST = 2**53 - 1
_REMEDY = "Delete the file: then sizes are told from this checkpoint on."


@dataclass(frozen=True)
class Origin:
    """The checkpoint before pruning: its name, and the bytes and values of all its tensors."""

    name: str
    bytes: int
    values: int

    def write(self, folder: Path) -> None:
        """Leave word of it in the checkpoint `folder`."""
        stated = {"format": _FORMAT, "version": _VERSION, **asdict(self)}
        text = json.dumps(
            stated | {"name": printable(self.name, _LONGEST_NAME)}, indent=2, ensure_ascii=False
        )
        (folder / ORIGIN_FILE).write_text(f"{text}\n", encoding="utf-8")


def read_origin(files: ConfinedFolder) -> Origin | None:
    """What the folder says that its checkpoint was cut from; None where it says nothing. Raises ConfigError."""
    if not files.exists(ORIGIN_FILE):
        return None
    stated = files.read_json(ORIGIN_FILE, _LIMIT, ConfigError)
    known = {"format": _FORMAT, "version": _VERSION}
    if set(stated) != {*known, "name", "bytes", "values"} or any(stated[k] != v for k, v in known.items()):
        raise _unfit(f"is not {_FORMAT} version {_VERSION}", files)
    name, counts = stated["name"], (stated["bytes"], stated["values"])
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not name.isprintable():
        raise _unfit("has no plain name", files)
    if not all(type(count) is int and 0 < count <= _MOST for count in counts):
        raise _unfit(f"has sizes that are no whole numbers from 1 to {_MOST}", files)
    return Origin(name, *counts)


def _unfit(problem: str, files: ConfinedFolder) -> ConfigError:
    return ConfigError(f"{ORIGIN_FILE} {problem}", files.path.name, _REMEDY)
