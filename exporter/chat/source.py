"""Where a checkpoint's chat template comes from, and the variables that it may name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.errors import TokenizerError
from exporter.strict_json import JsonProblem, parse_object

_LONGEST = 256 * 1024
_CONFIG_LIMIT = 128 * 1024 * 1024
_TOKENS = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")


@dataclass(frozen=True)
class TemplateSource:
    """A Jinja template and what transformers gives it beside the messages: bos_token and so on."""

    text: str
    variables: Mapping[str, str]


def find_template(files: Mapping[str, Path]) -> TemplateSource | None:
    """The template of a checkpoint's files by name, the newest place first; None if it has none.

    Raises TokenizerError for a damaged file.
    """
    config = _document(files, "tokenizer_config.json")
    text = _from_file(files) or _default_of(config.get("chat_template"))
    if text is None:
        text = _default_of(_document(files, "chat_template.json").get("chat_template"))
    if text is None:
        return None
    if len(text) > _LONGEST:
        raise TokenizerError(
            f"the chat template has {len(text)} characters",
            "tokenizer_config.json",
            f"At most {_LONGEST} are read.",
        )
    named = {**_document(files, "special_tokens_map.json"), **config}
    return TemplateSource(text, _variables(named))


def _from_file(files: Mapping[str, Path]) -> str | None:
    path = files.get("chat_template.jinja")
    if path is None:
        return None
    try:
        return path.read_bytes()[: 4 * _LONGEST].decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise TokenizerError("is no UTF-8", path.name, "Fetch the checkpoint again.") from None


def _default_of(value: Any) -> str | None:  # JSON
    """A template, or the one called "default" in a list of named ones."""
    if isinstance(value, list):
        named = [item for item in value if isinstance(item, dict) and item.get("name") == "default"]
        value = named[-1].get("template") if named else None
    return value if isinstance(value, str) else None


def _document(files: Mapping[str, Path], name: str) -> dict[str, Any]:
    if name not in files:
        return {}
    try:
        return parse_object(files[name].read_bytes(), _CONFIG_LIMIT)
    except JsonProblem as problem:
        raise TokenizerError(f"{name} {problem}", "tokenizer", "Fetch the checkpoint again.") from None


def _variables(config: Mapping[str, Any]) -> dict[str, str]:
    """Special tokens by name; each is a text, or an object that holds it."""
    extra = config.get("extra_special_tokens")
    named = {f"{token}_token": config.get(f"{token}_token") for token in _TOKENS}
    named |= extra if isinstance(extra, dict) else {}
    texts = {
        name: value.get("content") if isinstance(value, dict) else value for name, value in named.items()
    }
    return {name: text for name, text in texts.items() if isinstance(text, str)}
