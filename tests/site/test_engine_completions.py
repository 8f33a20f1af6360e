"""Chat completions in OpenAI's shape, constrained answers and likelihoods, with a generator that can be foretold."""

import math
from typing import Any

import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import END, EURO1, A, C, embedding_artifact, generation_artifact
from tests.site.engine_server import EngineServer
from tests.site.json_vocabulary import JSON_PIECES, spelled, writer

pytestmark = pytest.mark.browser

Json = Any

CHAT = {"start": "", "roles": {"user": ["", ""], "assistant": ["", ""]}, "answer": "", "system": None}
TOOLS_TEMPLATE = (
    "{% if tools %}{% for tool in tools %}a{% endfor %}{% endif %}{% for message in messages %}"
    "{{ message.content }}"
    "{% for call in message.tool_calls or [] %}{{ call.function.arguments.n }}{% endfor %}{% endfor %}"
)
TOOL = {"type": "function", "function": {"name": "abc", "parameters": {"type": "object"}}}
ASK = [{"role": "user", "content": "a"}]

CREATE = """
  const model = await engine.load(args.url);
  return model.chat.completions.create({ messages: args.messages, temperature: 0, ...args.options });
"""
STREAM = """
  const model = await engine.load(args.url);
  const request = { messages: args.messages, temperature: 0, stream: true, ...args.options };
  const chunks = [];
  for await (const chunk of await model.chat.completions.create(request)) chunks.push(chunk);
  return chunks;
"""
GENERATE = """
  const model = await engine.load(args.url);
  const pieces = [];
  for await (const piece of model.generate('a', { temperature: 0, ...args.options })) pieces.push(piece);
  return { text: pieces.map(({ text }) => text).join(''), pieces, finish: model.stats().generation.finish };
"""


def served(server: EngineServer, script: list[int], **generation: object) -> str:
    return server.add("writer", writer(script, chat=CHAT, **generation).files())


def tool_model(server: EngineServer, text: str) -> str:
    """Its template has a place for tools, which makes the prompt a token longer for each."""
    artifact = writer([0, *spelled(text), END], chat={"template": "chat_template.json"})
    artifact.texts["chat_template.json"] = {"template": TOOLS_TEMPLATE, "variables": {}}
    return server.add("tools", artifact.files())


def create(page: EnginePage, url: str, **options: object) -> Json:
    return page.run(CREATE, url=url, messages=ASK, options=options)


def test_an_answer_has_openais_shape(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = served(engine_server, [*spelled("a b€"), END])
    answer = create(engine_page, url)
    assert answer["id"].startswith("chatcmpl-")
    assert (answer["object"], answer["model"]) == ("chat.completion", "tiny")
    assert abs(answer["created"] - engine_page.run("return Date.now() / 1000;")) < 60
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "a b€"},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert answer["choices"] == [choice]
    usage = {
        "prompt_tokens": 1,
        "completion_tokens": 6,
        "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    assert answer["usage"] == usage
    cut = create(engine_page, url, max_completion_tokens=2)
    assert cut["choices"][0]["finish_reason"] == "length"
    assert cut["usage"]["completion_tokens"] == 2
    stopped = create(engine_page, url, stop=" b", model="tiny", n=1, seed=None)
    assert stopped["choices"][0]["message"]["content"] == "a"
    assert stopped["choices"][0]["finish_reason"] == "stop"


def test_chunks_join_to_the_same_answer(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = served(engine_server, [*spelled("ab €a"), END])
    chunks = engine_page.run(
        STREAM, url=url, messages=ASK, options={"stream_options": {"include_usage": True}}
    )
    whole = create(engine_page, url)
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert (
        "".join(delta.get("content", "") for delta in deltas)
        == whole["choices"][0]["message"]["content"]
        == "ab €a"
    )
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 2) + [
        "stop"
    ]
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == whole["usage"]["total_tokens"]
    bare = engine_page.run(STREAM, url=url, messages=ASK, options={})
    assert bare[-1]["choices"][0]["finish_reason"] == "stop"
    assert not any("usage" in chunk for chunk in bare)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"frequency_penalty": 1, "logit_bias": {}}, '"frequency_penalty", "logit_bias"'),
        ({"n": 2}, "n is not 1"),
        ({"model": "gpt"}, '"gpt"'),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"x": 1}}, '"x"'),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"max_tokens": 3, "max_completion_tokens": 4}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"top_p": 2}, "topP"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": "required"}, '"required"'),
        ({"tools": [{"type": "retrieval"}]}, "tools"),
        ({"tools": [TOOL]}, "tools"),
        ({"tools": [TOOL], "response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "xml"}}, '"xml"'),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, "schema"),
        ({"messages": "a"}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "a", "audio": {}}]}, '"audio"'),
        ({"messages": [{"role": "assistant", "tool_calls": [{"type": "function"}]}]}, "tool_calls[0]"),
    ],
    ids=str,
)
def test_what_is_not_supported_is_refused_by_its_name(
    engine_page: EnginePage, engine_server: EngineServer, options: Json, named: str
) -> None:
    error = engine_page.fails(CREATE, url=served(engine_server, [A, END]), messages=ASK, options=options)
    assert error["code"] == "BAD_ARGUMENT"
    assert named in error["message"]


