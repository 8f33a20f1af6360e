"""Adapters in the browser: what stays ready, what is refused, and calls that meet each other."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from exporter.adapters import make_adapter
from tests.site.conftest import EnginePage
from tests.site.engine_server import EngineServer, Fault
from tests.site.engine_session import LOADED, OPEN, UNLOADED, folder_files
from tests.site.gpu_losses import INJECT
from tests.tiny_adapters import LLAMA_TARGETS
from tests.tiny_models import random_ids

pytestmark = pytest.mark.browser

Make = Callable[..., Path]
IDS = random_ids(12, 307)


@pytest.fixture(scope="module")
def folders(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Make, artifact: Make, adapters: Make
) -> Mapping[str, Path]:
    """A base, two adapters over it, and a base of other weights."""
    source, place = tiny_model("llama-gqa-untied"), tmp_path_factory.mktemp("adapters")
    bases = {name: artifact(source, quantize=scheme) for name, scheme in (("base", "f32"), ("other", "q8"))}
    peft = {
        "a": adapters(source, LLAMA_TARGETS, r=5),
        "b": adapters(source, ("q_proj", "v_proj"), r=3, seed=2),
    }
    return bases | {name: make_adapter(bases["base"], at, place / name).folder for name, at in peft.items()}


@pytest.fixture
def urls(engine_server: EngineServer, folders: Mapping[str, Path]) -> dict[str, str]:
    return {name: engine_server.add(name, folder_files(folder)) for name, folder in folders.items()}


def test_a_second_visit_fetches_the_manifests_only(
    engine_page: EnginePage, engine_server: EngineServer, urls: dict[str, str]
) -> None:
    """Also where the adapter lies inside the base's folder, which a load of the base clears of what is stale."""
    inside = engine_server.add(
        "base/a", {p.rsplit("/", 1)[1]: c for p, c in engine_server.files.items() if "/models/a/" in p}
    )
    body = (
        LOADED
        + "await model.setAdapter(args.inside); const found = model.stats().adapter.networkBytes;"
        + UNLOADED
    )
    assert engine_page.run(body, ids=IDS, inside=inside, **urls) > 0
    engine_server.seen.clear()
    assert engine_page.run(body, ids=IDS, inside=inside, **urls) == 0
    assert {seen.path.rsplit("/", 1)[1] for seen in engine_server.seen} == {"manifest.json"}


def test_the_least_recently_used_of_five_goes(
    engine_page: EnginePage, engine_server: EngineServer, urls: dict[str, str]
) -> None:
    files = {p.rsplit("/", 1)[1]: c for p, c in engine_server.files.items() if "/models/a/" in p}
    copies = [engine_server.add(f"copy-{i}", files) for i in range(5)]
    body = (
        LOADED
        + """
      const found = [];
      for (const url of [...args.copies, args.copies[1], args.copies[0], args.copies[1]]) {
        await model.setAdapter(url);
        found.push(model.stats().adapter);
      }
      found.push(await logits());
      await model.setAdapter(args.a);
      found.push(await logits());
    """
        + UNLOADED
    )
    *stats, one, other = engine_page.run(body, ids=IDS, copies=copies, **urls)
    assert one == other
    assert [each["ready"] for each in stats] == [1, 2, 3, 4, 4, 4, 4, 4]
    assert stats[4]["memoryBytes"] == stats[3]["memoryBytes"] == 4 * stats[0]["memoryBytes"]
    manifests = [
        seen.path.split("/")[2]
        for seen in engine_server.seen
        if "copy" in seen.path and "manifest" in seen.path
    ]
    assert manifests.count("copy-1") == 1
    assert manifests.count("copy-0") == manifests.count("copy-1") + 1, "its manifest again"


def test_another_base_is_refused_and_the_model_goes_on(
    engine_page: EnginePage, engine_server: EngineServer, urls: dict[str, str]
) -> None:
    body = (
        LOADED.replace("args.base", "args.other")
        + """
      const before = await logits();
      const error = await model.setAdapter(args.a).catch((error) => error);
      const found = [error.code, error.message, String(before) === String(await logits()), model.adapter];
    """
        + UNLOADED
    )
    code, message, same, adapter = engine_page.run(body, ids=IDS, **urls)
    assert code == "OTHER_BASE"
    assert urls["a"] in message
    assert "q8" in message
    assert (same, adapter) == (True, None)
    assert [seen.path for seen in engine_server.seen if "/a/" in seen.path] == ["/models/a/manifest.json"]


