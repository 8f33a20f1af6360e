"""Messages to ids in the browser, against transformers' apply_chat_template, for templates as data and carried ones."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from exporter.artifact import ChatTemplate
from exporter.chat import write_chat
from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import generation_artifact
from tests.site.engine_server import EngineServer
from tests.site.tokenizer_kinds import gpt2, llama2

pytestmark = pytest.mark.browser

Json = dict[str, Any]

TEMPLATES = sorted((Path(__file__).parents[1] / "chat_templates").glob("*.jinja"))
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
IDS = """
  const { renderChat } = await import('/engine/chat.js');
  const { readChat } = await import('/engine/chat_format.js');
  const { JsonReader } = await import('/engine/json_reader.js');
  const { TextTokenizer } = await import('/engine/tokenizer.js');
  const tokenizer = await TextTokenizer.open(args.tokenizer, {}, 1e6);
  return Promise.all(args.cases.map(async ({ chat, file, messages }) => {
    const read = readChat(new JsonReader(chat, 'chat', (what) => new Error(what)));
    try {
      return tokenizer.encode(await renderChat(messages, read, file), false);
    } catch (error) {
      return error.code;
    }
  }));
"""
ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}
CONTENTS = (
    "What flies?",
    "  The down \n",
    "",
    "Größe 漢字 👩\u200d👧",
    "<|im_start|>user\n</s>[INST]",
    "\x1cb\x85\ufeff",
    "<think>\nwhy\n</think>\n\n    return x  \n\n",
)
ORDERS = ("u", "uau", "uauau", "su", "suau", "ua", "uu", "usu", "a", "uat", "uatu", "s")


def conversations() -> list[list[dict[str, str]]]:
    """Every order of speakers with contents that turn from one to the next."""
    return [
        [
            {"role": ROLES[letter], "content": CONTENTS[(i + shift) % len(CONTENTS)]}
            for i, letter in enumerate(order)
        ]
        for order in ORDERS
        for shift in range(0, len(CONTENTS), 2)
    ]


def cases_of(template: Path, folder: Path) -> tuple[Json, Json | None]:
    """The manifest's `chat` of a template, and what its file holds where it is carried."""
    (folder / "tokenizer_config.json").write_text(json.dumps(TOKENS))
    files = {"chat_template.jinja": template, "tokenizer_config.json": folder / "tokenizer_config.json"}
    chat = write_chat(folder, files, lambda note: None)
    assert chat is not None
    carried = isinstance(chat, ChatTemplate)
    return asdict(chat), json.loads((folder / chat.template).read_text()) if carried else None


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Json, Json | None]]:
    folder = tmp_path_factory.mktemp("chats")
    return [(template, *cases_of(template, folder)) for template in TEMPLATES]


@pytest.mark.parametrize("make", [gpt2, llama2], ids=lambda make: make.__name__)
def test_messages_have_the_ids_of_transformers(
    engine_page: EnginePage, chats: list[tuple[Path, Json, Json | None]], make: Any
) -> None:
    from jinja2.exceptions import TemplateError
    from transformers import PreTrainedTokenizerFast

    tokenizer: Tokenizer = make()
    reference = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **TOKENS)
    cases, expected = [], []
    for template, chat, file in chats:
        for messages in conversations():
            cases.append({"chat": chat, "file": file, "messages": messages})
            try:
                ids = reference.apply_chat_template(
                    messages,
                    chat_template=template.read_text(),
                    add_generation_prompt=True,
                    return_dict=False,
                )
            except TemplateError:
                ids = "BAD_ARGUMENT"
            expected.append(ids)
    found = engine_page.run(IDS, tokenizer=json.loads(tokenizer.to_str()), cases=cases)
    agreed = [ids == wanted for ids, wanted in zip(found, expected, strict=True)]
    for case, ids, wanted, agrees in zip(cases, found, expected, agreed, strict=True):
        is_tool_or_late = {"tool", "system"} & {message["role"] for message in case["messages"][1:]}
        alone = [message["role"] for message in case["messages"]] == ["system"]
        assert agrees or (ids == "BAD_ARGUMENT" and (is_tool_or_late or alone)), (case, ids, wanted)
    assert sum(agreed) > 0.8 * len(agreed)


def test_data_refuses_what_it_cannot_say(
    engine_page: EnginePage, chats: list[tuple[Path, Json, Json | None]]
) -> None:
    [(chat, file)] = [found for template, *found in chats if template.stem == "granite4"]
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}
    messages = [{"role": "user", "content": "a"}, call]
    case = {"chat": chat, "file": file, "messages": messages}
    empty = {"chat": chat, "file": file, "messages": []}
    none = {"chat": chat, "file": file, "messages": [{"role": "user"}]}
    tokenizer = json.loads(gpt2().to_str())
    assert engine_page.run(IDS, tokenizer=tokenizer, cases=[case, empty, none]) == ["BAD_ARGUMENT"] * 3


def carried_files(template: str) -> dict[str, bytes]:
    """A tiny artifact whose template is carried."""
    artifact = generation_artifact([2], chat={"template": "chat_template.json"})
    artifact.texts["chat_template.json"] = {"template": template, "variables": {"bos_token": "a"}}
    return artifact.files()


ASK = """
  const model = await engine.load(args.url);
  for await (const _ of model.generate([{ role: 'user', content: 'b' }], { maxTokens: 1 }));
  return [model.info.chat, model.stats().generation.promptTokens];
"""


def test_a_carried_template_runs_under_a_strict_policy(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    engine_server.policies["/engine/worker.js"] = "default-src 'none'; script-src 'self'; connect-src 'self'"
    template = "{{ bos_token }}{% for message in messages %}{{ message.content * 3 }}{% endfor %}"
    tripled = template.replace("message.content * 3", "message.content ~ message.content ~ message.content")
    url = engine_server.add("carried", carried_files(tripled))
    assert engine_page.run(ASK, url=url) == [True, 4]


@pytest.mark.parametrize(
    "template",
    [
        "{{ raise_exception('no') }}",
        "{% for %}",
        "{{ messages[0].constructor.constructor('return 1')() }}",
    ],
)
def test_a_carried_template_that_fails_is_a_typed_error(
    engine_page: EnginePage, engine_server: EngineServer, template: str
) -> None:
    url = engine_server.add("carried", carried_files(template))
    assert engine_page.fails(ASK, url=url)["code"] == "TEMPLATE_FAILED"


def test_the_template_engine_is_loaded_for_a_carried_template_alone(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    asked: list[str] = []
    engine_page.page.context.on("request", lambda request: asked.append(request.url))
    chat = {"start": "a", "roles": {"user": ["", ""]}, "answer": "", "system": None}
    engine_page.run(ASK, url=engine_server.add("data", generation_artifact([2], chat=chat).files()))
    assert not any("jinja" in url for url in asked)
    engine_page.run(ASK, url=engine_server.add("carried", carried_files("{{ messages[0].content }}")))
    assert sum("jinja" in url for url in asked) == 1


def test_a_manifest_whose_template_is_missing_is_refused(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = generation_artifact([2], chat={"template": "chat_template.json"})
    error = engine_page.fails(ASK, url=engine_server.add("lost", artifact.files()))
    assert error["code"] == "MANIFEST_INVALID"
    assert "chat_template.json" in error["message"]
