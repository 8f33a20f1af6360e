"""A chat template as data, rendered: the twin of site/engine/chat.js, which is compared with the template itself."""

from collections.abc import Mapping, Sequence
from itertools import cycle

from exporter.artifact import Chat

Message = Mapping[str, str]


class RefusedError(Exception):
    """The engine refuses this conversation. `safe`: it may, even where the template would write something."""

    def __init__(self, *, safe: bool) -> None:
        super().__init__()
        self.safe = safe


def render_data(chat: Chat, messages: Sequence[Message]) -> str:
    """The prompt, up to where the answer begins. Raises RefusedError."""
    if chat.system is not None and messages[0]["role"] != "system":
        messages = [{"role": "system", "content": chat.system}, *messages]
    _check_order(chat, [message["role"] for message in messages])
    if chat.fold is None or messages[0]["role"] != "system":
        turns = [_turn(chat, message["role"], _content(chat, message)) for message in messages]
    else:
        first, *rest = messages[1:]
        folded = _turn(chat, first["role"], _folded(chat, messages[0], first))
        turns = [folded, *(_turn(chat, message["role"], _content(chat, message)) for message in rest)]
    return chat.start + "".join(turns) + chat.answer


def _folded(chat: Chat, system: Message, user: Message) -> str:
    assert chat.fold is not None
    prefix = chat.fold.before + _content(chat, system) + chat.fold.after
    return (prefix + user["content"]).strip() if chat.fold.trim else prefix + _content(chat, user)


def _turn(chat: Chat, role: str, content: str) -> str:
    if content == "" and role in chat.omit_empty:
        return ""
    return content.join(chat.roles[role])


def _content(chat: Chat, message: Message) -> str:
    """Trimmed by Python's idea of white space, which is not JavaScript's."""
    return message["content"].strip() if message["role"] in chat.trim else message["content"]


def _check_order(chat: Chat, roles: Sequence[str]) -> None:
    rest = roles[1:] if roles[0] == "system" else roles
    known = chat.roles if chat.fold is None else {"system", *chat.roles}
    strange = not set(roles) <= set(known)
    late = "system" in rest and (chat.order != "any" or chat.fold is not None)
    unfolded = chat.fold is not None and roles[0] == "system" and rest[:1] != ["user"]
    if strange or late or unfolded:
        raise RefusedError(safe=True)
    turns = cycle(("user", "assistant"))
    if chat.order == "alternate" and any(role != turn for role, turn in zip(rest, turns, strict=False)):
        raise RefusedError(safe=False)