def damaged(files: dict[str, bytes], change: Callable[[dict[str, Any]], None], plan: bool = False) -> None:
    """Changes the manifest or the base tier's plan of an adapter, whose hash is then the manifest's."""
    manifest = json.loads(files["manifest.json"])
    if plan:
        entry = manifest["plans"]["base"]
        value = json.loads(files[entry["file"]])
        change(value)
        data = json.dumps(value).encode()
        files[entry["file"]] = data
        entry |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        entry |= {key: value[key] for key in ("features", "memory", "limits")}
    else:
        change(manifest)
    files["manifest.json"] = json.dumps(manifest).encode()


def _declare_weight(plan: dict[str, Any], declared: str) -> None:
    """The first kernel that reads a weight of the base declares it otherwise."""
    weight = next(i for i, b in enumerate(plan["buffers"]) if b["kind"] == "weight" and b["shard"] == 0)
    for dispatch in plan["phases"]["decode"]:
        for binding, buffer, *_ in dispatch["bind"]:
            if buffer == weight:
                shader = plan["kernels"][dispatch["kernel"]]["shader"]
                place = f"@group(0) @binding({binding}) var<storage, "
                assert f"{place}read>" in plan["shaders"][shader]
                plan["shaders"][shader] = plan["shaders"][shader].replace(
                    f"{place}read>", declared.replace("PLACE", place)
                )
                return


def _write_weights(plan: dict[str, Any]) -> None:
    _declare_weight(plan, "PLACEread_write>")


def _write_weights_of_two_names(plan: dict[str, Any]) -> None:
    """The same number is declared a second time as read, which WGSL allows where nothing uses it."""
    _declare_weight(plan, "PLACEread> decoy: array<u32>; PLACEread_write>")


def _break_shaders(plan: dict[str, Any]) -> None:
    plan["shaders"] = {name: f"{code}\nfn" for name, code in plan["shaders"].items()}


def _alias(plan: dict[str, Any]) -> None:
    """A dispatch reads what it writes, which only the GPU sees."""
    dispatch = plan["phases"]["prefill"][1]
    dispatch["bind"] = [[binding, dispatch["bind"][-1][1], 0, 256] for binding, *_ in dispatch["bind"]]


def _grow(plan: dict[str, Any]) -> None:
    buffer = next(b for b in plan["buffers"] if b["name"] == "ring")
    buffer["bytes"] += 4
    for key in ("io", "total"):
        plan["memory"][key] += 4


PLANS: Mapping[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a kernel that writes a weight of the base": (_write_weights, "PLAN_INVALID"),
    "a kernel that writes it by a second name": (_write_weights_of_two_names, "PLAN_INVALID"),
    "a dispatch that the GPU refuses": (_alias, "PLAN_INVALID"),
    "a shader that does not compile": (_break_shaders, "PLAN_INVALID"),
    "other inputs and outputs": (_grow, "OTHER_BASE"),
    "a range of the base that is not there": (
        lambda plan: plan["buffers"][next(i for i, b in enumerate(plan["buffers"]) if b.get("shard") == 0)].update(
            shard=0, offset=256
        ),
        "PLAN_INVALID",
    ),
}  # fmt: skip
MANIFESTS: Mapping[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "another format": (lambda m: m.update(format="thistledown"), "MANIFEST_INVALID"),
    "a later version": (lambda m: m.update(version=2), "MANIFEST_INVALID"),
    "a path for a name": (lambda m: m["shard"].update(file="../x.bin"), "MANIFEST_INVALID"),
    "a rank of none": (lambda m: m.update(rank=0), "MANIFEST_INVALID"),
    "no plan for the tier": (lambda m: m["plans"].pop("base"), "OTHER_BASE"),
    "another context": (lambda m: m["base"].update(context=64), "OTHER_BASE"),
    "limits beyond the device": (
        lambda m: m["plans"]["base"]["limits"].update(maxBufferSize=2**40), "LIMIT_EXCEEDED",
    ),
    "features that it was not opened with": (
        lambda m: m["plans"]["base"].update(features=["shader-f16"]), "MISSING_FEATURE",
    ),
}  # fmt: skip


