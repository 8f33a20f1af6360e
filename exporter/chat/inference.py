"""The data of a chat template, told from what it writes for conversations of marks; nothing is proven here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from exporter.artifact import Chat, Fold, Order

from .probes import MARK, Conversation, conversation, with_content

_ORDERS: tuple[Order, ...] = ("any", "system-first", "alternate")
_PADDED = f"  {MARK.format(0)} \n"
# The longest of these conversations has three.
_MARKS = 3

# What is asked of the template, by a name: conversations of marks, and some with white space or nothing in them.
QUESTIONS: Mapping[str, Conversation] = {
    **{order: conversation(order) for order in ("u", "ua", "uau", "su", "uat")},
    "padded user": with_content("u", 0, _PADDED),
    "padded assistant": with_content("ua", 1, _PADDED),
    "padded system": with_content("su", 0, _PADDED),
    "padded tool": with_content("uat", 2, _PADDED),
}
_PADDED_ROLES = ("user", "assistant", "system", "tool")
Answers = Mapping[str, str | None]


class NoDataError(Exception):
    """The template cannot be said as segments for each role."""


@dataclass(frozen=True)
class _Turns:
    """Segments of user and assistant; `start` also holds a system message that is always there."""

    start: str
    user: tuple[str, str]
    assistant: tuple[str, str]
    answer: str


def candidates(answers: Answers) -> Iterator[Chat]:
    """Likeliest first. Raises NoDataError if there can be none."""
    inner = _repeats(answers["u"])
    for chat in _plain_candidates({name: _once(prompt, inner) for name, prompt in answers.items()}):
        before, after = chat.roles["user"]
        yield replace(chat, roles={**chat.roles, "user": (before, *inner, after)})


def _repeats(prompt: str | None) -> tuple[str, ...]:
    """What stands between, where the only content is written more than once."""
    return tuple((prompt or "").split(MARK.format(0))[1:-1])


def _once(prompt: str | None, inner: Sequence[str]) -> str | None:
    """The prompt with each content that is repeated around `inner` written once."""
    for content in (_PADDED, *map(MARK.format, range(_MARKS))):
        prompt = prompt and prompt.replace(content.join(("", *inner, "")), content)
    return prompt


def _plain_candidates(answers: Answers) -> Iterator[Chat]:
    """Those that write each content once."""
    trim = tuple(sorted(role for role in _PADDED_ROLES if _is_trimmed(answers[f"padded {role}"])))
    plain = [
        Chat(turns.start, {"user": turns.user, "assistant": turns.assistant}, turns.answer, None, trim)
        for turns in _turns(answers)
    ]
    # A template that writes a system message is not to lose it.
    writes_system = MARK.format(0) in (answers["su"] or "")
    known = [chat for one in plain for chat in _with_system(one, answers)] if writes_system else plain
    both = [chat for one in known for chat in (_with_tool(one, answers), one)]
    for order, chat in product(_ORDERS, both):
        kept = tuple(role for role in chat.trim if role in chat.roles or (chat.fold and role == "system"))
        for empty in ((), ("system",), tuple(sorted(chat.roles))):
            if set(empty) <= set(chat.roles):
                yield replace(chat, trim=kept, order=order, omit_empty=empty)


def _is_trimmed(prompt: str | None) -> bool:
    return prompt is not None and _PADDED not in prompt and _PADDED.strip() in prompt


def _pieces(prompt: str | None, marks: int) -> list[str]:
    """What stands before, between and after the marks. Raises NoDataError unless each is there once, in order."""
    if prompt is None:
        raise NoDataError("refuses a plain conversation")
    if any(prompt.count(MARK.format(i)) != 1 for i in range(marks)):
        raise NoDataError("leaves a content out, or writes it more than once")
    pieces = []
    for i in range(marks):
        before, mark, prompt = prompt.partition(MARK.format(i))
        if not mark:
            raise NoDataError("changes the order of the messages")
        pieces.append(before)
    return [*pieces, prompt]


def _turns(answers: Answers) -> Iterator[_Turns]:
    """Every way to cut the text around the marks into segments."""
    head, _ = _pieces(answers["u"], 1)
    _, middle, tail = _pieces(answers["ua"], 2)
    _, _, between, end = _pieces(answers["uau"], 3)
    for length in _cuts(head, between):
        before_user = head[len(head) - length :]
        after_assistant = between[: len(between) - length]
        if not tail.startswith(after_assistant):
            continue
        answer = tail[len(after_assistant) :]
        if not end.endswith(answer):
            continue
        after_user = end[: len(end) - len(answer)]
        if middle.startswith(after_user):
            assistant = (middle[len(after_user) :], after_assistant)
            yield _Turns(head[: len(head) - length], (before_user, after_user), assistant, answer)


def _cuts(head: str, between: str) -> list[int]:
    """Lengths of the common ends of both; first those that begin a token, so that people can read the segments."""
    longest = 0
    while longest < min(len(head), len(between)) and head[-longest - 1 :] == between[-longest - 1 :]:
        longest += 1
    lengths = range(longest, -1, -1)
    return sorted(
        lengths, key=lambda length: head[len(head) - length : len(head) - length + 1] not in ("<", "[")
    )


def _with_system(chat: Chat, answers: Answers) -> Iterator[Chat]:
    """With a system message of its own, with one that is always there, or folded into what the user says first."""
    try:
        head, between, end = _pieces(answers["su"], 2)
    except NoDataError:
        return
    before_user, after_user = chat.roles["user"]
    whole = chat.start + before_user
    if between.endswith(before_user):
        after = between[: len(between) - len(before_user)]
        default = whole[len(head) : len(whole) - len(between)]
        if whole == head + default + between and len(whole) >= len(head) + len(between):
            yield replace(chat, start="", roles={**chat.roles, "system": (head, after)}, system=default)
        for start in dict.fromkeys((chat.start, "")):
            if head.startswith(start):
                yield replace(chat, start=start, roles={**chat.roles, "system": (head[len(start) :], after)})
    if head.startswith(whole) and end == after_user + chat.answer:
        for trim in (False, True):
            yield replace(chat, fold=Fold(head[len(whole) :], between, trim))


def _with_tool(chat: Chat, answers: Answers) -> Chat:
    """With the role of tools, where the template has plain segments for it."""
    try:
        *_, between, end = _pieces(answers["uat"], 3)
    except NoDataError:
        return chat
    after_assistant = chat.roles["assistant"][1]
    if not (between.startswith(after_assistant) and end.endswith(chat.answer)):
        return chat
    segments = (between[len(after_assistant) :], end[: len(end) - len(chat.answer)])
    return replace(chat, roles={**chat.roles, "tool": segments})
