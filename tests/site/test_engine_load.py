"""Loading: what is fetched, when, how often, and what `load` and `inspect` say about it."""

import copy
import hashlib
import json
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import (
    EMBED_SEQUENCES,
    WIDTH,
    Artifact,
    embedding_artifact,
    generation_artifact,
)
from tests.site.engine_server import EngineServer, Fault

pytestmark = pytest.mark.browser

LOAD = """
  const events = [];
  const model = await engine.load(args.url, { ...args.options, onProgress: (event) => events.push(event) });
  const { info } = model;
  const stats = model.stats();
  const [first] = info.task === 'sentence-embedding' ? await model.embed(['far']) : [];
  await model.unload();
  return { events, info, stats, first: first && [...first.data] };
"""
INSPECT = "return engine.inspect(args.url, args.options)"


def with_tiers(**features: list[str]) -> Artifact:
    """The embedding artifact with more tiers, each needing features."""
    artifact = embedding_artifact()
    for tier, needed in features.items():
        plan = copy.deepcopy(artifact.plan)
        artifact.extra_plans[tier] = {**plan, "tier": tier, "features": needed}
    return artifact


def test_progress_counts_the_bytes_of_the_whole_download(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = embedding_artifact()
    url = engine_server.add("tiny", artifact.files())
    output = engine_page.run(LOAD, url=url)
    events: list[dict[str, Any]] = output["events"]
    total = artifact.download_bytes()
    stages = list(dict.fromkeys(event["stage"] for event in events))
    assert stages == ["manifest", "download", "compile", "ready"]
    assert {event["total"] for event in events} == {total}
    loaded = [event["loaded"] for event in events]
    assert loaded == sorted(loaded)
    assert (loaded[0], loaded[-1]) == (0, total)
    assert output["stats"]["networkBytes"] == output["info"]["downloadBytes"] == total
    results = 2 * EMBED_SEQUENCES * WIDTH * 4
    assert output["info"]["memoryBytes"] == artifact.plan["memory"]["total"] + results
    assert (output["info"]["tier"], output["info"]["backend"]) == ("base", "webgpu")


def test_a_second_load_fetches_the_manifest_only(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = embedding_artifact()
    url = engine_server.add("tiny", artifact.files())
    first = engine_page.run(LOAD, url=url)
    assert engine_page.run(INSPECT, url=url)["cachedBytes"] == artifact.download_bytes()
    engine_server.seen.clear()
    second = engine_page.run(LOAD, url=url)
    assert [seen.path for seen in engine_server.seen] == ["/models/tiny/manifest.json"]
    assert second["stats"]["networkBytes"] == 0
    assert second["first"] == first["first"]
    engine_page.run("await engine.forget(args.url)", url=url)
    assert engine_page.run(INSPECT, url=url)["cachedBytes"] == 0


def test_a_corrupt_cache_entry_is_fetched_again(engine_page: EnginePage, engine_server: EngineServer) -> None:
    files = embedding_artifact().files(chunk_bytes=64)
    shard = json.loads(files["manifest.json"])["shards"][0]["sha256"]
    url = engine_server.add("tiny", files)
    first = engine_page.run(LOAD, url=url)
    spoil = """
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('thistledown-2');
      const files = await root.getDirectoryHandle('files');
      const change = async (name, at, bytes) => {
        const file = await (await files.getFileHandle(name)).createWritable({ keepExistingData: true });
        await file.write({ type: 'write', position: at, data: new Uint8Array(bytes) });
        await file.close();
      };
      await change(args.shard + '.data', 3, [1, 2, 3]);
      await change(args.shard + '.data', 130, [9]);
      await change(args.shard + '.kept', 3, [0]);
    """
    engine_page.run(spoil, shard=shard)
    output = engine_page.run(LOAD, url=url)
    assert output["stats"]["networkBytes"] == 3 * 64
    assert output["first"] == first["first"]
    assert engine_page.run(LOAD, url=url)["stats"]["networkBytes"] == 0


def test_a_new_version_leaves_nothing_of_the_old(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = embedding_artifact()
    engine_page.run(LOAD, url=engine_server.add("tiny", artifact.files()))
    artifact.shards[1] = bytes(128)
    files = artifact.files()
    output = engine_page.run(LOAD, url=engine_server.add("tiny", files))
    assert output["stats"]["networkBytes"] == 128
    names = """
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('thistledown-2');
      return Array.fromAsync((await root.getDirectoryHandle('files')).keys());
    """
    hashes = {
        hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"
    }
    assert set(engine_page.run(names)) == {name + end for name in hashes for end in (".data", ".kept")}


def test_a_full_disk_only_costs_the_cache(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", embedding_artifact().files())
    session = engine_page.page.context.new_cdp_session(engine_page.page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": engine_server.origin, "quotaSize": 1})
    output = engine_page.run(LOAD, url=url)
    assert output["first"] is not None
    assert output["stats"]["notKept"] == "full"
    assert engine_page.run(LOAD, url=url)["stats"]["networkBytes"] == output["stats"]["networkBytes"]


def test_inspect_fetches_no_weight(engine_page: EnginePage, engine_server: EngineServer) -> None:
    artifact = embedding_artifact()
    url = engine_server.add("tiny", artifact.files())
    output = engine_page.run(INSPECT, url=url.rstrip("/"))
    assert (output["ok"], output["code"], output["tier"]) == (True, None, "base")
    assert output["downloadBytes"] == artifact.download_bytes()
    memory = artifact.plan["memory"]
    assert output["memoryBytes"] == memory["total"] + 2 * memory["io"]
    assert (output["name"], output["dimensions"], output["generation"]) == ("tiny", 4, None)
    assert [seen.path for seen in engine_server.seen] == ["/models/tiny/manifest.json"]


def test_the_best_tier_that_the_gpu_has_is_played(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", with_tiers(f16=["no-such-feature"], subgroups=["subgroups"]).files())
    assert engine_page.run(LOAD, url=url)["info"]["tier"] == "subgroups"
    assert engine_page.run(LOAD, url=url, options={"tier": "base"})["info"]["tier"] == "base"
    error = engine_page.fails(LOAD, url=url, options={"tier": "f16"})
    assert error["code"] == "MISSING_FEATURE"
    assert "no-such-feature" in error["message"]
    url = engine_server.add("plain", embedding_artifact().files())
    assert engine_page.fails(LOAD, url=url, options={"tier": "f16"})["code"] == "BAD_ARGUMENT"


def test_a_model_too_large_is_refused_before_anything_is_fetched(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = embedding_artifact()
    artifact.plan["limits"]["maxBufferSize"] = 2**50
    url = engine_server.add("tiny", artifact.files())
    error = engine_page.fails(LOAD, url=url)
    assert error["code"] == "LIMIT_EXCEEDED"
    assert error["fields"]["limit"] == "maxBufferSize"
    assert error["fields"]["needed"] == 2**50
    verdict = engine_page.run(INSPECT, url=url)
    assert (verdict["ok"], verdict["code"]) == (False, "LIMIT_EXCEEDED")
    assert (verdict["needed"], verdict["available"]) == (2**50, error["fields"]["available"])
    assert verdict["reason"] == error["message"]
    assert {seen.path for seen in engine_server.seen} == {"/models/tiny/manifest.json"}


def test_a_device_with_little_memory_is_told_both_numbers(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = embedding_artifact()
    artifact.plan["memory"]["total"] = 3 * 2**30
    url = engine_server.add("tiny", artifact.files())
    body = """
      Object.defineProperty(navigator, 'deviceMemory', { value: 2, configurable: true });
      try { return await engine.inspect(args.url); } finally { delete navigator.deviceMemory; }
    """
    verdict = engine_page.run(body, url=url)
    assert verdict["code"] == "NOT_ENOUGH_MEMORY"
    assert (verdict["needed"] - 2 * artifact.plan["memory"]["io"], verdict["available"]) == (
        3 * 2**30,
        2 * 2**30,
    )


def test_without_webgpu_or_an_adapter_the_verdict_says_so(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", embedding_artifact().files())
    body = """
      const gpu = args.none ? undefined : { requestAdapter: async () => null };
      Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
      try {
        const { code } = await engine.inspect(args.url);
        return [code, await engine.load(args.url).catch((error) => error.code)];
      } finally { delete navigator.gpu; }
    """
    assert engine_page.run(body, url=url, none=True) == ["NO_WEBGPU"] * 2
    assert engine_page.run(body, url=url, none=False) == ["NO_ADAPTER"] * 2


def test_a_page_that_is_not_secure_is_told_so(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", embedding_artifact().files())
    for call in ("load", "inspect"):
        body = f"delete Object.getPrototypeOf(crypto).subtle; await engine.{call}(args.url, {{ sha256: args.hash }})"
        error = engine_page.fails(body, url=url, hash="0" * 64)
        assert (error["code"], "https" in error["message"]) == ("NO_WEBGPU", True)


def test_load_options_are_checked(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", embedding_artifact().files())
    for options in ({"backend": "cpu"}, {"tier": "f64"}, {"signal": 3}):
        error = engine_page.fails("await engine.load(args.url, args.options)", url=url, options=options)
        assert error["code"] == "BAD_ARGUMENT"
    error = engine_page.fails("await engine.load(args.url, { backend: 'cpu' })", url=url)
    assert "auto, webgpu, wasm" in error["message"]
    assert engine_server.seen == []


def test_unload_ends_what_is_under_way_and_what_comes_later(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", generation_artifact([2]).files())
    body = """
      const model = await engine.load(args.url);
      const read = async () => { for await (const _ of model.generate('a')); };
      const codes = [read(), read()].map((call) => call.catch((error) => error.code));
      await new Promise((resolve) => setTimeout(resolve));
      await model.unload();
      await model.unload();
      return Promise.all([...codes, model.logits([2]).catch((error) => error.code)]);
    """
    assert engine_page.run(body, url=url) == ["UNLOADED"] * 3


def test_the_engine_runs_under_a_strict_policy(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", embedding_artifact().files())
    engine_server.files["/models/strict.js"] = (
        b"import { load } from '/engine/index.js';"
        b"const model = await load('/models/tiny/');"
        b"document.title = (await model.embed(['far'])).length;"
    )
    policy = (
        "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; "
        "require-trusted-types-for 'script'; trusted-types app"
    )
    engine_server.files["/models/strict.html"] = b"<script type=module src=strict.js></script>"
    engine_server.policies["/models/strict.html"] = policy
    engine_page.page.goto(url.replace("tiny/", "strict.html"))
    expect(engine_page.page).to_have_title("1")


def test_the_manifest_must_have_the_hash_that_was_asked_for(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    files = embedding_artifact().files()
    url = engine_server.add("tiny", files)
    right = hashlib.sha256(files["manifest.json"]).hexdigest()
    assert engine_page.run(LOAD, url=url, options={"sha256": right})["first"]
    for body in ("await engine.inspect(args.url, args.options)", LOAD):
        error = engine_page.fails(body, url=url, options={"sha256": "0" * 64})
        assert error["code"] == "MANIFEST_CHANGED"
    assert engine_page.fails(LOAD, url=url, options={"sha256": "0"})["code"] == "BAD_ARGUMENT"


def test_a_model_that_was_loaded_once_loads_without_a_network(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", embedding_artifact().files())
    first = engine_page.run(LOAD, url=url)
    engine_server.seen.clear()
    engine_server.faults.append(Fault("manifest.json", "broken"))
    output = engine_page.run(LOAD, url=url)
    assert (output["first"], output["stats"]["networkBytes"]) == (first["first"], 0)
    assert engine_server.weights_seen() == []
    engine_page.run("await engine.forget(args.url)", url=url)
    assert engine_page.fails(LOAD, url=url)["code"] == "SERVER_FAILED"


def test_what_is_kept_is_listed_and_shared_files_are_kept_once(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = embedding_artifact()
    files = artifact.files()
    one, other = engine_server.add("one", files), engine_server.add("other", files)
    engine_page.run(LOAD, url=one)
    assert engine_page.run(LOAD, url=other)["stats"]["networkBytes"] == 0
    list_them = (
        "return (await engine.keptModels()).map(({ url, bytes, keptBytes }) => [url, bytes, keptBytes])"
    )
    total = artifact.download_bytes()
    assert engine_page.run(list_them) == [[other, total, total], [one, total, total]]
    engine_page.run("await engine.forget(args.url)", url=one)
    assert engine_page.run(list_them) == [[other, total, total]]
    assert engine_page.run(LOAD, url=other)["stats"]["networkBytes"] == 0


def test_what_is_kept_is_told_right_where_a_file_comes_in_other_chunks(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """The marks of large chunks stand for small ones from then on; the rest of the file comes again."""
    artifact = embedding_artifact()
    url = engine_server.add("tiny", artifact.files(chunk_bytes=256))
    engine_page.run(LOAD, url=url)
    files = artifact.files(chunk_bytes=64)
    engine_server.add("tiny", files)
    engine_server.faults.append(Fault(".bin", "denied"))
    assert engine_page.fails(LOAD, url=url)["code"] == "ACCESS_DENIED"
    engine_server.faults.clear()
    kept = engine_page.run("return (await engine.keptModels())[0].keptBytes")
    inspected = engine_page.run("return (await engine.inspect(args.url)).cachedBytes", url=url)
    fetched = engine_page.run(LOAD, url=url)["stats"]["networkBytes"]
    assert fetched > 0
    assert inspected + fetched == artifact.download_bytes()
    assert kept == inspected


def test_a_paused_download_stands_still_and_goes_on_where_it_was(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", embedding_artifact().files(chunk_bytes=64))
    body = """
      const control = new engine.DownloadControl();
      let resumed = false;
      const early = [];
      const begun = Promise.withResolvers();
      const loading = engine.load(args.url, { control, onProgress: ({ stage, loaded }) => {
        if (stage === 'download' && loaded > 0 && !resumed) {
          control.pause();
          begun.resolve();
        } else if (stage === 'ready' && !resumed) early.push(stage);
      } });
      await begun.promise;
      await new Promise((resolve) => setTimeout(resolve, 800));
      const { paused } = control;
      resumed = true;
      control.resume();
      const model = await loading;
      return { paused, early, bytes: model.stats().networkBytes, ms: model.stats().loadMs };
    """
    output = engine_page.run(body, url=url)
    assert output["paused"]
    assert output["early"] == []
    assert output["bytes"] == embedding_artifact().download_bytes()
    assert engine_page.fails("await engine.load('/x/', { control: {} })")["code"] == "BAD_ARGUMENT"
