"""What the extraction model reads and writes: wanted fields and a message, and JSON."""

import json
from collections.abc import Mapping, Sequence

USER, ASSISTANT, END = "<|user|>", "<|assistant|>", "<|end|>"
# A user's words stand there twice: what a causal model knows of a word is what stood before it, so only at the second
# reading does it know what follows. Source: Arora et al., "Just read twice", arXiv 2407.05483.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    f"{{% if message.role == 'user' %}}{USER}{{{{ message.content }}}}{USER}{{% else %}}{ASSISTANT}{{% endif %}}"
    f"{{{{ message.content }}}}{END}"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{ASSISTANT}{{% endif %}}"
)


def request(fields: Sequence[str], message: str) -> str:
    """What a user says: the wanted fields in a line, and the message."""
    return f"{', '.join(fields)}\n{message}"


def prompt(fields: Sequence[str], message: str) -> str:
    """The whole prompt, as the chat template makes it of `request`."""
    asked = f"{USER}{request(fields, message)}"
    return f"{asked}{asked}{END}{ASSISTANT}"


def answer(fields: Sequence[str], values: Mapping[str, str | None]) -> str:
    """The JSON of the wanted fields in their order; null for a field without a value."""
    return json.dumps({field: values.get(field) for field in fields}, ensure_ascii=False)
