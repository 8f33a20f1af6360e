"""Choices of kernels: timed on the device, remembered for it, told by the caller, and always within the time."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import (
    GATHER,
    A,
    B,
    C,
    choosing_artifact,
    embedding_artifact,
    expected_embedding,
    generation_artifact,
    mix_of,
)
from tests.site.engine_server import EngineServer
from tests.site.engine_session import folder_files
from tests.tiny_granite import random_ids

pytestmark = pytest.mark.browser

# Loads once for each of `tunes`; the page's cache is kept in between.
LOADS = """
  const found = [];
  for (const tune of args.tunes) {
    const model = await engine.load(args.url, { tune: tune ?? undefined });
    const logits = [...await model.logits(args.ids)];
    found.push({ choices: model.info.choices, tuned: model.stats().tuneMs > 0, logits });
    await model.unload();
  }
  return found;
"""
# A device made up: a trial takes `cost * speeds[way]` ms a repeat, and the way there and back half a millisecond.
SIMULATED = """
  const { decideAll } = await import('/engine/choices/tuner.js');
  let now = 0;
  let longest = 0;
  const bench = {
    now: () => now,
    time: async ({ cost, speeds }, way, repeats) => {
      const ms = 0.5 + cost * speeds[way] * repeats;
      now += ms;
      longest = Math.max(longest, ms);
      return ms;
    },
  };
  const families = args.families.map(({ costs, speeds }) =>
    costs.map((cost) => ({ cost, speeds, ways: speeds.map(() => []) })));
  return { found: await decideAll(bench, families), now, longest };
"""
# Whether loads of one adapter ask for a timing: the first, one that finds what the first noted, and after `again`.
ASKING = """
  const { Tuning } = await import('/engine/choices/tuning.js');
  const plan = { choices: { head: ['slow', 'fast'] } };
  let noted = null;
  const note = { read: async () => noted, write: async (what) => { noted = what; } };
  const open = (tune) => Tuning.open(plan, tune, note, args.software);
  const first = await open('auto');
  await first.remember({ head: 'slow' });
  const known = await open('auto');
  const again = await open('again');
  return [first, known, again].map(({ picks, played }) => [picks, played]);
