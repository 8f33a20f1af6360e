"""What the extraction model reads and writes: wanted fields and a message, and JSON."""

import json
from collections.abc import Mapping, Sequence

USER, ASSISTANT, END = "<|user|>", "<|assistant|>", "<|end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    f"{{% if message.role == 'user' %}}{USER}{{% else %}}{ASSISTANT}{{% endif %}}"
    f"{{{{ message.content }}}}{END}"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{ASSISTANT}{{% endif %}}"
)


def request(fields: Sequence[str], message: str) -> str:
    """What a user says: the wanted fields in a line, and the message."""
    return f"{', '.join(fields)}\n{message}"


def prompt(fields: Sequence[str], message: str) -> str:
    """The whole prompt, as the chat template makes it of `request`."""
    return f"{USER}{request(fields, message)}{END}{ASSISTANT}"


def answer(fields: Sequence[str], values: Mapping[str, str | None]) -> str:
    """The JSON of the wanted fields in their order; null for a field without a value."""
    return json.dumps({field: values.get(field) for field in fields}, ensure_ascii=False)
