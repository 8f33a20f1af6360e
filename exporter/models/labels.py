"""The classes of a classifier: their names, and what turns logits into scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from exporter.errors import ConfigError, printable

ScoreFunction = Literal["softmax", "sigmoid", "none"]

_MOST_LABELS = 65536
_LONGEST_LABEL = 256
# What transformers takes where config.json says nothing.
_USUAL_COUNT = 2
_SCORES: Mapping[str, ScoreFunction] = {
    "regression": "none",
    "single_label_classification": "softmax",
    "multi_label_classification": "sigmoid",
}


@dataclass(frozen=True)
class Labels:
    """Class i is called names[i]."""

    names: tuple[str, ...]
    scores: ScoreFunction


def text_labels(config: Mapping[str, Any]) -> Labels:
    """Labels of a text classifier, scored as transformers' pipeline does: one class alone by its sigmoid.

    Raises ConfigError for an unfit `id2label`, `num_labels` or `problem_type`.
    """
    names = _names(config)
    problem = config.get("problem_type")
    if problem is None:
        return Labels(names, "sigmoid" if len(names) == 1 else "softmax")
    if not isinstance(problem, str) or problem not in _SCORES:
        raise _unfit("problem_type", f"{problem!r}, none of {', '.join(_SCORES)}")
    return Labels(names, _SCORES[problem])


def token_labels(config: Mapping[str, Any]) -> Labels:
    """Labels of a token classifier; raises ConfigError."""
    return Labels(_names(config), "softmax")


def _names(config: Mapping[str, Any]) -> tuple[str, ...]:
    given = config.get("id2label")
    if given is None:
        count = config.get("num_labels", _USUAL_COUNT)
        if type(count) is not int or not 1 <= count <= _MOST_LABELS:
            raise _unfit("num_labels", f"{count!r}, no whole number from 1 to {_MOST_LABELS}")
        return tuple(f"LABEL_{i}" for i in range(count))
    if not isinstance(given, dict) or not 1 <= len(given) <= _MOST_LABELS:
        raise _unfit("id2label", "no object of labels by their number")
    by_number = {str(key): value for key, value in given.items()}
    wanted = [str(i) for i in range(len(given))]
    if set(by_number) != set(wanted):
        raise _unfit("id2label", f"not numbered from 0 to {len(given) - 1}")
    return tuple(_name(by_number[number]) for number in wanted)


def _name(value: Any) -> str:  # JSON values
    if type(value) not in (str, int):
        raise _unfit("id2label", f"holding {value!r}, which is no name")
    return printable(str(value), _LONGEST_LABEL)


def _unfit(key: str, found: str) -> ConfigError:
    return ConfigError(f"'{key}' is {found}", "config.json", "correct config.json")