"""
SLOW = {"head": "slow", "other": "one"}
# The tests' adapter is a fallback, which has the last way of what is not timed; no dispatch is of the family `other`.
FAST = {"head": "fast", "other": "two"}


def loads(page: EnginePage, server: EngineServer, *tunes: object) -> Any:
    url = server.add("choosing", choosing_artifact([A, B, C]).files())
    found = page.run(LOADS, url=url, tunes=list(tunes), ids=[A, B])
    expected = [mix_of([A, B]) + (1000 if token == B else 0) for token in range(12)]
    assert all(each["logits"] == expected for each in found), "a choice changes nothing but the speed"
    return [(each["choices"], each["tuned"]) for each in found]


def test_the_fastest_is_found_once_and_remembered(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """A family that no dispatch has is never known, and costs no load its time."""
    found = loads(engine_page, engine_server, "again", "auto", None)
    assert found == [(FAST, True), (FAST, False), (FAST, False)]


def test_an_adapter_made_of_software_is_not_timed_unless_told(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """To compile what is not played takes it longer than the rest of a load."""
    assert loads(engine_page, engine_server, None, "auto") == [(FAST, False)] * 2


def test_a_gpu_is_timed_at_its_first_load_only(engine_page: EnginePage) -> None:
    slow, fast = {"head": "slow"}, {"head": "fast"}
    assert engine_page.run(ASKING, software=False) == [[{}, slow], [slow, slow], [{}, slow]]
    assert engine_page.run(ASKING, software=True) == [[fast, fast], [slow, slow], [{}, fast]]


def test_the_caller_has_the_last_word(engine_page: EnginePage, engine_server: EngineServer) -> None:
    told = {"head": "slow", "other": "two"}
    found = loads(engine_page, engine_server, "off", told, "auto", told)
    assert found[0] == (SLOW, False)
    assert found[1] == (told, False)
    assert found[2][0] == FAST
    assert found[3] == (told, False)


def test_what_is_remembered_is_not_timed_again_and_may_be_forgotten(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = choosing_artifact([A])
    del artifact.plan["choices"]["other"]
    url = engine_server.add("tiny", artifact.files())
    body = """
      const tuned = [];
      const { Library } = await import('/engine/storage/library.js');
      const { openStore } = await import('/engine/storage/store.js');
      const notes = async () => {
        const readings = await new Library(await openStore()).readings();
        const keys = readings.flatMap(({ record }) => Object.keys(record.notes));
        return keys.filter((key) => key.includes('tuned')).length;
      };
      for (const tune of ['again', 'auto', 'again', 'off']) {
        const model = await engine.load(args.url, { tune });
        tuned.push(model.stats().tuneMs > 0);
        await model.unload();
      }
      const before = await notes();
      await engine.forget(args.url);
      return [...tuned, before, await notes()];
    """
    assert engine_page.run(body, url=url) == [True, False, True, False, 1, 0]


def test_a_plan_without_choices_loads_no_tuner(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", generation_artifact([A]).files())
    body = """
      const model = await engine.load(args.url);
      return [model.info.choices, model.stats().tuneMs];
    """
    assert engine_page.run(body, url=url) == [{}, 0]


@pytest.mark.parametrize("tune", [{"head": "fastest"}, {"constructor": "slow"}, {"body": "slow"}])
def test_a_choice_that_there_is_not_is_refused_with_those_that_there_are(
    engine_page: EnginePage, engine_server: EngineServer, tune: dict[str, str]
) -> None:
    url = engine_server.add("choosing", choosing_artifact([A]).files())
    error = engine_page.fails("await engine.load(args.url, { tune: args.tune })", url=url, tune=tune)
    assert error["code"] == "BAD_ARGUMENT"
    assert '"head":["slow","fast"]' in error["message"]


@pytest.mark.parametrize("tune", ["fast", 3, {"head": 3}, True])
def test_what_is_no_choice_at_all_is_refused(engine_page: EnginePage, tune: object) -> None:
    error = engine_page.fails("await engine.load('/models/none/', { tune: args.tune })", tune=tune)
    assert error["code"] == "BAD_ARGUMENT"


def simulated(page: EnginePage, *families: tuple[list[float], list[float]]) -> Any:
    """Families as (costs of the candidates, speeds of the ways)."""
    given = [{"costs": costs, "speeds": speeds} for costs, speeds in families]
    return page.run(SIMULATED, families=given)


@pytest.mark.parametrize("unit", [0.001, 0.05, 1, 8, 30])
def test_a_device_of_any_speed_is_tuned_within_the_time(engine_page: EnginePage, unit: float) -> None:
    """`unit` is what the lightest candidate takes, in ms: from a large GPU to an adapter made of software."""
    costs = [unit, unit * 4, unit * 12]
    done = simulated(engine_page, (costs, [1, 0.6]), (costs, [1, 1.2, 0.8]))
    assert done["now"] < 240 + done["longest"]
    assert done["now"] < 300
    if unit < 8:
        assert done["found"] == [1, 2]
    assert done["found"][0] in (1, None)


def test_a_trial_longer_than_the_time_leaves_the_default(engine_page: EnginePage) -> None:
    done = simulated(engine_page, ([400], [1, 0.5]), ([1], [1, 0.5]))
    assert done["found"] == [None, 1]
    assert done["now"] < 240


def test_a_gain_within_the_noise_keeps_the_default(engine_page: EnginePage) -> None:
    assert simulated(engine_page, ([1], [1, 0.99, 0.98]))["found"] == [0]


def test_every_way_of_a_real_plan_says_the_same(
    engine_page: EnginePage,
    engine_server: EngineServer,
    tiny_granite: Callable[..., Path],
    artifact: Callable[..., Path],
) -> None:
    folder = artifact(tiny_granite(), quantize="q4", context=512)
    choices = json.loads((folder / "plan.base.json").read_text())["choices"]
    body = """
      const model = await engine.load(args.url, { tune: args.tune });
      const logits = [...await model.logits(args.ids, { split: [62, 8] })];
      const ids = [];
      for await (const { id } of model.generate('The wind', { maxTokens: 24, temperature: 0 })) ids.push(id);
      const { choices } = model.info;
      await model.unload();
      return { logits, ids, choices };
    """
    url = engine_server.add("granite", folder_files(folder))
    ids = random_ids(70)
    default = engine_page.run(body, url=url, ids=ids, tune="off")
    assert default["choices"] == {family: names[0] for family, names in choices.items()}
    for family, name in [(family, name) for family, names in choices.items() for name in names[1:]]:
        other = engine_page.run(body, url=url, ids=ids, tune={family: name})
        assert other["choices"][family] == name
        assert other["ids"] == default["ids"]
        assert max(abs(a - b) for a, b in zip(other["logits"], default["logits"], strict=True)) < 1e-4


def test_few_tokens_are_played_as_the_plan_says_for_them(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """Up to 8 tokens, in the way that is picked for them; here it leaves a mark on the result."""
    artifact = embedding_artifact()
    plan, dispatch = artifact.plan, artifact.plan["phases"]["encode"][0]
    plan["shaders"]["marked"] = GATHER.replace("] = value", "] = 100.0 + value")
    assert plan["shaders"]["marked"] != GATHER
    plan["kernels"].append({**plan["kernels"][dispatch["kernel"]], "shader": "marked"})
    plan["choices"] = {"gather-few": ["plain", "marked"]}
    call = {"kernel": dispatch["kernel"], "grid": dispatch["grid"], "choice": "gather-few"}
    dispatch["few"] = {**call, "or": [{"kernel": len(plan["kernels"]) - 1, "grid": dispatch["grid"]}]}
    url = engine_server.add("few", artifact.files())
    body = """
      const model = await engine.load(args.url, { tune: { 'gather-few': args.way } });
      const one = async (texts) => (await model.embed(texts)).map(({ data }) => data[1]);
      return [...await one(['wind wind wind wind wind wind']), ...await one(['wind wind wind', 'wind wind'])];
    """
    wind, (first, last) = 9, (2, 3)
    plain = [expected_embedding([first, *[wind] * count, last])[1] for count in (6, 3, 2)]
    assert engine_page.run(body, url=url, way="plain") == pytest.approx(plain)
    assert engine_page.run(body, url=url, way="marked") == pytest.approx([100 + plain[0], *plain[1:]])
