"""The GPU's own faults: bad shaders, memory that runs out. A device that is lost: test_engine_recovery.py."""

import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import embedding_artifact
from tests.site.engine_server import EngineServer, Fault

pytestmark = pytest.mark.browser

EMBED = """
  const model = await engine.load(args.url);
  await model.embed(['far']);
  await model.unload();
"""


def test_a_shader_that_does_not_compile_is_named(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = embedding_artifact()
    artifact.plan["shaders"]["pool"] = "@compute fn main( {"
    error = engine_page.fails(EMBED, url=engine_server.add("tiny", artifact.files()))
    assert error["code"] == "PLAN_INVALID"
    assert "pool" in error["message"]


def test_a_missing_constant_is_named(engine_page: EnginePage, engine_server: EngineServer) -> None:
    artifact = embedding_artifact()
    artifact.plan["kernels"][0]["constants"] = {}
    error = engine_page.fails(EMBED, url=engine_server.add("tiny", artifact.files()))
    assert error["code"] == "PLAN_INVALID"
    assert "width" in error["message"]


def test_a_binding_that_the_shader_does_not_have_is_refused(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = embedding_artifact()
    artifact.plan["phases"]["encode"][1]["bind"].pop()
    error = engine_page.fails(EMBED, url=engine_server.add("tiny", artifact.files()))
    assert error["code"] == "PLAN_INVALID"


def test_memory_that_runs_out_is_a_typed_error(engine_page: EnginePage) -> None:
    body = """
      const { Device } = await import('/engine/device.js');
      const { Buffers } = await import('/engine/buffers.js');
      const device = await Device.open([], { maxBufferSize: 2 ** 30 });
      const buffers = Array.from({ length: 64 }, (_, i) => ({ name: `b${i}`, kind: 'state', bytes: 2 ** 30 }));
      await Buffers.create(buffers, device).finally(() => device.destroy());
    """
    assert engine_page.fails(body)["code"] == "OUT_OF_MEMORY"


def test_bytes_that_fail_their_hash_never_reach_the_gpu(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    body = """
      const { readManifest } = await import('/engine/manifest.js');
      const { openSession } = await import('/engine/session.js');
      const manifest = readManifest(await (await fetch(args.url + 'manifest.json')).json(), args.url);
      const original = GPUQueue.prototype.writeBuffer;
      const written = [];
      GPUQueue.prototype.writeBuffer = function (target, at, data, from, size) {
        if (target.label === 'bias') written.push(size);
        return original.call(this, target, at, data, from, size);
      };
      const { signal } = new AbortController();
      try {
        const opening = openSession({ base: args.url, manifest, tier: 'base' }, () => {}, signal);
        return [await opening.catch((error) => error.code), written];
      } finally {
        GPUQueue.prototype.writeBuffer = original;
      }
    """
    files = embedding_artifact().files(chunk_bytes=64)
    url = engine_server.add("tiny", files)
    shard = next(name for name, content in files.items() if name.endswith(".bin") and len(content) > 128)
    engine_server.faults.append(Fault(shard, "corrupted"))
    assert engine_page.run(body, url=url) == ["FILE_CORRUPTED", []]
