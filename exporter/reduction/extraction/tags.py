"""Which field each token of a prompt belongs to: tags for training, as taggers of names have them (begin, inside, out).

Tags are of the second reading alone, which knows what follows, and of wanted fields alone.
"""

import re
from collections.abc import Sequence

from exporter.reduction.extraction.examples import Example
from exporter.reduction.extraction.prompts import ASSISTANT, END
from exporter.reduction.extraction.schema import ALL_KINDS
from exporter.reduction.training.batches import NO_LABEL

_FIELDS = tuple(dict.fromkeys(field for fields in ALL_KINDS.values() for field in fields))
_OUT = 0
TAGS = 1 + 2 * len(_FIELDS)


def prompt_tags(example: Example, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """A tag for each token of the example's prompt; `offsets` are where each begins and ends in it, in characters.

    A place that more than one field could mean, or more places that one could, have NO_LABEL.
    """
    first = len(example.prompt) - len(END + ASSISTANT) - len(example.message)
    letters = _letter_tags(example)
    tags = [NO_LABEL] * len(offsets)
    for at, (begin, end) in enumerate(offsets):
        if begin >= first and end <= first + len(letters):
            # The space before a word is a part of its token, and of no value.
            begin += example.prompt[begin] == " " and end - begin > 1
            tags[at] = next((tag for tag in letters[begin - first : end - first] if tag != _OUT), _OUT)
    return tags


def _letter_tags(example: Example) -> list[int]:
    tags = [_OUT] * len(example.message)
    for field in example.fields:
        value = example.values[field]
        places = _places(value, example.message) if value else []
        for begin in places:
            end = begin + len(value or "")
            sure = len(places) == 1 and set(tags[begin:end]) == {_OUT}
            tag = 1 + 2 * _FIELDS.index(field)
            tags[begin:end] = [tag, *[tag + 1] * (end - begin - 1)] if sure else [NO_LABEL] * (end - begin)
    return tags


def _places(value: str, message: str) -> list[int]:
    """Where the value stands in the message as words of their own; else where it stands at all."""
    found = [one.start() for one in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", message)]
    return found or [one.start() for one in re.finditer(re.escape(value), message)]
