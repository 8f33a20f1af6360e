"""What a model has seen is not played again, however an answer ended; and the states are as if it had been."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import BLOCK, END, A, B, C, generation_artifact, mix_of
from tests.site.engine_server import EngineServer
from tests.site.engine_session import OPEN, folder_files
from tests.tiny_granite import random_ids

pytestmark = pytest.mark.browser

Make = Callable[..., Path]
PROMPT = [A, B, A, A, B, B]
STEPS = 18  # several submits of every size

# For each case one answer to `PROMPT`, ended in some way, and then a prompt that goes on from `kept` of its ids.
CONTINUED = (
    OPEN
    + """
  const found = [];
  for (const { options, leave, more } of args.cases) {
    historyOf(session).forget();
    const ids = await answer('abaabb', options, (ids) => ids.length >= (leave ?? Infinity));
    const kept = ids.slice(0, leave);
    found.push({ kept, held: historyOf(session).held, ...await after([...args.prompt, ...kept, ...more]) });
  }
  session.device.destroy();
  return found;
"""
)


def continued(page: EnginePage, server: EngineServer, script: list[int], *cases: dict[str, Any]) -> Any:
    """`script` is what the model says after `PROMPT`."""
    artifact = generation_artifact([0] * (len(PROMPT) - 1) + script, context=64)
    given = [{"options": {}, "more": [C, A], **case} for case in cases]
    return page.run(CONTINUED, url=server.add("tiny", artifact.files()), prompt=PROMPT, cases=given)


def expect_exact(found: dict[str, Any], more: list[int]) -> None:
    """Every logit carries all that the state has seen."""
    seen = [*PROMPT, *found["kept"], *more]
    assert min(found["logits"]) == mix_of(seen), found


def test_an_end_at_every_step_leaves_the_states_where_they_were(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """The limit sets the done flag: tokens that are under way by then change nothing."""
    cases = [{"options": {"maxTokens": step}} for step in range(1, STEPS)]
    for step, found in enumerate(continued(engine_page, engine_server, [A, B, C] * STEPS, *cases), start=1):
        assert len(found["kept"]) == step
        expect_exact(found, [C, A])
        assert found["held"] == [*PROMPT, *found["kept"][:-1]], "the last id was made and not yet seen"
        assert found["reused"] == len(PROMPT) + step - 1


@pytest.mark.parametrize("step", range(0, STEPS, 3))
def test_an_end_token_at_every_step_leaves_the_states_where_they_were(
    engine_page: EnginePage, engine_server: EngineServer, step: int
) -> None:
    script = [([A, B] * STEPS)[i] for i in range(step)] + [END, C, C, C, C, C, C, C, C, C]
    (found,) = continued(engine_page, engine_server, script, {"more": [END, C]})
    assert len(found["kept"]) == step
    expect_exact(found, [END, C])
    assert found["reused"] == len(PROMPT) + step


def test_a_stop_text_or_an_abort_at_every_step_is_taken_back(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """Both are found by the CPU, when later tokens are in the states already: the snapshot of the prompt serves."""
    before = len(PROMPT) // BLOCK * BLOCK
    for step in range(1, STEPS):
        script = [A, B][: step % 2] + [A, B] * (step // 2) + [C] + [B, A] * STEPS
        stopped, left = continued(
            engine_page,
            engine_server,
            script,
            {"options": {"stop": ["c"]}},
            {"leave": step, "more": [B, B, A]},
        )
        assert (len(stopped["kept"]), len(left["kept"])) == (step, step)
        expect_exact(stopped, [C, A])
        expect_exact(left, [B, B, A])
        for found, more in ((stopped, [C, A]), (left, [B, B, A])):
            wanted = [*PROMPT, *found["kept"], *more]
            overshot = found["held"] != wanted[: len(found["held"])]
            assert found["reused"] == (before if overshot else len(found["held"]))
        assert len(stopped["held"]) > len(PROMPT)


def test_a_prompt_that_begins_otherwise_or_is_asked_again(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = generation_artifact([A], context=64)
    body = (
        OPEN + "const found = []; for (const ids of args.prompts) found.push(await after(ids)); return found;"
    )
    long = [A, B, C, A, B, C, A, B, C, C]
    prompts = [long, long, [*long[:9], B], [*long[:8], C], [B, *long], [*long, A], [*long, A, C]]
    found = engine_page.run(body, url=engine_server.add("tiny", artifact.files()), prompts=prompts)
    assert [min(each["logits"]) for each in found] == [mix_of(ids) for ids in prompts]
    assert [each["reused"] for each in found] == [0, 8, 8, 8, 0, 0, len(long) + 1]


def test_a_failure_on_the_way_leaves_nothing_to_build_on(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = generation_artifact([A], context=64)
    body = (
        OPEN
        + """
      await after(args.ids);
      const aborter = new AbortController();
      const broken = prefill(session, [...args.ids, ...args.ids], { limit: 0, signal: aborter.signal });
      aborter.abort();
      const code = await broken.catch((error) => error.code);
      return [code, await after([...args.ids, ...args.ids])];
    """
    )
    ids = [A, B, C] * 4
    code, found = engine_page.run(body, url=engine_server.add("tiny", artifact.files()), ids=ids)
    assert (code, found["reused"]) == ("ABORTED", 0)
    assert min(found["logits"]) == mix_of(ids * 2)


def test_reuse_is_visible_to_the_page(engine_page: EnginePage, engine_server: EngineServer) -> None:
    artifact = generation_artifact([A], context=64)
    body = """
      const model = await engine.load(args.url);
      const reused = [];
      for (const prompt of ['abab', 'ababaaac', 'b']) {
        for await (const _ of model.generate(prompt, { maxTokens: 4 }));
        reused.push(model.stats().generation.reusedTokens);
      }
      return reused;
    """
    url = engine_server.add("tiny", artifact.files())
    assert engine_page.run(body, url=url) == [0, len("abab") + 3, 0]


# Three turns: an answer that is left early, one with a stop text, one that reaches its limit; after each the logits
# of a longer prompt, once from what the states hold and once from nothing.
TURNS = (
    OPEN
    + """
  const found = [];
  let ids = args.prompt;
  for (const [options, leave] of [[{ maxTokens: 40 }, 5], [{ maxTokens: 9 }, Infinity], [{ maxTokens: 30 }, 13]]) {
    const text = session.tokenizer.decode(ids);
    const spoken = session.tokenizer.encode(text);
    const said = (await answer(text, { temperature: 0, ...options }, (some) => some.length >= leave)).slice(0, leave);
    ids = [...spoken, ...said, ...spoken.slice(3, 8)];
    const warm = await after(ids);
    found.push({ reused: warm.reused, prompt: spoken.length, warm: warm.logits, cold: await fresh(ids) });
    await after(ids);
  }
  session.device.destroy();
  return found;
