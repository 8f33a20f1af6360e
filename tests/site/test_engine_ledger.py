"""What a model is said to take of the GPU's memory is what its worker then asks of the GPU: each buffer is counted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exporter.adapters import make_adapter
from exporter.artifact import gpu_memory, read_manifest
from tests.site.conftest import EnginePage
from tests.site.engine_server import EngineServer
from tests.site.engine_session import folder_files
from tests.site.gpu_losses import INJECT
from tests.tiny_adapters import GRANITE_TARGETS

pytestmark = pytest.mark.browser

Make = Callable[..., Path]
CLOSE = 0.1

# Runs in the worker, before the engine: bytes of all buffers that live, and the most there were at a time.
LEDGER = """
  let live = 0;
  let peak = 0;
  const devices = new Map();
  const { createBuffer, destroy } = GPUDevice.prototype;
  const free = (buffer, buffers) => { if (buffers.delete(buffer)) live -= buffer.size; };
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    if (!devices.has(this)) devices.set(this, new Set());
    devices.get(this).add(buffer);
    live += buffer.size;
    peak = Math.max(peak, live);
    return buffer;
  };
  GPUDevice.prototype.destroy = function () {
    const buffers = devices.get(this) ?? new Set();
    for (const buffer of [...buffers]) free(buffer, buffers);
    destroy.call(this);
  };
  const { destroy: release } = GPUBuffer.prototype;
  GPUBuffer.prototype.destroy = function () {
    for (const buffers of devices.values()) free(this, buffers);
    release.call(this);
  };
  const channel = new BroadcastChannel('gpu');
  channel.onmessage = ({ data }) => {
    if ('fatal' in data) for (const device of devices.keys()) device.destroy();
    channel.postMessage({ counts: { live, peak }, answer: data.id });
  };
"""
# The model is loaded, used by `args.use`, and used again on another GPU.
USED = (
    INJECT
    + """
  const { memoryBytes: told, tier } = await engine.inspect(args.url);
  inject();
  const model = await engine.load(args.url, { tier: args.tier });
  const loaded = await ask({});
  const use = new (Object.getPrototypeOf(async function () {}).constructor)('model', args.use);
  await use(model);
  const used = await ask({});
  if (args.loss) {
    await ask({ fatal: true });
    await use(model);
  }
  const moved = await ask({});
  const { info } = model;
  const { recoveries } = model.stats();
  await model.unload();
  return { told, tier, info: info.memoryBytes, task: info.task, loaded, used, moved, recoveries: recoveries.length };
"""
)
USES = {
    "sentence-embedding": "await model.embed(['a cat on a mat', 'a dog']);",
    "text-classification": "await model.classify(['a cat on a mat', 'a dog']);",
    "token-classification": "await model.classifyTokens('a cat on a mat');",
    "fill-mask": "await model.fillMask(`a ${model.info.maskToken} on a mat`);",
    "text-generation": """
      for (const options of [{}, { logprobs: 2 }, { constraint: { type: 'json_object' } }]) {
        for await (const _ of model.generate('The wind', { maxTokens: 3, ...options }));
      }
      await model.restoreState(await model.saveState());
    """,
}


def used(page: EnginePage, server: EngineServer, folder: Path, *, loss: bool = False) -> dict[str, Any]:
    """What was told of the model and what was counted, after every call that it has."""
    task = json.loads((folder / "manifest.json").read_text())["task"]
    url = server.add(folder.name, folder_files(folder))
    found: dict[str, Any] = page.run(USED, url=url, use=USES[task], faults=LEDGER, loss=loss)
    assert found["told"] == gpu_memory(read_manifest(folder), found["tier"])["total"], "as the report has it"
    return found


def expect_told(found: dict[str, Any]) -> None:
    for at in ("loaded", "used", "moved"):
        for bytes_ in (found[at]["live"], found[at]["peak"]):
            for told in (found["told"], found["info"]):
                assert abs(told - bytes_) <= CLOSE * bytes_, (at, found)


def test_minilm_takes_what_is_told(
    engine_page: EnginePage, engine_server: EngineServer, artifact: Make, minilm_checkpoint: Path
) -> None:
    found = used(engine_page, engine_server, artifact(minilm_checkpoint, quantize="q8"))
    expect_told(found)
    assert found["loaded"]["live"] > 20_000_000


@pytest.mark.parametrize("name", ["bert-embeddings", "bert-classes", "bert-words", "bert-masked"])
def test_encoders_take_what_is_told(
    engine_page: EnginePage,
    engine_server: EngineServer,
    tiny_encoder: Callable[[str], Path],
    artifact: Make,
    name: str,
) -> None:
    expect_told(used(engine_page, engine_server, artifact(tiny_encoder(name), quantize="q8")))


@pytest.mark.parametrize("context", [128, 1024])
def test_generators_take_what_is_told_at_the_chosen_context(
    engine_page: EnginePage,
    engine_server: EngineServer,
    tiny_granite: Make,
    artifact: Make,
    context: int,
) -> None:
    folder = artifact(tiny_granite(), quantize="q4", context=context)
    found = used(engine_page, engine_server, folder, loss=context == 128)
    expect_told(found)
    assert found["recoveries"] == int(context == 128), "another GPU takes the place of the lost one"


def test_adapters_take_what_is_told_beside_the_model(
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
        INJECT
        + """
      inject();
      const model = await engine.load(args.base, { tune: 'off', tier: 'base' });
      const before = await ask({});
      await model.setAdapter(args.adapter);
      const after = await ask({});
      const { memoryBytes } = model.stats().adapter;
      await model.unload();
      return { told: memoryBytes, taken: after.live - before.live, most: after.peak - before.live };
    """
    )
    urls = {
        "base": engine_server.add("base", folder_files(base)),
        "adapter": engine_server.add("adapter", folder_files(made)),
    }
    found = engine_page.run(body, faults=LEDGER, **urls)
    assert found["told"] == found["taken"] == found["most"] > 0