def test_a_keyword_that_cannot_be_held_is_refused_by_its_name(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    asked = {"type": "json_schema", "json_schema": {"schema": {"format": 1}}}
    url = served(engine_server, [A, END])
    error = engine_page.fails(CREATE, url=url, messages=ASK, options={"response_format": asked})
    assert (error["code"], '"format"' in error["message"]) == ("SCHEMA_UNSUPPORTED", True)


def test_parts_of_a_message_are_one_text(engine_page: EnginePage, engine_server: EngineServer) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "bc"}]
    messages = [{"role": "user", "content": parts}]
    answer = engine_page.run(
        CREATE, url=served(engine_server, [A]), messages=messages, options={"max_tokens": 1}
    )
    assert answer["usage"]["prompt_tokens"] == 3


@pytest.mark.parametrize(
    ("text", "content", "calls"),
    [
        ('<tool_call>\n{"name": "abc", "arguments": {"n": 1}}\n</tool_call>', None, ['{"n":1}']),
        ('ab <tool_call>{"name":"abc","arguments":{}}</tool_call><tool_call>{"name":"abc","arguments":{"n":2}}', "ab ",
         ["{}", '{"n":2}']),
        ('[{"name": "abc", "arguments": {"n": 1}}, {"name": "abc", "arguments": {}}]', None, ['{"n":1}', "{}"]),
        ('{"name": "abc", "parameters": {"n": "x"}}', None, ['{"n":"x"}']),
        ('<|tool_call|>[{"name": "abc", "arguments": {"n": 1}}]', None, ['{"n":1}']),
        ('{"name": "other", "parameters": {}}', '{"name": "other", "parameters": {}}', []),
        ("[1, 2]", "[1, 2]", []),
        ("a < b <to", "a < b <to", []),
        ("<tool_call>{", "<tool_call>{", []),
    ],
)  # fmt: skip
def test_calls_are_told_from_content(
    engine_page: EnginePage, engine_server: EngineServer, text: str, content: str | None, calls: list[str]
) -> None:
    url = tool_model(engine_server, text)
    answer = create(engine_page, url, tools=[TOOL])
    choice = answer["choices"][0]
    found = choice["message"].get("tool_calls", [])
    assert [(call["type"], call["function"]["name"], call["function"]["arguments"]) for call in found] == [
        ("function", "abc", arguments) for arguments in calls
    ]
    assert choice["message"]["content"] == content
    assert choice["finish_reason"] == ("tool_calls" if calls else "stop")
    assert answer["usage"]["prompt_tokens"] == 2
    chunks = engine_page.run(STREAM, url=url, messages=ASK, options={"tools": [TOOL]})
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    streamed = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert [(call["index"], call["function"]) for call in streamed] == [
        (i, call["function"]) for i, call in enumerate(found)
    ]
    assert "".join(delta.get("content", "") for delta in deltas) == (content or "")