def test_what_is_damaged_is_refused_and_the_model_goes_on(
    engine_page: EnginePage, engine_server: EngineServer, urls: dict[str, str], folders: Mapping[str, Path]
) -> None:
    wanted, bad = {}, {}
    for kind, plan in ((MANIFESTS, False), (PLANS, True)):
        for name, (change, code) in kind.items():
            files = dict(folder_files(folders["a"]))
            damaged(files, change, plan)
            bad[name] = engine_server.add(f"bad-{len(bad)}", files)
            wanted[name] = code
    shard = json.loads(folder_files(folders["b"])["manifest.json"])["shard"]["file"]
    engine_server.faults.append(Fault(f"/b/{shard}", "corrupted"))
    body = (
        LOADED
        + """
      const found = { codes: {}, changed: [] };
      await model.setAdapter(args.a);
      const before = String(await logits());
      for (const [name, url] of [...Object.entries(args.bad), ['a corrupt shard', args.b]]) {
        found.codes[name] = await codeOf(model.setAdapter(url));
        if (model.adapter.url !== args.a || String(await logits()) !== before) found.changed.push(name);
      }
      found.stats = model.stats().adapter;
    """
        + UNLOADED
    )
    found = engine_page.run(body, ids=IDS, bad=bad, **urls)
    assert found["codes"] == wanted | {"a corrupt shard": "FILE_CORRUPTED"}
    assert found["changed"] == []
    assert found["stats"]["ready"] == 1


def test_a_shader_that_fails_while_a_chunk_is_on_its_way_leaves_the_model_whole(
    engine_page: EnginePage, engine_server: EngineServer, urls: dict[str, str], folders: Mapping[str, Path]
) -> None:
    files = dict(folder_files(folders["a"]))
    damaged(files, _break_shaders, plan=True)
    slow = """
      const { digest } = SubtleCrypto.prototype;
      SubtleCrypto.prototype.digest = async function (name, bytes) {
        if (bytes.byteLength === LENGTH) await new Promise((resolve) => setTimeout(resolve, 600));
        return digest.call(this, name, bytes);
      };
      const { popErrorScope } = GPUDevice.prototype;
      GPUDevice.prototype.popErrorScope = async function () {
        const error = await popErrorScope.call(this);
        await new Promise((resolve) => setTimeout(resolve, 200));
        return error;
      };
    """.replace("LENGTH", str(json.loads(files["manifest.json"])["shard"]["bytes"]))
    body = (
        INJECT
        + "inject();"
        + LOADED
        + """
      const before = String(await logits());
      const found = [await codeOf(model.setAdapter(args.bad))];
      await new Promise((resolve) => setTimeout(resolve, 900));
      found.push(String(await logits()) === before);
    """
        + UNLOADED
    )
    bad = engine_server.add("bad", files)
    assert engine_page.run(body, ids=IDS, bad=bad, faults=slow, **urls) == ["PLAN_INVALID", True]


def test_what_is_kept_is_put_on_without_a_network(
    engine_page: EnginePage, engine_server: EngineServer, urls: dict[str, str]
) -> None:
    body = LOADED + "await model.setAdapter(args.a); const found = await logits();" + UNLOADED
    usual = engine_page.run(body, ids=IDS, **urls)
    engine_server.faults.append(Fault("manifest.json", "broken"))
    assert engine_page.run(body, ids=IDS, **urls) == usual
    engine_page.run("await engine.forget(args.a)", **urls)
    assert engine_page.fails(body, ids=IDS, **urls)["code"] == "SERVER_FAILED"


# `swap(url)` on a GPU that has room for `room` adapters beside the base: how many are ready, or the code of the error.
ROOM_FOR = """
  const { swapAdapter } = await import('/engine/adapters/shelf.js');
  const { OutOfMemoryError } = await import('/engine/errors.js');
  const { device } = session;
  const make = device.makeBuffers.bind(device);
  let room = 4;
  device.makeBuffers = async (what, wanted) => {
    if (room <= 0) throw new OutOfMemoryError('Making the GPU buffers failed');
    const made = await make(what, wanted);
    room -= 1;
    made[0].destroy = () => { room += 1; GPUBuffer.prototype.destroy.call(made[0]); };
    return made;
  };
  const model = { base: session, session, shelf: null, run: (use) => use() };
  const swap = (url) => swapAdapter(model, url, signal).then(({ ready }) => ready, ({ code }) => code);
"""


