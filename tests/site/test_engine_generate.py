"""Text generation: prompt to text, with a plan whose every token can be foretold."""

from typing import Any

import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import (
    BEGIN,
    BLOCK,
    CONTEXT,
    E1,
    E2,
    END,
    EURO1,
    EURO2,
    EURO3,
    PIECES,
    ROLE,
    SPACE,
    A,
    B,
    C,
    embedding_artifact,
    generation_artifact,
    mix_of,
)
from tests.site.engine_server import EngineServer

pytestmark = pytest.mark.browser

GENERATE = """
  const model = await engine.load(args.url);
  const pieces = [];
  for await (const piece of model.generate(args.prompt, args.options)) pieces.push(piece);
  const { generation } = model.stats();
  await model.unload();
  return { ids: pieces.map((p) => p.id), texts: pieces.map((p) => p.text), generation };
"""
CHAT = {
    "start": "a",
    "roles": {
        "system": ["<role>c", "<end>"],
        "user": ["<role>a", "<end>"],
        "assistant": ["<role>b", "<end>"],
    },
    "answer": "<role>b",
    "system": None,
}


def generate(
    page: EnginePage, server: EngineServer, script: list[int], prompt: object = "a", **options: object
) -> Any:
    url = server.add("tiny", generation_artifact(script).files())
    return page.run(GENERATE, url=url, prompt=prompt, options=options)


