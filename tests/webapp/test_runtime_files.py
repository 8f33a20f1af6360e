"""What is served for browsers without WebGPU, and which two scripts may then run WebAssembly."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.provide_runtime import BINARY, MODULES, write
from tests.webapp.served import running
from tests.webapp.test_headers import assert_secure
from webapp import Settings, WebappError, write_bundle
from webapp.headers import POLICY, SECURITY_HEADERS, WASM_POLICY, WASM_WORKERS

FILES = {**{name: name.encode() * 300 for name in MODULES}, BINARY: bytes(range(256)) * 9}


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    write(FILES, tmp_path / "runtime")
    return tmp_path / "runtime"


def test_it_is_served_as_it_lies_there(site: Path, runtime: Path) -> None:
    (runtime / "notes.mjs").write_text("secret")
    described = json.loads((runtime / "runtime.json").read_text())
    with running(Settings(site=site, runtime=runtime)) as client:
        packed = client.get(
            f"/runtime/{described['binary']['file']}", headers={"Accept-Encoding": "br, gzip"}
        )
        assert "content-encoding" not in packed.headers
        assert packed.headers["cache-control"].endswith("immutable")
        assert hashlib.sha256(packed.content).hexdigest() == described["binary"]["sha256"]
        for name in ("runtime.json", *MODULES):
            assert client.get(f"/runtime/{name}").content == (runtime / name).read_bytes()
        assert client.get("/runtime/notes.mjs").status_code == 404


def test_only_the_workers_that_compute_may_run_webassembly(site: Path, runtime: Path) -> None:
    worker = site / "engine" / "wasm" / "worker.js"
    worker.parent.mkdir()
    worker.write_text("postMessage(1)")
    with running(Settings(site=site, runtime=runtime)) as client:
        for url in WASM_WORKERS:
            answer = client.get(url)
            assert answer.status_code == 200
            assert answer.headers.get_list(POLICY) == [WASM_POLICY]
        for url in (
            "/",
            "/app/main.js",
            "/runtime/ort.wasm.min.mjs",
            "/engine/wasm/",
            "/engine/wasm/worker.js/",
        ):
            assert_secure(client.get(url))
    assert WASM_POLICY.count("unsafe") == 1
    assert "http" not in WASM_POLICY
    assert "*" not in WASM_POLICY


def test_without_it_there_is_none(site: Path) -> None:
    with running(Settings(site=site)) as client:
        assert client.get("/runtime/runtime.json").status_code == 404


@pytest.mark.parametrize("damage", ["{}", '{"format":"thistledown-runtime","version":2}', "no JSON"])
def test_a_damaged_one_is_refused_at_the_start(site: Path, runtime: Path, damage: str) -> None:
    (runtime / "runtime.json").write_text(damage)
    with pytest.raises(WebappError, match="provide_runtime"), running(Settings(site=site, runtime=runtime)):
        pass


def test_the_catalogue_counts_it_in_a_visit_without_webgpu(
    site: Path, runtime: Path, make_artifact: Callable[..., Path]
) -> None:
    with running(Settings(folders=(make_artifact(),), site=site, runtime=runtime)) as client:
        (model,) = client.get("/models/catalogue.json").json()["models"]
        manifest = client.get("/models/tiny/manifest.json").json()
        shard = manifest["shards"][0]["file"]
        urls = [f"/models/tiny/{name}" for name in ("manifest.json", "model.onnx", "tokenizer.json", shard)]
        urls += [f"/runtime/{path.name}" for path in runtime.iterdir()]
        costs: dict[str, Any] = model["manifest"]
        assert costs["downloadBytes"]["wasm"] == sum(len(client.get(url).content) for url in urls)
        travels = 0
        for url in urls:
            with client.stream("GET", url, headers={"Accept-Encoding": "gzip, br"}) as answer:
                travels += sum(map(len, answer.iter_raw()))
        assert costs["transferBytes"]["wasm"] == travels


def test_a_bundle_carries_it_and_lets_its_workers_run(
    site: Path, runtime: Path, artifact: Path, tmp_path: Path
) -> None:
    out = tmp_path / "public"
    write_bundle([artifact], out, site=site, runtime=runtime)
    assert {path.name for path in (out / "runtime").iterdir()} == {path.name for path in runtime.iterdir()}
    lines = (out / "_headers").read_text().splitlines()
    assert lines[1:7] == [f"  {name}: {value}" for name, value in SECURITY_HEADERS.items()]
    rules = [line for url in WASM_WORKERS for line in (url, f"  ! {POLICY}", f"  {POLICY}: {WASM_POLICY}")]
    assert lines[-len(rules) :] == rules
