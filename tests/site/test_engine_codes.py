"""Every way to fail is caused once, for real, and has its own code: what, where, and what to do next."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import A, Artifact, B, Json, _buffer, embedding_artifact, generation_artifact
from tests.site.engine_server import EngineServer, Fault
from tests.site.gpu_losses import FAULTS, INJECT
from tests.site.test_engine_faults import DOWNLOAD

pytestmark = pytest.mark.browser

ERRORS = Path(__file__).parents[2] / "site" / "engine" / "errors.js"
LEAST = 30
LOAD = "await engine.load(args.url);"
LOADED = "const model = await engine.load(args.url); "
SAY = LOADED + "for await (const _ of model.generate(...args.given));"
GIB = 2**30
# The worker's first script is one of the test's.
PRELOADED = "const preload = (code) => { args.faults = code; inject(); };"


@dataclass(frozen=True)
class Cause:
    """What is done so that the engine fails: to an artifact and its server, then in the page."""

    body: str = LOAD
    bend: Callable[[Artifact], None] | None = None
    faults: tuple[Fault, ...] = ()
    make: Callable[[], Artifact] = embedding_artifact
    given: tuple[object, ...] = field(default=("ab", {}))


def generator(**generation: Any) -> Callable[[], Artifact]:
    return lambda: generation_artifact([A, B], **generation)


def _in_plan(**changes: object) -> Callable[[Artifact], None]:
    return lambda artifact: artifact.plan.update(changes)


def _limit_beyond(artifact: Artifact) -> None:
    artifact.plan["limits"]["maxBufferSize"] = 2**50


def _sixty_four_gibibytes(artifact: Artifact) -> None:
    plan = artifact.plan
    plan["buffers"] += [_buffer(f"large {i}", "activation", GIB) for i in range(64)]
    for part in ("activations", "total"):
        plan["memory"][part] += 64 * GIB
    plan["limits"] |= dict.fromkeys(("maxBufferSize", "maxStorageBufferBindingSize"), GIB)


def _wrong_canary(artifact: Artifact) -> None:
    rows = [[[index, 1000 - 100 * index] for index in range(8)]] * 2
    artifact.manifest["canary"] = {"ids": [A, B], "exponent": 20, "rows": rows}


def _template(artifact: Artifact) -> None:
    artifact.texts["chat_template.json"] = {"template": "{{ raise_exception('no') }}", "variables": {}}


def _strange_tokenizer(artifact: Artifact) -> None:
    artifact.tokenizer["model"]["type"] = "Strange"


MESSAGES = [{"role": "user", "content": "ab"}]
SCHEMA = {"type": "json_schema", "json_schema": {"schema": {"type": "object", "minProperties": 1}}}
NO_ADAPTER = "navigator.gpu.requestAdapter = async () => null; "
CAUSES: dict[str, Cause] = {
    "NO_WEBGPU": Cause("Object.defineProperty(navigator, 'gpu', { value: undefined }); " + LOAD),
    "NO_ADAPTER": Cause(NO_ADAPTER + LOAD),
    "NO_WASM": Cause("await engine.load(args.url, { backend: 'wasm' });"),
    "GPU_BLOCKED": Cause("await engine.inspect(args.url); " + NO_ADAPTER + LOAD),
    "MISSING_FEATURE": Cause(bend=_in_plan(features=["no-such-feature"])),
    "NOT_ENOUGH_MEMORY": Cause(
        "Object.defineProperty(navigator, 'deviceMemory', { value: 2 ** -25 }); " + LOAD
    ),
    "LIMIT_EXCEEDED": Cause(bend=_limit_beyond),
    "MANIFEST_INVALID": Cause(bend=lambda artifact: artifact.manifest.update(task="singing")),
    "MANIFEST_CHANGED": Cause("await engine.load(args.url, { sha256: '0'.repeat(64) });"),
    "PLAN_INVALID": Cause(bend=_in_plan(version=2)),
    "OTHER_BASE": Cause(LOADED + "await model.setAdapter(args.adapter);", make=generator()),
    "TOKENIZER_INVALID": Cause(bend=_strange_tokenizer),
    "NOT_AN_ARTIFACT": Cause(faults=(Fault("manifest.json", "html"),)),
    "FILE_MISSING": Cause(faults=(Fault("tokenizer.json", "missing"),)),
    "FILE_TRUNCATED": Cause(DOWNLOAD, faults=(Fault(".bin", "truncated"),)),
    "FILE_TOO_LONG": Cause(DOWNLOAD, faults=(Fault(".bin", "too long"),)),
    "FILE_CORRUPTED": Cause(DOWNLOAD, faults=(Fault(".bin", "corrupted"),)),
    "NETWORK_FAILED": Cause("await engine.load('http://127.0.0.1:9/models/x/');"),
    "OFFLINE": Cause(),
    "CONNECTION_STALLED": Cause(DOWNLOAD, faults=(Fault(".bin", "stalled"),)),
    "SERVER_FAILED": Cause(faults=(Fault("manifest.json", "broken"),)),
    "ACCESS_DENIED": Cause(faults=(Fault("tokenizer.json", "denied"),)),
    "WORKER_FAILED": Cause(INJECT + PRELOADED + "preload('throw new Error(1)'); " + LOAD),
    "ABORTED": Cause("await engine.load(args.url, { signal: AbortSignal.abort() });"),
    "DEVICE_LOST": Cause(INJECT + "args.fatal = { name: 'submit', after: 0, times: 9 }; inject(); " + LOAD),
    "OUT_OF_MEMORY": Cause(
        "Object.defineProperty(navigator, 'deviceMemory', { value: undefined }); " + LOAD,
        bend=_sixty_four_gibibytes,
    ),
    "WRONG_RESULTS": Cause(bend=_wrong_canary, make=generator()),
    "INPUT_TOO_LONG": Cause(SAY, make=generator(), given=("ab" * 40, {})),
    "STATE_INVALID": Cause(LOADED + "await model.restoreState(new ArrayBuffer(64));", make=generator()),
    "NO_CHAT_TEMPLATE": Cause(SAY, make=generator(), given=(MESSAGES, {})),
    "TEMPLATE_FAILED": Cause(
        SAY, bend=_template, make=generator(chat={"template": "chat_template.json"}), given=(MESSAGES, {})
    ),
    "BAD_ARGUMENT": Cause(SAY, make=generator(), given=("ab", {"temperature": -1})),
    "SCHEMA_UNSUPPORTED": Cause(SAY, make=generator(), given=("ab", {"constraint": SCHEMA})),
    "UNLOADED": Cause(LOADED + "await model.unload(); await model.embed(['far']);"),
    "INTERNAL": Cause(
        INJECT + PRELOADED + "preload('navigator.locks.request = () => { throw new Error(1); };'); " + LOAD
    ),
}


def adapter_of_another(manifest: Json) -> Json:
    """An adapter's manifest that is right in itself."""
    base = {"name": "other", "weights": "0" * 64, "context": manifest["context"]}
    shard, plans = manifest["shards"][0], manifest["plans"]
    facts = {"name": "poet", "base": base, "rank": 1, "parameters": 1, "shard": shard, "plans": plans}
    return {"format": "thistledown-adapter", "version": 1, **facts, "files": []}


