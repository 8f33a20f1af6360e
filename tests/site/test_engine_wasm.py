"""The engine without WebGPU, in its parts: the sampler against its NumPy twin, and the runtime that is not there."""

import json

import numpy as np
import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import embedding_artifact
from tests.site.engine_server import EngineServer
from wgsl_kernels.reference.sampling import drawn, kept_weights, uniform_number

pytestmark = pytest.mark.browser

SAMPLE = """
  const { sample, uniformNumber } = await import('/engine/wasm/sampler.js');
  const values = (logits) => Float32Array.from(logits, (value) => value ?? NaN);
  return args.cases.map(([logits, sampling, position]) =>
    [sample(values(logits), sampling, position), uniformNumber(sampling.seed, position)]);
"""
# Pages of this test have no WebGPU, or what stands for it.
WITHOUT = {
    "no WebGPU": "delete Navigator.prototype.gpu",
    "no adapter": "GPU.prototype.requestAdapter = async () => null",
    "a fallback adapter": "",
}


def _cases() -> list[tuple[list[float], dict[str, float], int]]:
    random = np.random.default_rng(7)
    settings = [(0, 0, 1), (1, 0, 1), (0.5, 3, 1), (1.3, 0, 0.7), (0.8, 40, 0.95), (2, 1, 0.1), (1, 999, 1)]
    cases = []
    for seed, (temperature, top_k, top_p) in enumerate(settings * 30):
        logits = random.normal(0, 3, 200).astype(np.float32).round(seed % 3)
        sampling = {
            "temperature": temperature,
            "topK": top_k,
            "topP": top_p,
            "seed": seed * 40_503_001 % 2**32,
        }
        cases.append((logits.tolist(), sampling, seed * 37))
    return cases


def test_the_sampler_is_the_twin_of_the_kernel(engine_page: EnginePage) -> None:
    cases = _cases()
    found = engine_page.run(SAMPLE, cases=cases)
    for (logits, sampling, position), (token, uniform) in zip(cases, found, strict=True):
        u = uniform_number(int(sampling["seed"]), position)
        temperature, top_p = (float(np.float32(sampling[key])) for key in ("temperature", "topP"))
        weights = kept_weights(np.array(logits, np.float32), temperature, top_p, int(sampling["topK"]))
        assert uniform == u
        assert token == (int(weights.argmax()) if temperature == 0 else drawn(weights, u))


def test_what_is_no_number_is_never_drawn(engine_page: EnginePage) -> None:
    logits = [None, 1.0, None, 1.0] * 50
    sampling = [{"temperature": t, "topK": k, "topP": p} for t, k, p in ((0, 0, 1), (1, 0, 1), (1, 2, 0.5))]
    cases = [(logits, {**each, "seed": seed}, seed) for each in sampling for seed in range(20)]
    assert {token % 2 for token, _ in engine_page.run(SAMPLE, cases=cases)} == {1}


@pytest.mark.parametrize("device", WITHOUT)
def test_a_site_without_the_runtime_needs_webgpu(
    engine_page: EnginePage, engine_server: EngineServer, device: str
) -> None:
    """Software that plays WebGPU is better than nothing."""
    files = embedding_artifact().files()
    bare = engine_server.add("bare", files)
    manifest = json.loads(files["manifest.json"])
    manifest["files"].append({"file": "model.onnx", "role": "onnx", "bytes": 1, "sha256": "0" * 64})
    url = engine_server.add("tiny", {**files, "manifest.json": json.dumps(manifest).encode()})
    body = f"""
      {WITHOUT[device]};
      globalThis.thistledownBackend = undefined;
      const {{ backend, ok, code }} = await engine.inspect(args.url);
      return [backend, ok, code];
    """
    codes = {"no WebGPU": "NO_WEBGPU", "no adapter": "NO_ADAPTER", "a fallback adapter": None}
    try:
        assert engine_page.run(body, url=url) == ["webgpu", codes[device] is None, codes[device]]
        for folder, missing in ((url, "/runtime/runtime.json"), (bare, "model.onnx")):
            forced = engine_page.fails("await engine.load(args.url, { backend: 'wasm' })", url=folder)
            assert forced["code"] == "NO_WASM"
            assert missing in forced["message"]
    finally:
        engine_page.page.reload()
