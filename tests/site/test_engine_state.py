"""States that are saved and put back: the same answers, nothing read twice, and only a whole state of its own."""

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.adapters import make_adapter
from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import A, Artifact, B, C, Json, embedding_artifact, generation_artifact
from tests.site.engine_server import EngineServer
from tests.site.engine_session import folder_files
from tests.site.gpu_losses import FAULTS, INJECT
from tests.tiny_adapters import GRANITE_TARGETS
from tests.tiny_granite import CORPUS

pytestmark = pytest.mark.browser

Make = Callable[..., Path]
READ, CONTEXT = " ".join(CORPUS[:3]), 256
MORE = " The lightest thing that travels"
PROMPT, GOING_ON = "abaabbab", "abaabbabac"
SCRIPT = [A] * len(PROMPT) + [B, A, B, B, C, A]
# magic, version and the head's length before the head; SHA-256 behind everything
PREFACE, DIGEST = 16, 32

ANSWER = """
  const answer = async (model, prompt, options = {}) => {
    const ids = [];
    for await (const { id } of model.generate(prompt, { maxTokens: 6, temperature: 0, ...options })) ids.push(id);
    return { ids, ...model.stats().generation };
  };
  const asked = (promise) => promise.then(() => null, (error) => [error.code, error.fields.reason ?? null]);
  const listed = (state) => [...new Uint8Array(state)];
"""
# The state after `read` goes to a model of another load; what it says then, and one that has read nothing before.
MOVED = (
    ANSWER
    + """
  const first = await engine.load(args.url, { tune: 'off' });
  await answer(first, args.read, { maxTokens: 1 });
  const { promptTokens } = first.stats().generation;
  const state = await first.saveState();
  const stayed = await answer(first, args.read + args.more);
  await first.unload();
  const second = await engine.load(args.url, { tune: 'off' });
  const fresh = await answer(second, args.read + args.more);
  await answer(second, args.more);
  const tokens = await second.restoreState(state);
  const moved = await answer(second, args.read + args.more);
  await second.unload();
  return { promptTokens, tokens, stayed, fresh, moved, bytes: state.byteLength };
"""
)


@pytest.mark.parametrize("name", ["granite", "llama-gqa-untied", "mistral-window"])
def test_a_state_goes_to_another_load_of_the_model(
    engine_page: EnginePage,
    engine_server: EngineServer,
    tiny_granite: Make,
    tiny_model: Callable[[str], Path],
    artifact: Make,
    name: str,
) -> None:
    """Keys and values, with and without a window, and the states of convolutions and scans."""
    checkpoint = tiny_granite() if name == "granite" else tiny_model(name)
    folder = artifact(checkpoint, quantize="q4", context=CONTEXT)
    url = engine_server.add(name, folder_files(folder))
    found = engine_page.run(MOVED, url=url, read=READ, more=MORE)
    assert found["moved"]["ids"] == found["fresh"]["ids"] == found["stayed"]["ids"]
    assert found["fresh"]["reusedTokens"] == 0
    assert found["tokens"] == found["promptTokens"] > 32
    assert found["moved"]["reusedTokens"] == found["stayed"]["reusedTokens"] == found["tokens"]
    states = json.loads((folder / "plan.base.json").read_text())["memory"]["states"]
    if name != "granite":
        used = states * found["tokens"] / CONTEXT
        assert used <= found["bytes"] < used + found["tokens"] * 4 + 1024, "only what was read is saved"
    assert found["bytes"] < states + found["tokens"] * 4 + 1024


def tiny() -> Artifact:
    return generation_artifact(SCRIPT, context=32)


def test_a_damaged_state_is_refused_and_changes_nothing(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """A bit of every byte, and every length that is too short."""
    body = (
        ANSWER
        + """
      const model = await engine.load(args.url);
      await answer(model, args.prompt, { maxTokens: 1 });
      const bytes = new Uint8Array(await model.saveState());
      await answer(model, args.prompt);
      const codes = new Map();
      const note = async (state) => {
        const key = String(await asked(model.restoreState(state)));
        codes.set(key, (codes.get(key) ?? 0) + 1);
      };
      for (let at = 0; at < bytes.length; at++) {
        const flipped = bytes.slice();
        flipped[at] ^= 1 << (at % 8);
        await note(flipped);
        await note(bytes.subarray(0, at));
      }
      await note(new Uint8Array([...bytes, 0]));
      const { reusedTokens } = await answer(model, args.longer);
      const tokens = await model.restoreState(bytes);
      await model.unload();
      return { codes: [...codes], reusedTokens, size: bytes.length, tokens };
    """
    )
    url = engine_server.add("tiny", tiny().files())
    said = "".join("ab c"[[A, B, -1, C].index(token)] for token in SCRIPT[len(PROMPT) - 1 :][:6])
    found = engine_page.run(body, url=url, prompt=PROMPT, longer=PROMPT + said + "b")
    codes = dict(found["codes"])
    assert codes == {
        "STATE_INVALID,damaged": 2 * found["size"] + 1 - 4,
        "STATE_INVALID,version": 4,
    }
    assert found["reusedTokens"] == len(PROMPT) + 5, "what the model held before, it holds still"
    assert found["tokens"] == len(PROMPT)


def _head(state: bytes) -> Json:
    (length,) = struct.unpack_from("<I", state, 12)
    head: Json = json.loads(state[PREFACE : PREFACE + length])
    return head


def forged(state: bytes, ids: list[int] | None = None, **changes: object) -> list[int]:
    """The state with another head, and other ids if told; its SHA-256 is right."""
    (length,) = struct.unpack_from("<I", state, 12)
    old = _head(state)
    head = {**old, **changes}
    if ids is not None:
        head["tokens"] = len(ids)
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 4)
    body = state[PREFACE + length : -DIGEST]
    if ids is not None:
        body = struct.pack(f"<{len(ids)}I", *ids) + body[old["tokens"] * 4 :]
    whole = state[:12] + struct.pack("<I", len(text)) + text + body
    return sealed(whole)


