"""What can go wrong, as types: each error names the thing, the place and the remedy.

Text inside a message may come from a hostile file, so it is made printable and short before it is shown.
"""

import difflib
import sys
from collections.abc import Callable, Iterable

_LONGEST_PART = 600


def printable(text: str, limit: int = _LONGEST_PART) -> str:
    """`text` on one line: control characters escaped, at most `limit` characters."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


class ThistledownError(Exception):
    """Base of all expected failures; `str()` is "what (where). remedy", `exit_code` the command's."""

    exit_code = 2

    def __init__(self, what: str, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where, remedy)
        self.what = printable(what)
        self.where = printable(where)
        self.remedy = printable(remedy)

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        advice = f" {self.remedy}" if self.remedy else ""
        stop = "" if self.what.endswith((".", "!", "?")) and not place else "."
        return f"{self.what}{place}{stop}{advice}"


def exit_code_of(name: str, work: Callable[[], object]) -> int:
    """Do the work of the command `name`: 0 where it is done, or an expected failure's code, told on standard error."""
    try:
        work()
    except ThistledownError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return error.exit_code
    return 0


class CheckpointError(ThistledownError):
    """The checkpoint cannot be found, fetched or opened."""


class ConfigError(ThistledownError):
    """config.json is damaged, or asks for something impossible."""


class UnsupportedModelError(ThistledownError):
    """No builder knows this `model_type`; the nearest known one is suggested."""

    def __init__(self, model_type: str, supported: Iterable[str], where: str = "config.json") -> None:
        names = sorted(supported)
        near = difflib.get_close_matches(model_type, names, n=1)
        hint = f'Did you mean "{near[0]}"? ' if near else ""
        what = f'Unknown model_type "{printable(model_type, 80)}"'
        super().__init__(what, where, f"{hint}Supported: {', '.join(names)}.")


class WeightsError(ThistledownError):
    """A tensor is missing, damaged, of the wrong shape or not representable."""


class TokenizerError(ThistledownError):
    """The tokenizer files are missing, damaged or of an unknown kind."""


class SchemeError(ThistledownError):
    """Unknown or unfit quantization scheme."""


class CalibrationError(ThistledownError):
    """A model cannot be run on calibration texts, or the texts cannot be used."""


class OptionError(ThistledownError):
    """An option of a command has no effect beside the others that were given."""


class ReductionError(ThistledownError):
    """A model cannot be made smaller, or trained, as asked."""


class LoraError(ThistledownError):
    """An adapter is damaged, of a kind that cannot be applied, or made for another base."""


class OutputError(ThistledownError):
    """The output folder cannot be written."""


class GraphError(ThistledownError):
    """The ONNX graph is damaged or uses what is not supported."""


class LoweringError(ThistledownError):
    """The graph cannot be turned into a plan."""


class ArtifactError(ThistledownError):
    """An artifact folder is damaged or does not follow FORMAT.md."""


class BudgetError(ThistledownError):
    """A budget of bytes is no size, or is for something that does not exist."""


class CheckFailedError(ThistledownError):
    """A check ran and said no: a budget was passed or parity was not reached."""

    exit_code = 1