def test_a_call_and_its_result_go_through_the_template(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "abc", "arguments": '{"n": "abc"}'}}
    messages = [
        *ASK,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "b"},
    ]
    url = tool_model(engine_server, "a")
    answer = engine_page.run(CREATE, url=url, messages=messages, options={"tools": [TOOL], "max_tokens": 1})
    assert answer["usage"]["prompt_tokens"] == len("a" + "a" + "abc" + "b")
    none = engine_page.run(CREATE, url=url, messages=ASK, options={"tools": [TOOL], "tool_choice": "none"})
    assert none["usage"]["prompt_tokens"] == 1


def test_a_template_without_a_place_for_tools_refuses_them(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = writer([A], chat={"template": "chat_template.json"})
    artifact.texts["chat_template.json"] = {"template": "{{ messages[0].content }}", "variables": {}}
    url = engine_server.add("no-tools", artifact.files())
    error = engine_page.fails(CREATE, url=url, messages=ASK, options={"tools": [TOOL]})
    assert (error["code"], "no place" in error["message"]) == ("BAD_ARGUMENT", True)


def test_a_constraint_lets_what_is_valid_through_and_takes_the_best_valid_token_else(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """Of all tokens that are not the script's the lowest id is the likeliest, as all have the same logit."""
    schema = {
        "type": "object",
        "properties": {"ab": {"type": "integer"}, "c": {"enum": ["abc", "€"]}},
        "required": ["ab", "c"],
    }
    constraint = {"type": "json_schema", "json_schema": {"schema": schema, "strict": True}}
    wanted = '{"ab": 12, "c": "€"}'
    url = served(engine_server, [*spelled(wanted), END])
    found = engine_page.run(GENERATE, url=url, options={"constraint": constraint})
    assert (found["text"], found["finish"]) == (wanted, "stop")
    assert [piece["id"] for piece in found["pieces"]] == spelled(wanted)
    wrong = served(engine_server, [C, *spelled("{"), C])
    options = {"constraint": constraint, "maxTokens": 3}
    first, second, third = engine_page.run(GENERATE, url=wrong, options=options)["pieces"]
    starts = [JSON_PIECES.index(piece) for piece in ("{", '{"', "Ġ{", "Ġ", "Ċ", "ĉ", "č", "ĠĠĠĠ")]
    assert first["id"] == min(starts)
    assert second["id"] == spelled("{")[0]
    assert third["id"] == min(JSON_PIECES.index(piece) for piece in ('"', "Ġ", "Ċ", "ĉ", "č", "ĠĠĠĠ"))


def test_sampling_under_a_constraint_never_takes_what_is_not_allowed(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """The tiny sampler draws ids blindly, allowed or not, and that is noticed; the real one is in tests/whole."""
    url = served(engine_server, [A])
    options = {"constraint": {"type": "json_object"}, "temperature": 1, "seed": 1}
    error = engine_page.fails(GENERATE, url=url, options=options)
    assert (error["code"], "does not allow" in error["message"]) == ("INTERNAL", True)


def test_json_mode_ends_with_the_object(engine_page: EnginePage, engine_server: EngineServer) -> None:
    said = '{"a": [1, {"b": "é\\n"}]}'
    url = served(engine_server, [*spelled(said), *spelled(" and more")])
    answer = create(engine_page, url, response_format={"type": "json_object"})
    assert answer["choices"][0]["message"]["content"] == said
    assert answer["choices"][0]["finish_reason"] == "stop"
    plain = create(engine_page, url, response_format={"type": "text"}, max_tokens=3)
    assert plain["usage"]["completion_tokens"] == 3


def test_a_constraint_that_the_vocabulary_cannot_meet_is_an_error(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("letters", generation_artifact([A], chat=CHAT).files())
    error = engine_page.fails(GENERATE, url=url, options={"constraint": {"type": "json_object"}})
    assert (error["code"], "No token" in error["message"]) == ("BAD_ARGUMENT", True)


def test_what_follows_a_constrained_answer_goes_on_from_what_the_states_hold(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """All of it, to the last token, which was not sampled from; the next file tests what such a model writes next."""
    said = '{"a":1}'
    url = served(engine_server, [JSON_PIECES.index(sign) for sign in said])
    body = """
      const model = await engine.load(args.url);
      for await (const _ of model.generate('a', { constraint: { type: 'json_object' }, temperature: 0 }));
      const { tokens } = model.stats().generation;
      for await (const _ of model.generate('a' + args.said + 'b', { maxTokens: 1 }));
      const { reusedTokens, promptTokens } = model.stats().generation;
      return [tokens, reusedTokens, promptTokens];
    """
    assert engine_page.run(body, url=url, said=said) == [len(said), len(said) + 1, len(said) + 2]


def test_a_constrained_answer_can_be_left_and_aborted(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = served(engine_server, [*spelled('{"abcabcabcabcabc":1}'), END])
    body = """
      const model = await engine.load(args.url);
      const aborter = new AbortController();
      const options = { constraint: { type: 'json_object' }, temperature: 0 };
      const codes = [];
      try {
        for await (const _ of model.generate('a', { ...options, signal: aborter.signal })) aborter.abort();
      } catch (error) { codes.push(error.code); }
      for await (const _ of model.generate('a', options)) break;
      const streamed = { messages: args.messages, stream: true, logprobs: true };
      for await (const _ of await model.chat.completions.create(streamed)) break;
      const { choices } = await model.chat.completions.create({ messages: args.messages, temperature: 0,
        response_format: { type: 'json_object' } });
      return [codes, choices[0].message.content];
    """
    assert engine_page.run(body, url=url, messages=ASK) == [["ABORTED"], '{"abcabcabcabcabc":1}']


def test_likelihoods_are_those_of_the_model_itself(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """The next token has a logit 1000 above all others, which are alike."""
    url = engine_server.add("letters", generation_artifact([A, EURO1, C, END], chat=CHAT).files())
    answer = create(engine_page, url, logprobs=True, top_logprobs=2)
    told = answer["choices"][0]["logprobs"]
    assert told["refusal"] is None
    assert [entry["token"] for entry in told["content"]] == ["a", "\N{REPLACEMENT CHARACTER}", "c"]
    assert [entry["bytes"] for entry in told["content"]] == [[97], [0xE2], [99]]
    for entry in told["content"]:
        assert entry["logprob"] == pytest.approx(0, abs=1e-6)
        assert [top["logprob"] for top in entry["top_logprobs"]] == pytest.approx([0, -1000], abs=1e-3)
        assert entry["top_logprobs"][0]["token"] == entry["token"]
    short = create(engine_page, url, logprobs=True)
    assert [entry["top_logprobs"] for entry in short["choices"][0]["logprobs"]["content"]] == [[], [], []]
    constraint = {"type": "json_schema", "json_schema": {"schema": {"const": "a"}}}
    url = served(engine_server, [*spelled('"a"'), END])
    found = engine_page.run(GENERATE, url=url, options={"constraint": constraint, "logprobs": 1})
    assert [piece["logprobs"]["taken"]["text"] for piece in found["pieces"]] == ['"', 'a"']
    assert all(math.isfinite(piece["logprobs"]["taken"]["logprob"]) for piece in found["pieces"])


def test_a_plain_answer_loads_nothing_of_this(engine_page: EnginePage, engine_server: EngineServer) -> None:
    asked: list[str] = []
    engine_page.page.context.on("request", lambda request: asked.append(request.url))
    url = served(engine_server, [*spelled('"a"'), END])
    engine_page.run(GENERATE, url=url, options={})
    extra = ("/completions/", "/constraint/", "stepped_answer", "token_bytes")
    assert not [address for address in asked if any(part in address for part in extra)]
    create(engine_page, url, response_format={"type": "json_object"}, max_tokens=2)
    assert all(any(part in address for address in asked) for part in extra)


def test_another_tasks_model_refuses(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("embed", embedding_artifact().files())
    assert engine_page.fails(CREATE, url=url, messages=ASK, options={})["code"] == "BAD_ARGUMENT"