"""
)


def turns(page: EnginePage, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.run(TURNS, url=url, prompt=random_ids(70))
    for turn in found:
        difference = max(abs(a - b) for a, b in zip(turn["warm"], turn["cold"], strict=True))
        assert difference < 1e-4
        assert turn["warm"].index(max(turn["warm"])) == turn["cold"].index(max(turn["cold"]))
    return found


def test_a_hybrid_goes_on_as_if_it_had_read_all_again(
    engine_page: EnginePage, engine_server: EngineServer, tiny_granite: Make, artifact: Make
) -> None:
    folder = artifact(tiny_granite(), quantize="q4", context=512)
    found = turns(engine_page, engine_server.add("granite", folder_files(folder)))
    assert any(turn["reused"] > 0 for turn in found)


def test_keys_and_values_are_cut_back_to_any_length(
    engine_page: EnginePage,
    engine_server: EngineServer,
    tiny_model: Callable[[str], Path],
    artifact: Make,
) -> None:
    folder = artifact(tiny_model("llama-gqa-untied"), quantize="q4", context=512)
    for turn in turns(engine_page, engine_server.add("llama", folder_files(folder))):
        assert turn["reused"] >= turn["prompt"] + 5 - 1


def test_a_prompt_in_any_pieces_gives_the_same_logits_to_the_bit(
    engine_page: EnginePage, engine_server: EngineServer, tiny_granite: Make, artifact: Make
) -> None:
    """Blocks of 64 are played whole, in two submits, and dispatch by dispatch."""
    body = (
        OPEN
        + """
      const { usual: pace } = pacesOf(session);
      const { length } = pace.kernels;
      const rows = [];
      const submits = [];
      const original = session.player.play;
      session.player.play = function (...rest) { submits[submits.length - 1] += 1; return original.apply(this, rest); };
      pace.took = () => undefined;
      pace.tokens = (left) => Math.min(left, 64);
      for (const part of [length, Math.ceil(length / 2), 1]) {
        pace.end = (first) => Math.min(length, first + part);
        submits.push(0);
        rows.push(await fresh(args.ids));
      }
      return { rows, submits, dispatches: length };
    """
    )
    folder = artifact(tiny_granite(), quantize="q4", context=512)
    url = engine_server.add("granite", folder_files(folder))
    found = engine_page.run(body, url=url, ids=random_ids(150))
    assert found["rows"][0] == found["rows"][1] == found["rows"][2]
    blocks, head = 3, 1
    assert found["submits"] == [blocks + head, 2 * blocks + head, blocks * found["dispatches"] + head]
