"""Conversations on which a chat template and its data are compared."""

from collections.abc import Iterable, Iterator

Conversation = list[dict[str, str]]

ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}
MARK = "Qmark{}Z"

# Who speaks in what order: the usual, the odd, and what templates refuse.
ORDERS = (
    *(
        "u",
        "ua",
        "uau",
        "uaua",
        "uauau",
        "su",
        "sua",
        "suau",
        "suauau",
        "s",
        "a",
        "sa",
        "au",
        "aua",
        "sau",
        "ss",
    ),
    *(
        "uu",
        "uuu",
        "uaa",
        "uaau",
        "suu",
        "suaau",
        "ssu",
        "us",
        "usu",
        "uasu",
        "susu",
        "uasua",
        "u" + "au" * 6,
    ),
    *("uat", "uatu", "uata", "uatt", "uattu", "suatau", "tu", "t", "ut", "uatut", "uatus", "sut"),
)
CONTENTS = (
    *("", " ", "\n", "  {}  ", "\n\n{}\n", "\t{}\u3000", "\u00a0{}\u2028", "\x1c{}\x1f", "\ufeff{}\ufeff"),
    *(
        "e\u0301 \U0001f469\u200d\U0001f469 \u05e9\u05dc\u05d5\u05dd",
        "a'b\"c\\n&<b>",
        "{{ 1 }}{% x %}",
        "None",
        "0",
    ),
    *("<think>{}</think>{}", "[INST]{}[/INST]", "<tool_call>{}</tool_call>", '{{"a": 1}}', "x" * 3000),
)
# A content is put at each of these places: the order of speakers, and which of them says it.
PLACES = (
    ("u", 0),
    ("su", 0),
    ("su", 1),
    ("suau", 0),
    ("suau", 1),
    ("suau", 2),
    ("suau", 3),
    ("uau", 0),
    ("uau", 1),
)
LAST_PLACES = (("uau", 2), ("ua", 1), ("uaua", 1), ("uaua", 3), ("uatu", 2), ("uat", 2), ("uat", 1))
ODD_PLACES = (
    ("usu", 1),
    ("uasu", 2),
    ("ssu", 0),
    ("ssu", 1),
    ("uu", 0),
    ("uu", 1),
    ("uaau", 2),
    ("au", 0),
    ("s", 0),
    ("sau", 0),
)


def conversation(order: str) -> Conversation:
    """One of marks, each its own."""
    return [{"role": ROLES[letter], "content": MARK.format(i)} for i, letter in enumerate(order)]


def with_content(order: str, place: int, content: str) -> Conversation:
    """The conversation of marks in which the message at `place` has another content."""
    changed = conversation(order)
    changed[place] = {**changed[place], "content": content}
    return changed


def probes(literals: Iterable[str]) -> Iterator[Conversation]:
    """All orders of marks; then each content at each place, among them the `literals` that the template looks for."""
    for order in ORDERS:
        yield conversation(order)
    contents = [content.replace("{}", MARK.format(9)) for content in CONTENTS]
    for literal in literals:
        contents += [
            literal,
            literal + MARK.format(9),
            MARK.format(9) + literal,
            f"{MARK.format(8)}{literal}\n{literal}x",
        ]
    for content in dict.fromkeys(contents):
        for order, place in (*PLACES, *LAST_PLACES, *ODD_PLACES):
            yield with_content(order, place, content)
    for content in CONTENTS:
        yield [{"role": role, "content": content} for role in ("system", "user", "assistant", "user")]
        yield [{"role": role, "content": content} for role in ("user", "assistant", "user")]
