"""`--beside`: a peer's page is served by our rules and measured like ours; here with a stand-in for its packages."""

import json
import subprocess
import sys
from pathlib import Path

import brotli
import pytest

from bench import BenchError
from bench.download.peer_site import QUANTIZED, peer_application, write_peer_model
from tests.architecture.tree import ROOT

STANDS_IN = """
export const env = { backends: { onnx: { wasm: {} } } };
export async function pipeline(_task, name, { dtype }) {
  if (dtype !== 'q8') throw new Error('it is asked for 8 bits');
  const { mjs, wasm } = env.backends.onnx.wasm.wasmPaths;
  const model = `${env.localModelPath}${name}/`;
  await import(mjs);
  const wanted = [wasm, ...['config.json', 'tokenizer.json', 'onnx/model_quantized.onnx'].map((file) => model + file)];
  await Promise.all(wanted.map(async (url) => (await fetch(url)).arrayBuffer()));
  return async () => ({ data: Float32Array.of(1) });
}
"""
MEASURES = """
import json, sys
from pathlib import Path
from bench import peers
from bench.download import SOFTWARE, measure_peer
peers.FOLDER, peers.fetch = Path(sys.argv[1]), lambda: None
found = measure_peer(Path(sys.argv[2]), SOFTWARE)
print(json.dumps([found.name, found.model, found.groups(found.first), found.groups(found.repeat)]))
"""
WASM, ONNX = b"\0asm" * 50_000, bytes(range(256)) * 300


def _packages(root: Path) -> Path:
    package = root / "node_modules" / "@huggingface" / "transformers"
    runtime = package / "node_modules" / "onnxruntime-web" / "dist"
    for folder in (package / "dist", runtime):
        folder.mkdir(parents=True)
    (package / "package.json").write_text('{"version": "9.9.9"}', encoding="utf-8")
    (package / "dist" / "transformers.min.js").write_text(STANDS_IN, encoding="utf-8")
    (runtime / "ort-wasm-simd-threaded.asyncify.mjs").write_text("export {};\n" * 100, encoding="utf-8")
    (runtime / "ort-wasm-simd-threaded.asyncify.wasm").write_bytes(WASM)
    return root


def _from_the_hub(folder: Path) -> Path:
    (folder / "onnx").mkdir(parents=True)
    (folder / QUANTIZED).write_bytes(ONNX)
    (folder / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_text(json.dumps({"model": "x" * 5000}), encoding="utf-8")
    return folder


@pytest.mark.browser
def test_both_visits_are_counted_as_they_travel(tmp_path: Path) -> None:
    words = [str(_packages(tmp_path / "peers")), str(_from_the_hub(tmp_path / "hub"))]
    ran = subprocess.run([sys.executable, "-c", MEASURES, *words], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    name, model, first, repeat = json.loads(ran.stdout)
    assert (name, model) == ("transformers.js 9.9.9", f"the {QUANTIZED} of hub")
    # Weights as they are with a config of a few bytes; all else compressed: the binary repeats four bytes.
    assert 0 < first["weights"] - len(ONNX) < 50
    assert 0 < first["tokenizer"] < 100
    packed = len(brotli.compress(WASM)) + len(brotli.compress(STANDS_IN.encode()))
    assert packed < first["runtime"] < packed + 2000
    assert not any(repeat.values())


def test_a_file_of_the_hub_is_taken_as_it_is(tmp_path: Path) -> None:
    write_peer_model(_from_the_hub(tmp_path / "hub"), tmp_path / "made")
    assert (tmp_path / "made" / QUANTIZED).read_bytes() == ONNX


def test_without_one_it_is_made_of_our_floats_and_of_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_source: Path, folder: Path, quantize: bool) -> None:
        if (folder / "onnx").exists():
            raise ValueError("the graph ends in Gemm, which is no pooling")
        (folder / "onnx").mkdir(parents=True)
        for name in ("model.onnx", *(["model_quantized.onnx"] if quantize else [])):
            (folder / "onnx" / name).write_bytes(ONNX)

    monkeypatch.setattr("bench.onnx_for_pipelines.write_pipeline_folder", write)
    floats = _from_the_hub(tmp_path / "floats")
    (floats / QUANTIZED).unlink()
    (floats / "manifest.json").write_text('{"name": "tiny", "architecture": "bert"}', encoding="utf-8")
    assert "quantize_dynamic" in write_peer_model(floats, tmp_path / "made")
    assert [path.name for path in (tmp_path / "made" / "onnx").iterdir()] == ["model_quantized.onnx"]
    with pytest.raises(BenchError, match="no pooling"):
        write_peer_model(floats, tmp_path / "made")


def test_the_server_serves_nothing_but_its_files() -> None:
    from starlette.testclient import TestClient

    assert TestClient(peer_application({})).get("/etc/passwd").status_code == 404