def test_ids_stop_before_the_end_token_and_characters_are_whole(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    said = [A, SPACE, E1, E2, B, EURO1, EURO2, EURO3, SPACE, C, EURO1, EURO2]
    output = generate(engine_page, engine_server, [0, 0, *said, END, A, A], prompt="aab")
    assert output["ids"] == said
    assert "".join(output["texts"]) == "a éb€ c\N{REPLACEMENT CHARACTER}"
    assert output["texts"][2:4] == ["", "é"]
    assert output["texts"][5:8] == ["", "", "€"]
    assert output["generation"]["finish"] == "stop"
    assert (output["generation"]["promptTokens"], output["generation"]["tokens"]) == (3, len(said))


def test_the_length_is_bounded_by_the_caller_and_by_the_context(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    output = generate(engine_page, engine_server, [A], maxTokens=7)
    assert output["ids"] == [A] * 7
    assert output["generation"]["finish"] == "length"
    output = generate(engine_page, engine_server, [A], prompt="a" * 9, maxTokens=1000)
    assert output["ids"] == [A] * (CONTEXT - 9)


def test_a_stop_text_is_not_shown_even_across_tokens(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    output = generate(engine_page, engine_server, [A, B, SPACE, A, C, B, B], stop=[" ab", "cb"])
    assert output["ids"] == [A, B, SPACE, A]
    assert "".join(output["texts"]) == "ab a"
    assert output["generation"]["finish"] == "stop-string"


def test_sampling_options_reach_the_gpu(engine_page: EnginePage, engine_server: EngineServer) -> None:
    options = {"temperature": 0.5, "topK": 5, "topP": 0.75, "seed": 11, "maxTokens": 9}
    output = generate(engine_page, engine_server, [A], prompt="ab", **options)
    assert output["ids"] == [2 + (11 + seen + 5 + 3) % 3 for seen in range(2, 11)]


def test_the_models_own_sampling_is_the_default(engine_page: EnginePage, engine_server: EngineServer) -> None:
    files = generation_artifact([A], temperature=1, top_k=1, top_p=0.5).files()
    url = engine_server.add("tiny", files)
    output = engine_page.run(GENERATE, url=url, prompt="a", options={"seed": 3, "maxTokens": 4})
    assert output["ids"] == [2 + (3 + seen + 1 + 2) % 3 for seen in range(1, 5)]


def test_logits_do_not_depend_on_the_blocks(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", generation_artifact([A, B, C, A, B, C, A, B, C]).files())
    body = """
      const model = await engine.load(args.url);
      const rows = [];
      for (const split of args.splits) rows.push([...await model.logits(args.ids, { split })]);
      for await (const _ of model.generate('ab', { maxTokens: 3 }));
      rows.push([...await model.logits(args.ids)]);
      return rows;
    """
    ids = [A, B, END, BEGIN, C, C, A, E1]
    rows = engine_page.run(body, url=url, ids=ids, splits=[[4, 4], [1] * 8, [3, 1, 4]])
    expected = [mix_of(ids) + (1000 if token == B else 0) for token in range(len(PIECES))]
    assert rows == [expected] * 4


def test_logits_of_too_many_ids_or_too_large_a_block_are_refused_and_do_no_harm(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", generation_artifact([A, B, C]).files())
    body = """
      const model = await engine.load(args.url);
      const codes = [];
      for (const count of [args.context + 1, args.block + 1]) {
        const ids = Array(count).fill(args.id);
        await model.logits(ids, { split: [count] }).catch(({ code }) => codes.push(code));
      }
      return [codes, [...await model.logits([args.id])].length];
    """
    found = engine_page.run(body, url=url, context=CONTEXT, block=BLOCK, id=A)
    assert found == [["BAD_ARGUMENT", "BAD_ARGUMENT"], len(PIECES)]


def test_messages_go_through_the_chat_template(engine_page: EnginePage, engine_server: EngineServer) -> None:
    body = """
      const model = await engine.load(args.url);
      for await (const _ of model.generate(args.messages, { maxTokens: 1 }));
      return model.stats().generation.promptTokens;
    """
    messages = [{"role": "user", "content": "b b"}, {"role": "assistant", "content": "c"}]
    url = engine_server.add("chat", generation_artifact([A], chat=CHAT).files())
    assert engine_page.run(body, url=url, messages=messages) == len("aRab bERbcERb")
    url = engine_server.add("system", generation_artifact([A], chat={**CHAT, "system": "bb"}).files())
    assert engine_page.run(body, url=url, messages=messages[:1]) == len("aRcbbERab bERb")
    strange = [{"role": "stranger", "content": "b"}]
    assert engine_page.fails(body, url=url, messages=strange)["code"] == "BAD_ARGUMENT"
    url = engine_server.add("plain", generation_artifact([A]).files())
    assert engine_page.fails(body, url=url, messages=messages)["code"] == "NO_CHAT_TEMPLATE"


def test_a_prompt_that_fills_the_context_is_refused_with_both_numbers(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", generation_artifact([A]).files())
    error = engine_page.fails(GENERATE, url=url, prompt="a" * CONTEXT, options={})
    assert error["code"] == "INPUT_TOO_LONG"
    assert error["fields"] == {"needed": CONTEXT + 1, "available": CONTEXT}
    for prompt in ("ab " * 2_000_000, "a" * 6_000_000):
        error = engine_page.fails(GENERATE, url=url, prompt=prompt, options={})
        assert error["code"] == "INPUT_TOO_LONG"
        assert f"more than {2 * CONTEXT} tokens, and the model reads {CONTEXT}" in error["message"]


def test_what_cannot_be_copied_to_the_worker_is_refused_and_does_no_harm(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("chat", generation_artifact([A], chat=CHAT).files())
    body = """
      const model = await engine.load(args.url);
      const say = async (content, options) => {
        for await (const _ of model.generate([{ role: 'user', content }], options));
      };
      let deep = {};
      for (let i = 0; i < 3000; i++) deep = { items: deep };
      const constraint = { type: 'json_schema', json_schema: { schema: deep } };
      const codes = [];
      for (const [content, options] of [[() => 'b'], [Symbol('b')], ['b', { constraint }]]) {
        await say(content, options).catch((error) => codes.push(error.code));
      }
      await say('b', { maxTokens: 1 });
      return codes;
    """
    assert engine_page.run(body, url=url) == ["BAD_ARGUMENT"] * 3


def test_an_empty_prompt_begins_with_the_begin_token(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    output = generate(engine_page, engine_server, [C, END], prompt="")
    assert (output["ids"], output["generation"]["promptTokens"]) == ([C], 1)


def test_options_out_of_range_are_refused(engine_page: EnginePage) -> None:
    body = """
      const { readGenerateOptions } = await import('/engine/arguments.js');
      return args.wrong.map((options) => {
        try { return readGenerateOptions(options); } catch (error) { return error.code; }
      });
    """
    wrong = [
        {"maxTokens": 0}, {"temperature": -1}, {"topK": 1.5}, {"topP": 0}, {"topP": 1.1}, {"seed": -1},
        {"seed": 2**32}, {"stop": [""]}, {"stop": 3},
    ]  # fmt: skip
    assert engine_page.run(body, wrong=wrong) == ["BAD_ARGUMENT"] * len(wrong)


def test_null_is_as_good_as_no_options_and_a_number_is_refused(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    body = """
      const asked = (promise) => promise.then(() => 'done', ({ code }) => code ?? 'untyped');
      const answers = {};
      for (const [name, options] of [['null', null], ['number', 3]]) {
        const model = await engine.load(args.url);
        const reader = await engine.load(args.reader, null);
        const state = await model.saveState();
        const calls = [
          engine.inspect(args.url, options), model.generate('ab', options).next(), model.logits([args.id], options),
          model.saveState(options), model.restoreState(state, options), model.setAdapter(null, options),
          reader.embed(['far'], options), model.chat.completions.create(options), reader.fillMask('a', options),
        ];
        answers[name] = await Promise.all(calls.map(asked));
        await model.unload();
        await reader.unload();
      }
      return answers;
    """
    url = engine_server.add("tiny", generation_artifact([A, B, C]).files())
    reader = engine_server.add("reader", embedding_artifact().files())
    answers = engine_page.run(body, url=url, reader=reader, id=A)
    assert answers["null"] == ["done"] * 7 + ["BAD_ARGUMENT"] * 2  # a request, and what another model does
    assert answers["number"] == ["BAD_ARGUMENT"] * 9


def test_lists_with_holes_are_refused(engine_page: EnginePage) -> None:
    body = """
      const check = await import('/engine/arguments.js');
      const holes = new Array(3);
      const calls = [
        () => check.checkTexts(holes), () => check.checkPrompt(holes), () => check.readGenerateOptions({ stop: holes }),
        () => check.checkLogitsArguments(holes, undefined, 9), () => check.checkLogitsArguments([1], holes, 9),
        () => check.checkLogitsArguments([1, 2], [, 2], 9),
      ];
      return calls.map((call) => { try { call(); return null; } catch (error) { return error.code; } });
    """
    assert engine_page.run(body) == ["BAD_ARGUMENT"] * 6


def test_an_abort_ends_one_answer_and_the_next_starts_anew(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", generation_artifact([A, B, C, A, B, C]).files())
    body = """
      const model = await engine.load(args.url);
      const aborter = new AbortController();
      const codes = [];
      const read = async (prompt, options, each) => {
        const ids = [];
        try {
          for await (const { id } of model.generate(prompt, options)) { ids.push(id); if (each(ids)) break; }
        } catch (error) { codes.push(error.code); }
        return ids;
      };
      await read('a', { signal: aborter.signal }, (ids) => { if (ids.length === 2) aborter.abort(); });
      const left = await read('a', {}, (ids) => ids.length === 3);
      const [one, two] = await Promise.all([
        read('a', { maxTokens: 4 }, () => false), read('ab', { maxTokens: 3 }, () => false),
      ]);
      await read('a', { signal: AbortSignal.abort() }, () => false);
      return { codes, left, one, two };
    """
    output = engine_page.run(body, url=url)
    assert output["codes"] == ["ABORTED", "ABORTED"]
    assert output["left"] == [A, B, C]
    assert output["one"] == [A, B, C, A]
    assert output["two"] == [B, C, A]


def test_special_tokens_are_ids_without_text(engine_page: EnginePage, engine_server: EngineServer) -> None:
    output = generate(engine_page, engine_server, [A, ROLE, B, END])
    assert output["ids"] == [A, ROLE, B]
    assert "".join(output["texts"]) == "ab"
