"""Chat templates: data where that can be proven to be the same, else the template itself.

A template is a program from outside. It is run in a process of its own (`sandbox`), asked about conversations of
marks, and the segments told from its answers (`inference`) count only if they give its prompt on every probe (`proof`).
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from exporter.artifact import Chat, ChatTemplate, compact_json

from .inference import QUESTIONS, NoDataError, candidates
from .probes import probes
from .proof import agrees
from .sandbox import TemplateProblem, render
from .source import TemplateSource, find_template

__all__ = ["NoDataError", "TemplateProblem", "TemplateSource", "chat_data", "find_template", "write_chat"]

CARRIED = "chat_template.json"
_UNPROVABLE = {"strftime_now", "random", "lipsum"}
_MOST_LITERALS = 400
_LONGEST_SEGMENT = 4096


def write_chat(
    folder: Path, files: Mapping[str, Path], say: Callable[[str], None]
) -> Chat | ChatTemplate | None:
    """The manifest's `chat` of a checkpoint with these tokenizer files; a template that is no data goes into `folder`.

    None, and a word about it, where there is no template or none that works. Raises TokenizerError for a damaged file.
    """
    source = find_template(files)
    if source is None:
        return None
    try:
        return chat_data(source)
    except TemplateProblem as problem:
        say(f"the chat template {problem}: left out")
        return None
    except NoDataError as reason:
        say(f"the chat template {reason}: carried as it is, and run in the browser")
    carried = {"template": source.text, "variables": dict(source.variables)}
    (folder / CARRIED).write_bytes(compact_json(carried))
    return ChatTemplate(CARRIED)


def chat_data(source: TemplateSource) -> Chat:
    """The template as data. Raises NoDataError with the reason if it is none, TemplateProblem if it cannot run."""
    asked = render(source.text, source.variables, list(QUESTIONS.values()))
    if asked.unplayable:
        raise TemplateProblem(f"{asked.unplayable}, which the browser's template engine does not know")
    if asked.names & _UNPROVABLE:
        raise NoDataError("writes the date, or something random")
    answers = dict(zip(QUESTIONS, asked.prompts, strict=True))
    if asked.doubt:
        raise NoDataError(asked.doubt)
    texts = sorted({*asked.literals, *source.variables.values()}, key=lambda text: (len(text), text))
    conversations = list(probes(texts[:_MOST_LITERALS]))
    prompts = render(source.text, source.variables, conversations).prompts
    for chat in candidates(answers):
        if _is_short(chat) and agrees(chat, conversations, prompts):
            return chat
    raise NoDataError("is more than segments for each role")


def _is_short(chat: Chat) -> bool:
    around = [text for segments in chat.roles.values() for text in segments]
    return all(
        len(text) <= _LONGEST_SEGMENT for text in (chat.start, chat.answer, chat.system or "", *around)
    )