def sealed(whole: bytes) -> list[int]:
    return list(whole + hashlib.sha256(whole).digest())


SAVING = (
    ANSWER
    + """
  const model = await engine.load(args.url, { tier: args.tier });
  await answer(model, args.prompt);
  const state = listed(await model.saveState());
  await model.unload();
  return state;
"""
)
RESTORING = (
    ANSWER
    + """
  const model = await engine.load(args.url, { tier: 'base' });
  const found = {};
  for (const [name, state] of Object.entries(args.states)) {
    found[name] = await asked(model.restoreState(Uint8Array.from(state)));
  }
  await model.unload();
  return found;
"""
)


def test_a_state_that_is_whole_and_not_this_models_is_refused(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = tiny()
    artifact.extra_plans["subgroups"] = {**artifact.plan, "tier": "subgroups"}
    url = engine_server.add("tiny", artifact.files())
    other = engine_server.add("other", generation_artifact([*SCRIPT, A], context=32).files())
    state = bytes(engine_page.run(SAVING, url=url, tier="base", prompt=PROMPT))
    head = _head(state)
    states = {
        "itself": list(state),
        "forged as it was": forged(state),
        "other tier": engine_page.run(SAVING, url=url, tier="subgroups", prompt=PROMPT),
        "other model": engine_page.run(SAVING, url=other, tier="base", prompt=PROMPT),
        "longer than the context": forged(state, ids=[A] * 33),
        "no such token": forged(state, ids=[A, 99]),
        "fewer buffers": forged(state, parts=head["parts"][:-1]),
        "other buffers": forged(state, parts=[4, *head["parts"][1:], head["parts"][0] - 4]),
        "snapshot of more": forged(state, saved=head["tokens"] + 1),
        "no number": forged(state, tokens="eight"),
        "no head": sealed(state[:PREFACE] + b"?" + state[PREFACE + 1 : -DIGEST]),
        "less than it says": sealed(state[: -DIGEST - 4]),
    }
    assert engine_page.run(RESTORING, url=url, states=states) == {
        "itself": None,
        "forged as it was": None,
        "other tier": ["STATE_INVALID", "tier"],
        "other model": ["STATE_INVALID", "model"],
        "longer than the context": ["STATE_INVALID", "too-long"],
        **{
            name: ["STATE_INVALID", "damaged"]
            for name in (
                "no such token",
                "fewer buffers",
                "other buffers",
                "snapshot of more",
                "no number",
                "no head",
                "less than it says",
            )
        },
    }


def test_a_state_of_nothing_is_a_state(engine_page: EnginePage, engine_server: EngineServer) -> None:
    body = (
        ANSWER
        + """
      const model = await engine.load(args.url);
      const empty = await model.saveState();
      const usual = await answer(model, args.prompt);
      const tokens = await model.restoreState(new Blob([empty]));
      const again = await answer(model, args.prompt);
      await model.unload();
      return { tokens, usual: usual.ids, again: again.ids, reused: again.reusedTokens };
    """
    )
    url = engine_server.add("tiny", tiny().files())
    found = engine_page.run(body, url=url, prompt=PROMPT)
    assert (found["tokens"], found["reused"]) == (0, 0)
    assert found["again"] == found["usual"]


def test_calls_wait_for_the_answer_under_way_and_heed_a_signal(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    body = (
        ANSWER
        + """
      const model = await engine.load(args.url);
      await answer(model, args.prompt, { maxTokens: 1 });
      const early = await model.saveState();
      const aborter = new AbortController();
      let late;
      let dropped;
      const ids = [];
      for await (const { id } of model.generate(args.prompt, { maxTokens: 5, temperature: 0 })) {
        ids.push(id);
        if (ids.length > 1) continue;
        late = model.saveState();
        const { signal } = aborter;
        dropped = [asked(model.saveState({ signal })), asked(model.restoreState(early, { signal }))];
        aborter.abort();
      }
      const codes = [...await Promise.all(dropped), await asked(model.saveState({ signal: AbortSignal.abort() }))];
      const { reusedTokens } = await answer(model, args.prompt + args.said);
      const held = [await model.restoreState(await late), await model.restoreState(early)];
      await model.unload();
      const gone = [await asked(model.saveState()), await asked(model.restoreState(early))];
      return { ids, codes, reusedTokens, held, gone };
    """
    )
    url = engine_server.add("tiny", tiny().files())
    found = engine_page.run(body, url=url, prompt=PROMPT, said="abababab")
    assert found["held"] == [len(PROMPT) + 4, len(PROMPT)], "the whole answer but its last token"
    assert found["codes"] == [["ABORTED", None]] * 3
    assert found["gone"] == [["UNLOADED", None]] * 2


def test_what_is_no_state_or_no_generator_is_said_at_once(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    body = (
        ANSWER
        + """
      const model = await engine.load(args.url);
      const state = await model.saveState();
      const { buffer: given } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      const strange = [undefined, null, 'state', [1], {}, given, new Uint8Array(given)];
      const calls = strange.map((each) => asked(model.restoreState(each)));
      const signals = [asked(model.saveState({ signal: 1 })), asked(model.restoreState(state, { signal: 1 }))];
      const reader = await engine.load(args.reader);
      const strangers = [asked(reader.saveState()), asked(reader.restoreState(state))];
      const codes = (await Promise.all([...calls, ...signals, ...strangers])).map(([code]) => code);
      const kept = state.byteLength;
      await model.unload();
      await reader.unload();
      return { codes, kept };
    """
    )
    urls = {
        "url": engine_server.add("tiny", tiny().files()),
        "reader": engine_server.add("reader", embedding_artifact().files()),
    }
    found = engine_page.run(body, **urls)
    assert found["codes"] == ["BAD_ARGUMENT"] * 11
    assert found["kept"] > PREFACE + DIGEST


def test_a_loss_of_the_gpu_changes_no_state(engine_page: EnginePage, engine_server: EngineServer) -> None:
    """Lost before and while a state is saved or put back: what it held is read again on another device."""
    body = (
        INJECT
        + ANSWER
        + """
      inject();
      const model = await engine.load(args.url);
      const usual = await answer(model, args.longer);
      const found = [];
      for (const fatal of args.saving) {
        await answer(model, args.prompt, { maxTokens: 1 });
        await arm(fatal);
        const state = await model.saveState();
        await answer(model, 'b');
        const tokens = await model.restoreState(state);
        found.push([tokens, await answer(model, args.longer)]);
      }
      await answer(model, args.prompt, { maxTokens: 1 });
      const state = await model.saveState();
      for (const fatal of args.restoring) {
        await answer(model, 'b');
        await arm(fatal);
        const tokens = await model.restoreState(state);
        found.push([tokens, await answer(model, args.longer)]);
      }
      const { recoveries } = model.stats();
      await model.unload();
      return { usual, found, recoveries };
    """
    )
    saving = [("createBuffer", 0), ("popErrorScope", 0), ("submit", 0), ("mapAsync", 0)]
    restoring = [("writeBuffer", 0), ("onSubmittedWorkDone", 0)]
    points = {
        "saving": [{"name": name, "after": after} for name, after in saving],
        "restoring": [{"name": name, "after": after} for name, after in restoring],
    }
    url = engine_server.add("tiny", tiny().files())
    found = engine_page.run(body, url=url, prompt=PROMPT, longer=GOING_ON, faults=FAULTS, **points)
    assert len(found["recoveries"]) == len(saving) + len(restoring)
    for tokens, answer in found["found"]:
        assert answer["ids"] == found["usual"]["ids"]
        assert answer["reusedTokens"] == tokens == len(PROMPT)


def test_a_state_belongs_to_the_adapter_that_was_on(
    engine_page: EnginePage,
    engine_server: EngineServer,
    tiny_granite: Make,
    artifact: Make,
    adapters: Make,
    tmp_path: Path,
) -> None:
    base = artifact(tiny_granite(), quantize="f32", context=512)
    peft = adapters(tiny_granite(), GRANITE_TARGETS, r=5, size=0.05)
    made = make_adapter(base, peft, tmp_path / "made").folder
    body = (
        ANSWER
        + """
      const model = await engine.load(args.base, { tune: 'off', tier: 'base' });
      const states = [];
      for (const url of [null, args.adapter]) {
        await model.setAdapter(url);
        await answer(model, args.prompt, { maxTokens: 1 });
        states.push(await model.saveState());
      }
      const usual = await answer(model, args.prompt + args.more);
      const refused = await asked(model.restoreState(states[0]));
      await model.setAdapter(null);
      const refusedToo = await asked(model.restoreState(states[1]));
      await model.setAdapter(args.adapter);
      const tokens = await model.restoreState(states[1]);
      const again = await answer(model, args.prompt + args.more);
      await model.unload();
      return { refused: [refused, refusedToo], tokens, usual, again };
    """
    )
    urls = {
        "base": engine_server.add("base", folder_files(base)),
        "adapter": engine_server.add("adapter", folder_files(made)),
    }
    found = engine_page.run(body, prompt=CORPUS[0], more=MORE, **urls)
    assert found["refused"] == [["STATE_INVALID", "model"]] * 2
    assert found["again"]["ids"] == found["usual"]["ids"]
    assert found["again"]["reusedTokens"] == found["tokens"] > 0