@contextmanager
def offline(page: EnginePage, *, truly: bool) -> Iterator[None]:
    page.page.evaluate("import('/engine/index.js')")
    page.page.context.set_offline(truly)
    yield
    page.page.context.set_offline(False)


def failure(page: EnginePage, server: EngineServer, code: str) -> dict[str, Any]:
    cause = CAUSES[code]
    artifact = cause.make()
    if cause.bend:
        cause.bend(artifact)
    files = artifact.files()
    manifest = json.loads(files["manifest.json"])
    server.faults.extend(Fault(fault.suffix, fault.kind) for fault in cause.faults)
    adapter = json.dumps(adapter_of_another(manifest)).encode()
    args = {
        "url": server.add("tiny", files),
        "adapter": server.add("poet", {"manifest.json": adapter}),
        "shard": manifest["shards"][0],
        "given": cause.given,
        "faults": FAULTS,
    }
    with offline(page, truly=code == "OFFLINE"):
        error = page.fails(cause.body, **args)
    server.released.set()
    return error


@pytest.mark.parametrize("code", CAUSES)
def test_each_fault_has_its_own_code(engine_page: EnginePage, engine_server: EngineServer, code: str) -> None:
    """Its message is what and where, and ends with what to do next."""
    error = failure(engine_page, engine_server, code)
    assert error["code"] == code, error["message"]
    remedy = engine_page.run("return engine.errors.byCode[args.code].remedy", code=code)
    what = error["message"].removesuffix(f" {remedy}")
    assert error["message"].endswith(f". {remedy}")
    assert len(what) > 15, error["message"]


def test_every_code_is_caused_and_declared(engine_page: EnginePage) -> None:
    body = """
      const types = Object.entries(engine.errors.byCode);
      return types.map(([code, type]) => ({ code, name: type.name, remedy: type.remedy }));
    """
    found = engine_page.run(body)
    assert len(found) >= LEAST
    # It takes a model on the CPU: tests/whole/test_wasm_in_the_browser.py causes it.
    assert {row["code"] for row in found} == {*CAUSES, "NEEDS_WEBGPU"}
    assert len({row["name"] for row in found}) == len(found)
    assert ERRORS.read_text("utf-8").count("static code = ") == len(found)
    declared = (ERRORS.parent / "types" / "index.d.ts").read_text("utf-8")
    union = declared.partition("export type ErrorCode =")[2].partition(";")[0]
    assert set(union.replace("|", " ").replace("'", " ").split()) == {*CAUSES, "NEEDS_WEBGPU"}
