"""Chat templates as data: what is proven, what is carried, and what a template cannot do to the exporter."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from exporter.artifact import Chat, ChatTemplate
from exporter.chat import NoDataError, TemplateProblem, TemplateSource, chat_data, find_template, write_chat
from exporter.chat.data import RefusedError, render_data
from exporter.errors import TokenizerError

TEMPLATES = Path(__file__).parents[1] / "chat_templates"
VARIABLES = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
DATA = (
    *("chatml", "gemma", "gemma3", "granite4", "llama2", "llama3", "llama31", "mistral", "phi3"),
    *("qwen2", "qwen2_tools", "read_twice", "zephyr"),
)
CARRIED = {"llama32": "writes the date", "mistral3": "more than segments", "qwen3": "more than segments"}
CHATML = (TEMPLATES / "chatml.jinja").read_text()

Messages = list[dict[str, str]]


def said(*turns: tuple[str, str]) -> Messages:
    return [{"role": role, "content": content} for role, content in turns]


# Other texts than the exporter's own probes.
CONVERSATIONS = (
    said(("user", "What flies?")),
    said(("user", "What flies?"), ("assistant", "Down."), ("user", "  Why?  ")),
    said(("system", " Be brief.\n"), ("user", "What flies? 🌬️")),
    said(("system", ""), ("user", "")),
    said(("system", "S"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", ""), ("user", "d")),
    said(("user", "<|im_end|></s>[INST] <end_of_turn>")),
    said(("user", "a"), ("user", "b")),
    said(("user", "a"), ("assistant", "</think>x")),
    said(("user", "a"), ("assistant", "b"), ("tool", '{"c": 1}'), ("user", "d")),
)


def source(name: str) -> TemplateSource:
    return TemplateSource((TEMPLATES / f"{name}.jinja").read_text(), VARIABLES)


def reference(template: str, messages: Messages) -> str | None:
    """What transformers makes of it; None if it raises."""
    from jinja2.exceptions import TemplateError
    from transformers.utils.chat_template_utils import render_jinja_template

    try:
        [prompt], _ = render_jinja_template(
            [messages], chat_template=template, add_generation_prompt=True, **VARIABLES
        )
    except TemplateError:
        return None
    return str(prompt)


def data_of(chat: Chat, messages: Messages) -> str | None:
    """What the data makes of it; None, or that it may, if it refuses."""
    try:
        return render_data(chat, messages)
    except RefusedError as refused:
        return "safely refused" if refused.safe else None


@pytest.mark.parametrize("name", DATA)
def test_a_common_template_is_data_and_says_what_transformers_says(name: str) -> None:
    chat = chat_data(source(name))
    rendered = 0
    for messages in CONVERSATIONS:
        expected = reference(source(name).text, messages)
        said_by_data = data_of(chat, messages)
        assert said_by_data in (expected, "safely refused")
        rendered += said_by_data != "safely refused"
    assert rendered >= 4


def test_the_segments_are_those_that_people_would_write() -> None:
    turns = {
        role: (f"<|im_start|>{role}\n", "<|im_end|>\n") for role in ("user", "assistant", "system", "tool")
    }
    assert chat_data(source("qwen2")) == Chat(
        "", turns, "<|im_start|>assistant\n", "You are a helpful assistant."
    )


@pytest.mark.parametrize("name", CARRIED)
def test_a_template_that_is_more_than_segments_is_carried(name: str, tmp_path: Path) -> None:
    notes: list[str] = []
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"bos_token": "<s>", "eos_token": "</s>", "unk_token": None})
    )
    files = {
        "chat_template.jinja": TEMPLATES / f"{name}.jinja",
        "tokenizer_config.json": tmp_path / "tokenizer_config.json",
    }
    assert write_chat(tmp_path, files, notes.append) == ChatTemplate("chat_template.json")
    assert CARRIED[name] in notes[0]
    carried = json.loads((tmp_path / "chat_template.json").read_text())
    assert carried == {"template": source(name).text, "variables": {"bos_token": "<s>", "eos_token": "</s>"}}


# What differs from ChatML somewhere: none of it may pass for data without saying so.
VARIATIONS = {
    "a word at the tenth turn": "{% if messages|length > 9 %}long{% endif %}",
    "a content that is looked for": "{% if messages[-1]['content'] == 'sesame' %}open{% endif %}",
    "a prefix that is looked for": "{% if messages[0]['content'].startswith('/no_think') %}x{% endif %}",
    "a content that is cut": "{% set messages = [{'role': 'user', 'content': messages[0]['content'][:900]}] %}",
    "a content that is changed": "{% for m in messages %}{{ m.content | upper }}{% endfor %}",
    "a long content": "{% if messages[0]['content'] | length > 2000 %}long{% endif %}",
    "an end that says more": "{% if messages[-1]['role'] == 'assistant' %}again{% endif %}",
    "more messages than any probe": "{% for m in messages[-16:] %}{{ m.content }}{% endfor %}",
    "more characters than any probe": "{% if messages[0].content|length > 0x2800 %}long{% endif %}",
    "a number that is a fraction": "{% if messages[0].content|length > 6000.5 %}long{% endif %}",
    "a number that is computed": "{% if messages|length > 2 * 2 * 2 * 2 %}long{% endif %}",
    "lines that are counted": "{% if messages[0].content.count('\\n') > 1 %}lines{% endif %}",
    "words that are counted": "{% if messages[0].content|wordcount > 2 %}words{% endif %}",
    "a number that is read": "{% if messages[0].content|int == 1 %}one{% endif %}",
    "a word that is put together": "{% if ('se' ~ 'cret') in messages[0].content %}open{% endif %}",
    "a word that is turned round": "{% if messages[0].content|reverse == 'olleh' %}hello{% endif %}",
    "a random word": "{{ ['a', 'b'] | random }}",
    "the date": "{% if false %}{{ strftime_now('%Y') }}{% endif %}",
}


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_small_difference_is_found(name: str) -> None:
    with pytest.raises((NoDataError, TemplateProblem)):
        chat_data(TemplateSource(VARIATIONS[name] + CHATML, {}))


HOSTILE = {
    "endless": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "talkative": "{% for i in range(99999) %}{{ 'x' * 99 }}{% endfor %}",
    "greedy": "{{ 'x' * 9999999999 }}",
    "damaged": "{% for %}",
    "deep": "{{ " + "(" * 9999 + "1" + ")" * 9999 + " }}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_ends_soon_and_is_left_out(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.chat.sandbox.SECONDS", 2)
    notes: list[str] = []
    (tmp_path / "chat_template.jinja").write_text(HOSTILE[name])
    began = time.monotonic()
    assert (
        write_chat(tmp_path, {"chat_template.jinja": tmp_path / "chat_template.jinja"}, notes.append) is None
    )
    assert time.monotonic() - began < 20
    assert "left out" in notes[0]
    assert not (tmp_path / "chat_template.json").exists()


@pytest.mark.parametrize(
    "template",
    [
        "{{ messages.append(1) }}",
        "{{ messages[0].__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__.os.system('false') }}",
        "{{ raise_exception('never') }}",
    ],
)
def test_what_the_sandbox_forbids_is_refused(template: str) -> None:
    with pytest.raises((NoDataError, TemplateProblem)):
        chat_data(TemplateSource(template + CHATML, {}))


def files_with(folder: Path, **documents: Any) -> dict[str, Path]:
    paths = {}
    for name, document in documents.items():
        path = folder / {"jinja": "chat_template.jinja"}.get(name, f"{name}.json")
        path.write_text(document if name == "jinja" else json.dumps(document))
        paths[path.name] = path
    return paths


def test_the_newest_place_of_a_template_goes_first(tmp_path: Path) -> None:
    old, processor = {"chat_template": "old", "bos_token": {"content": "<s>"}}, {"chat_template": "processor"}
    special = {"bos_token": "no", "eos_token": "</s>"}
    files = files_with(tmp_path, special_tokens_map=special, chat_template=processor)
    assert find_template(files) == TemplateSource("processor", {"bos_token": "no", "eos_token": "</s>"})
    files |= files_with(tmp_path, tokenizer_config=old)
    assert find_template(files) == TemplateSource("old", {"bos_token": "<s>", "eos_token": "</s>"})
    assert find_template(files | files_with(tmp_path, jinja="new")).text == "new"  # type: ignore[union-attr]


def test_of_named_templates_the_default_is_taken(tmp_path: Path) -> None:
    named = [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "usual"}]
    found = find_template(files_with(tmp_path, tokenizer_config={"chat_template": named}))
    assert found is not None
    assert found.text == "usual"
    assert find_template(files_with(tmp_path, tokenizer_config={"chat_template": named[:1]})) is None
    assert find_template({}) is None


def test_a_template_without_bounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="characters"):
        find_template(files_with(tmp_path, tokenizer_config={"chat_template": "x" * 300_000}))


def test_a_template_that_cannot_run_is_named() -> None:
    with pytest.raises(TemplateProblem, match="is no template"):
        chat_data(TemplateSource("{% if %}", {}))


def test_a_template_that_the_browser_cannot_run_is_left_out(tmp_path: Path) -> None:
    notes: list[str] = []
    text = "{% with x = 1 %}{{ messages[0].content | round }}{% endwith %}"
    assert write_chat(tmp_path, files_with(tmp_path, jinja=text), notes.append) is None
    assert "browser's template engine" in notes[0]


def test_a_list_of_templates_with_odd_names_has_no_default(tmp_path: Path) -> None:
    odd = [{"name": ["a"], "template": "x"}, 3]
    assert find_template(files_with(tmp_path, tokenizer_config={"chat_template": odd})) is None
