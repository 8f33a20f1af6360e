"""A GPU that is lost at any point: the model goes on with another, and its caller sees no other token for it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from exporter.adapters import make_adapter
from tests.site.conftest import EnginePage
from tests.site.encoder_artifacts import reader_artifact
from tests.site.engine_artifacts import E1, E2, SPACE, A, B, C, embedding_artifact, generation_artifact
from tests.site.engine_server import EngineServer, Fault
from tests.site.engine_session import folder_files
from tests.site.gpu_losses import FAULTS, INJECT, SAY, crashing
from tests.tiny_adapters import GRANITE_TARGETS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

Make = Callable[..., Path]
PROMPT, TOKENS = "cabab", 12
SCRIPT = [0, 0, 0, 0, A, SPACE, E1, E2, B, C, A, SPACE, B, E1, E2, C]
# A ring of one makes each token a submit of its own, and so each can be the last that a GPU says.
RING = 1
GIVEN = {"faults": FAULTS, "prompt": PROMPT, "tokens": TOKENS}
GIVEN_ADAPTED = {**GIVEN, "prompt": "The lightest thing", "tokens": 6}

# (call, how many of it come before the one that kills); after 15 popErrorScope and 1 submit the first play begins
LOADING = [
    *(("createBuffer", n) for n in (0, 6, 12)),
    *(("popErrorScope", n) for n in (0, 3, 5, 9)),
    *(("createShaderModule", n) for n in (0, 3)),
    *(("createComputePipelineAsync", n) for n in (0, 3)),
    *(("createBindGroup", n) for n in (0, 3)),
    *((name, 0) for name in ("writeBuffer", "submit", "onSubmittedWorkDone")),
    *((name, 1) for name in ("writeBuffer", "submit", "onSubmittedWorkDone")),
]
SAYING = [
    *(("writeBuffer", n) for n in range(6)),
    *(("submit", n) for n in range(2 + TOKENS)),
    *(("onSubmittedWorkDone", n) for n in range(2)),
    *(("mapAsync", n) for n in range(TOKENS)),
]


def losses(points: list[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"name": name, "after": after} for name, after in points]


def test_a_loss_while_loading_is_only_a_wait(engine_page: EnginePage, engine_server: EngineServer) -> None:
    body = (
        INJECT
        + SAY
        + """
      const found = [];
      for (const fatal of [null, ...args.points]) {
        args.fatal = fatal;
        inject();
        const shown = [];
        const model = await engine.load(args.url, { onProgress: ({ loaded, total }) => shown.push(loaded, total) });
        found.push({ ...await say(model), ...model.stats(), shown });
        await model.unload();
        await engine.forget(args.url);
      }
      return found;
    """
    )
    artifact = generation_artifact(SCRIPT, ring=RING)
    url = engine_server.add("tiny", artifact.files())
    usual, *found = engine_page.run(body, url=url, points=losses(LOADING), **GIVEN)
    assert (usual["ids"], usual["recoveries"]) == (SCRIPT[4:], [])
    for point, one in zip(LOADING, found, strict=True):
        assert (one["ids"], one["text"]) == (usual["ids"], usual["text"]), point
        assert [recovery["ms"] > 0 for recovery in one["recoveries"]] == [True], point
        assert one["networkBytes"] == artifact.download_bytes(), point
        assert one["shown"][::2] == sorted(one["shown"][::2]), point
        assert max(one["shown"]) == artifact.download_bytes(), point


def test_what_an_abandoned_try_still_brings_moves_no_screen(engine_page: EnginePage) -> None:
    body = """
      const { Progress } = await import('/engine/progress.js');
      const shown = [];
      const first = new Progress(({ loaded }) => shown.push(loaded), 10);
      first.add(4);
      const second = first.again();
      second.add(6);
      first.add(6);
      first.fetched += 10;
      second.add(4);
      return { shown, networkBytes: second.networkBytes };
    """
    assert engine_page.run(body) == {"shown": [4, 6, 10], "networkBytes": 10}


@pytest.mark.parametrize("options", [{}, {"temperature": 0.8, "seed": 7, "topK": 3}])
def test_a_loss_at_any_token_changes_none(
    engine_page: EnginePage, engine_server: EngineServer, options: dict[str, Any]
) -> None:
    body = (
        INJECT
        + SAY
        + """
      inject();
      const model = await engine.load(args.url);
      const usual = await say(model, args.options);
      await fetch(args.url + 'mark');
      const found = [];
      for (const fatal of args.points) {
        await model.logits([2]);
        await arm(fatal);
        const said = await say(model, args.options);
        found.push({ ...said, ...model.stats() });
      }
      await model.unload();
      return [usual, found];
    """
    )
    url = engine_server.add("tiny", generation_artifact(SCRIPT, ring=RING).files())
    usual, found = engine_page.run(body, url=url, points=losses(SAYING), options=options, **GIVEN)
    assert len(usual["ids"]) == TOKENS
    assert options or usual["ids"] == SCRIPT[4:]
    for count, (point, one) in enumerate(zip(SAYING, found, strict=True), 1):
        assert (one["ids"], one["text"]) == (usual["ids"], usual["text"]), point
        assert len(one["recoveries"]) == count, point
        assert one["generation"]["tokens"] == TOKENS, point
        assert one["generation"]["promptTokens"] == len(PROMPT), point
    times = sorted(recovery["ms"] for recovery in found[-1]["recoveries"])
    print(f"{len(times)} recoveries: median {times[len(times) // 2]:.0f} ms, longest {times[-1]:.0f} ms")
    assert [seen.path for seen in engine_server.seen][-1] == "/models/tiny/mark", "nothing is fetched again"


def test_texts_are_read_again(engine_page: EnginePage, engine_server: EngineServer) -> None:
    body = (
        INJECT
        + """
      const found = [];
      for (const [name, url] of Object.entries(args.urls)) {
        inject();
        const model = await engine.load(url);
        const read = async () => (name === 'classify' ? model.classify(args.texts)
          : (await model.embed(args.texts)).map(({ data }) => [...data]));
        const usual = await read();
        for (const fatal of args.points) {
          await arm(fatal);
          found.push(JSON.stringify(await read()) === JSON.stringify(usual));
        }
        found.push(model.stats().recoveries.length);
        await model.unload();
      }
      return found;
    """
    )
    points = [
        ("writeBuffer", 0),
        ("writeBuffer", 3),
        ("submit", 0),
        ("submit", 1),
        ("mapAsync", 0),
        ("mapAsync", 1),
    ]
    artifacts = {"embed": embedding_artifact(), "classify": reader_artifact("text-classification")}
    urls = {name: engine_server.add(name, artifact.files()) for name, artifact in artifacts.items()}
    texts = ["thistle down", "far", "wind", "floats far", "down wind", "far far"]
    found = engine_page.run(body, urls=urls, points=losses(points), texts=texts, **GIVEN)
    assert found == [*[True] * len(points), len(points)] * 2


@pytest.fixture
def adapted(
    engine_server: EngineServer, tiny_granite: Make, artifact: Make, adapters: Make, tmp_path: Path
) -> dict[str, str]:
    """The addresses of a base and of an adapter over it."""
    base = artifact(tiny_granite(), quantize="f32", context=512)
    peft = adapters(tiny_granite(), GRANITE_TARGETS, r=5, size=0.05)
    made = make_adapter(base, peft, tmp_path / "made").folder
    return {
        name: engine_server.add(name, folder_files(at)) for name, at in (("base", base), ("adapter", made))
    }


def test_an_adapter_is_put_on_again(
    engine_page: EnginePage, engine_server: EngineServer, adapted: dict[str, str]
) -> None:
    body = (
        INJECT
        + SAY
        + """
      inject();
      const model = await engine.load(args.base, { tune: 'off', tier: 'base' });
      const plain = (await say(model)).ids;
      const sampled = { temperature: 1, seed: 5 };
      await model.setAdapter(args.adapter);
      const usual = [(await say(model)).ids, (await say(model, sampled)).ids];
      await fetch(args.base + 'mark');
      const found = [];
      for (const fatal of args.points) {
        await arm(fatal);
        found.push([(await say(model)).ids, (await say(model, sampled)).ids]);
      }
      await model.setAdapter(null);
      const off = (await say(model)).ids;
      const { recoveries, canaryMs } = model.stats();
      await model.unload();
      return { plain, usual, found, off, recoveries, canaryMs };
    """
    )
    points = [("submit", 0), ("mapAsync", 1)]
    found = engine_page.run(body, points=losses(points), **adapted, **GIVEN_ADAPTED)
    assert found["canaryMs"] > 0
    assert found["usual"][0] != found["plain"]
    assert found["found"] == [found["usual"]] * len(points)
    assert found["off"] == found["plain"]
    assert len(found["recoveries"]) == len(points)
    assert [seen.path for seen in engine_server.seen][-1] == "/models/base/mark", "nothing is fetched again"


def test_an_adapter_that_is_nowhere_any_more_comes_off(
    engine_page: EnginePage, engine_server: EngineServer, adapted: dict[str, str]
) -> None:
    """Until then calls say why it cannot be had again, and none is answered by the base in its place."""
    load = (
        INJECT
        + SAY
        + """
      inject();
      const model = await engine.load(args.base, { tune: 'off', tier: 'base' });
      const found = [(await say(model)).ids];
      await model.setAdapter(args.adapter);
      found.push((await say(model)).ids);
      const outcome = (call) => call.then((said) => said?.ids ?? null, ({ code }) => code);
      const lose = async () => {
        await engine.forget(args.adapter);
        await arm({ name: 'submit', after: 0 });
        return outcome(say(model));
      };
      globalThis.held = { model, say: () => outcome(say(model)), put: (url) => outcome(model.setAdapter(url)), lose };
      return found;
    """
    )
    lost = """
      const { model, lose, say, put } = globalThis.held;
      return [await lose(), await put(args.nowhere), model.adapter.url, await say()];
    """
    off = """
      const { model, lose, say, put } = globalThis.held;
      const found = [await lose(), await put(null), await say()];
      await model.unload();
      return found;
    """
    plain, worn = engine_page.run(load, **adapted, **GIVEN_ADAPTED)
    assert plain != worn
    shard = next(path for path in engine_server.files if "/adapter/" in path and path.endswith(".bin"))
    missing = Fault(shard, "missing")
    nowhere = adapted["base"] + "nowhere/"
    engine_server.faults.append(missing)
    assert engine_page.run(lost, nowhere=nowhere, **adapted) == [
        "FILE_MISSING",
        "FILE_MISSING",
        adapted["adapter"],
        "FILE_MISSING",
    ]
    engine_server.faults.remove(missing)
    assert engine_page.run("return globalThis.held.say()") == worn
    engine_server.faults.append(missing)
    assert engine_page.run(off, **adapted) == ["FILE_MISSING", None, plain]


def test_what_kills_every_gpu_is_given_up(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", generation_artifact(SCRIPT, ring=RING).files())
    body = (
        INJECT
        + SAY
        + """
      const codeOf = (promise) => promise.then(() => null, (error) => error.code);
      inject();
      const model = await engine.load(args.url);
      await arm({ name: 'submit', after: 3, times: 99, again: 1 });
      const codes = [await codeOf(say(model))];
      const { recoveries } = model.stats();
      await arm(null);
      codes.push(await codeOf(model.logits([2])));
      await model.unload();
      args.fatal = { name: 'submit', after: 0, times: 99 };
      inject();
      codes.push(await codeOf(engine.load(args.url)));
      const again = await engine.load(args.url);
      const said = await say(again);
      const { networkBytes } = again.stats();
      await again.unload();
      return { codes, recoveries, said, networkBytes };
    """
    )
    found = engine_page.run(body, url=url, **GIVEN)
    assert found["codes"] == ["DEVICE_LOST"] * 3
    assert len(found["recoveries"]) == 3
    assert (found["said"]["ids"], found["networkBytes"]) == (SCRIPT[4:], 0)


def test_an_abort_while_another_gpu_is_opened_is_an_abort(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", generation_artifact(SCRIPT, ring=RING).files())
    body = (
        INJECT
        + SAY
        + """
      inject();
      const model = await engine.load(args.url);
      const aborter = new AbortController();
      await arm({ name: 'mapAsync', after: 2 });
      const abort = async (count) => { if (count === 2) aborter.abort(); };
      const code = await say(model, { signal: aborter.signal }, abort).catch((error) => error.code);
      const said = await say(model);
      await model.unload();
      return [code, said.ids];
    """
    )
    assert engine_page.run(body, url=url, **GIVEN) == ["ABORTED", SCRIPT[4:]]


def test_crashes_of_the_gpu_process_change_no_token(
    chromium_path: Path, browser: "Browser", engine_server: EngineServer
) -> None:
    """Every token of an answer is the last before a crash once, and a load has one, too."""
    url = engine_server.add("tiny", generation_artifact(SCRIPT, ring=RING).files())
    body = (
        SAY
        + """
      let model = await engine.load(args.url);
      const found = [(await say(model)).ids];
      for (let at = 1; at <= 6; at++) {
        const crashAt = async (count) => { if (count === at) await crashGpu(); };
        found.push((await say(model, {}, crashAt)).ids);
      }
      const { recoveries } = model.stats();
      await model.unload();
      let left = 1;
      const onProgress = ({ stage }) => { if (stage === 'download' && left-- > 0) crashGpu(); };
      model = await engine.load(args.url, { onProgress });
      found.push((await say(model)).ids);
      await model.unload();
      return { found, recoveries };
    """
    )
    with crashing(browser, chromium_path, engine_server.origin, blocks=False) as page:
        result = page.run(body, url=url, **GIVEN)
    assert result["found"] == [SCRIPT[4:]] * 8
    assert len(result["recoveries"]) >= 5
    assert max(recovery["ms"] for recovery in result["recoveries"]) < 10_000


def test_a_browser_that_gives_the_gpu_no_more_is_told_apart(
    chromium_path: Path, browser: "Browser", engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", generation_artifact(SCRIPT, ring=RING).files())
    body = (
        SAY
        + """
      const codeOf = (promise) => promise.then(() => null, (error) => error.code);
      const model = await engine.load(args.url);
      const codes = [];
      for (let i = 0; i < 4; i++) {
        await crashGpu();
        await new Promise((resolve) => setTimeout(resolve, 300));
        codes.push(await codeOf(model.logits([2])));
      }
      codes.push(await codeOf(engine.load(args.url)), (await engine.inspect(args.url)).code);
      return codes;
    """
    )
    with crashing(browser, chromium_path, engine_server.origin, blocks=True) as page:
        assert page.run(body, url=url, **GIVEN) == [None, *["GPU_BLOCKED"] * 5]


def test_memory_that_runs_out_leaves_the_gpu_as_it_was(engine_page: EnginePage) -> None:
    body = """
      const { Device } = await import('/engine/device.js');
      const device = await Device.open([], { maxBufferSize: 2 ** 30 });
      const [usage, size] = [GPUBufferUsage.STORAGE, 2 ** 30];
      const codes = [];
      for (let i = 0; i < 3; i++) {
        const wanted = Array.from({ length: 64 }, () => ({ size, usage }));
        await device.makeBuffers('too much', wanted).catch(({ code }) => codes.push(code));
      }
      await device.guarded('thrown', () => { throw new Error('thrown'); }).catch(({ message }) => codes.push(message));
      const [one] = await device.makeBuffers('one', [{ size: 2 ** 20, usage }]);
      device.check();
      device.destroy();
      return [...codes, one.size];
    """
    assert engine_page.run(body) == [*["OUT_OF_MEMORY"] * 3, "thrown", 2**20]
