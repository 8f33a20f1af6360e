"""The files that peers need beside the artifact's own, made into a temporary folder that the server serves."""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench import peers
from bench.model_folder import ModelFolder
from bench.scan_job import Chain, ValueFile, our_job, peer_inputs
from bench.scan_values import scan_values
from bench.settings import OURS, BenchSettings
from webapp import Settings, site_files

ADDRESS = "/bench-peers/made/"
NPM = "/bench-peers/npm/"
LAST_LOGITS = "last-logits.onnx"
PIPELINE = "pipeline"
GGUF = "model.gguf"
SCAN = "scan"


class Made:
    """Makes what a peer needs when it is asked for the peer's job."""

    def __init__(self, folder: Path, model: ModelFolder) -> None:
        self._folder, self._model = folder, model

    def job(self, name: str, settings: BenchSettings) -> dict[str, Any]:
        """What the driver of the peer is told."""
        if name == "transformers.js":
            return self._pipeline(settings)
        if name == "wllama":
            return self._gguf()
        return self._onnx(settings.onnxruntime_build, last=name == "onnxruntime-web-last")

    def _onnx(self, build: str, last: bool) -> dict[str, Any]:
        from bench.onnx_last_logits import output_names, write_last_logits

        source = self._model.path / "model.onnx"
        address = self._model.address + source.name
        if last:
            write_last_logits(source, self._folder / LAST_LOGITS)
            address = ADDRESS + LAST_LOGITS
        return {
            "build": build,
            "onnx": address,
            "externalData": self._model.external_data(),
            "outputs": output_names(source),
        }

    def _pipeline(self, settings: BenchSettings) -> dict[str, Any]:
        from bench.onnx_for_pipelines import write_pipeline_folder

        quantized = self._model.manifest["quantization"] != "f32"
        source = settings.float_folder or self._model.path
        if quantized and settings.float_folder is None:
            raise ValueError("its quantized model is made of the f32 one: name that artifact with --float")
        folder = self._folder / PIPELINE
        dtype = write_pipeline_folder(source / "model.onnx", folder, quantized)
        config = {"model_type": self._model.manifest["architecture"]}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(self._model.path / file, folder / file)
        return {"folder": PIPELINE, "dtype": dtype}

    def _gguf(self) -> dict[str, Any]:
        from bench.gguf_of_artifact import write_gguf

        write_gguf(self._model.path, self._model.manifest, self._folder / GGUF)
        return {"gguf": ADDRESS + GGUF, "context": self._model.manifest["context"]}

    def scan(self, chain: Chain, tokens: int, builds: Mapping[str, str]) -> dict[str, Any]:
        """Engine -> what the page is told of the scan over so many tokens, ours first; `builds` are the peers'."""
        from bench.onnx_scan import write_scan_model

        name = f"{SCAN}-{tokens}"
        values, file = scan_values(chain.constants, tokens, chain.tier), ValueFile()
        shared = {"data": f"{ADDRESS}{name}.bin"}
        jobs = {OURS: our_job(chain, values, file) | shared}
        if builds:
            write_scan_model(self._model.path / "model.onnx", self._folder / f"{name}.onnx", values)
            peer = {"onnx": f"{ADDRESS}{name}.onnx", "inputs": peer_inputs(values, file)} | shared
            jobs |= {engine: {"build": build} | peer for engine, build in builds.items()}
        (self._folder / f"{name}.bin").write_bytes(file.data())
        return jobs

    def runtime(self, name: str, addresses: Iterable[str]) -> dict[str, int]:
        """Bytes of code that the engine loaded, weights and models left out."""
        if name == OURS:
            served = site_files(Settings().site)
            return peers.runtime_bytes(
                served[part] for part in addresses if part.startswith("/engine/") and part in served
            )
        modules = peers.FOLDER / "node_modules"
        return peers.runtime_bytes(
            modules / part.removeprefix(NPM) for part in addresses if part.startswith(NPM)
        )
