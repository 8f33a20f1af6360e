"""Whether data and template agree: on every probe the same prompt, or both refuse."""

from collections.abc import Sequence

from exporter.artifact import Chat

from .data import RefusedError, render_data
from .probes import Conversation


def agrees(chat: Chat, conversations: Sequence[Conversation], prompts: Sequence[str | None]) -> bool:
    """`prompts` are the template's; None where it refuses.

    The data may refuse a role, or a system message in the middle, that the template writes: the caller is told, and
    nothing wrong is read.
    """
    return all(_same(chat, messages, prompt) for messages, prompt in zip(conversations, prompts, strict=True))


def _same(chat: Chat, messages: Conversation, prompt: str | None) -> bool:
    try:
        return render_data(chat, messages) == prompt
    except RefusedError as refused:
        return prompt is None or refused.safe