def test_where_the_gpu_has_no_more_room_the_least_recently_used_goes(
    engine_page: EnginePage, engine_server: EngineServer, urls: dict[str, str]
) -> None:
    files = {p.rsplit("/", 1)[1]: c for p, c in engine_server.files.items() if "/models/a/" in p}
    copies = [engine_server.add(f"copy-{i}", files) for i in range(5)]
    body = (
        OPEN
        + ROOM_FOR
        + """
      const found = [];
      for (const url of args.copies) found.push(await swap(url));
      room -= 2;
      found.push(await swap(args.a), [...model.shelf.ready.keys()]);
      room -= 1;
      found.push(await swap(args.b), model.session === model.shelf.ready.get(args.a).session);
      found.push(await swap(null), await swap(args.b), room);
      device.destroy();
      return found;
    """
    )
    found = engine_page.run(body, url=urls["base"], copies=copies, **urls)
    assert found[:5] == [1, 2, 3, 4, 4]
    assert found[5:7] == [2, [copies[4], urls["a"]]]
    assert found[7:] == ["OUT_OF_MEMORY", True, 1, 1, 0], "what is on stays; without, there is room"


def test_calls_at_once_happen_in_their_order(engine_page: EnginePage, urls: dict[str, str]) -> None:
    """A swap waits for the answer under way; of two the later stays; an abort leaves what was on."""
    body = (
        LOADED
        + """
      const plain = await answer({ maxTokens: 30 });
      const stream = model.generate('The lightest thing', { maxTokens: 30, temperature: 0 });
      const ids = [(await stream.next()).value.id];
      const swaps = Promise.all([model.setAdapter(args.a), model.setAdapter(args.b)]);
      for await (const { id } of stream) ids.push(id);
      await swaps;
      const found = { same: String(ids) === String(plain), on: model.adapter.url };
      const aborter = new AbortController();
      const aborted = codeOf(model.setAdapter(args.a, { signal: aborter.signal }));
      const late = codeOf(model.setAdapter(args.base, { signal: AbortSignal.abort() }));
      aborter.abort();
      found.codes = [await aborted, await late, await codeOf(model.setAdapter(7)), await codeOf(model.setAdapter(''))];
      found.still = model.adapter.url;
      found.logits = await logits();
      await model.setAdapter(args.b);
      found.again = await logits();
      const unloading = codeOf(model.setAdapter(args.a));
      await model.unload();
      found.unloaded = [await unloading, await codeOf(model.setAdapter(null))];
    """
        + UNLOADED
    )
    found = engine_page.run(body, ids=IDS, **urls)
    assert found["same"]
    assert found["on"] == urls["b"]
    # The worker may have been done before it heard of the abort: then the swap has happened, and says so.
    assert found["codes"][0] in ("ABORTED", None)
    assert found["still"] == (urls["b"] if found["codes"][0] else urls["a"])
    assert found["codes"][1:] == ["ABORTED", "BAD_ARGUMENT", "BAD_ARGUMENT"]
    assert (found["logits"] == found["again"]) == (found["codes"][0] == "ABORTED")
    assert found["unloaded"] == ["UNLOADED", "UNLOADED"]


def test_an_abort_or_an_unload_ends_a_download_that_hangs(
    engine_page: EnginePage, engine_server: EngineServer, urls: dict[str, str]
) -> None:
    body = (
        LOADED
        + """
      await model.setAdapter(args.a);
      const aborter = new AbortController();
      const swap = codeOf(model.setAdapter(args.b, { signal: aborter.signal }));
      setTimeout(() => aborter.abort(), 150);
      const found = [await swap, model.adapter.url === args.a];
      const unloading = codeOf(model.setAdapter(args.b));
      setTimeout(() => model.unload(), 150);
      found.push(await unloading);
    """
        + UNLOADED
    )
    hang = next(path for path in engine_server.files if "/models/b/" in path and path.endswith(".bin"))
    engine_server.faults[:] = [Fault(hang, "stalled")]
    assert engine_page.run(body, ids=IDS, **urls) == ["ABORTED", True, "UNLOADED"]
    engine_server.released.set()
