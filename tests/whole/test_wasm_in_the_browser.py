"""Models without WebGPU: the same artifacts in onnxruntime-web on the CPU say what the plans say on SwiftShader."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bench.download.visits import visit
from exporter.report import cpu_files, measure_artifact, read_runtime, situations_of
from tests.sentences import SENTENCES
from tests.tiny_models import random_ids
from tests.webapp.served import running
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

Folders = dict[str, Path]
LIMIT = 1e-3
TEXT = "The lightest thing that travels"
WRITERS = ("granite", "llama-gqa-untied")
BACKENDS = ("webgpu", "wasm")


@pytest.fixture(scope="module")
def folders(tiny_granite: Any, tiny_model: Any, tiny_encoder: Any, artifact: Callable[..., Path]) -> Folders:
    """A tiny hybrid, decoder and encoders, in f32 and q8, by name."""
    made = {
        "granite": artifact(tiny_granite(), quantize="f32", context=512),
        "llama-gqa-untied": artifact(tiny_model("llama-gqa-untied"), quantize="q8"),
    }
    readers = ("distilbert-classes", "bert-words", "bert-masked")
    made["minilm"] = artifact("minilm", quantize="q8", context=512)
    return made | {name: artifact(tiny_encoder(name), quantize="f32") for name in readers}


@pytest.fixture(scope="module")
def address(folders: Folders, runtime: Path) -> Iterator[str]:
    with running(Settings(folders=tuple(folders.values()), runtime=runtime)) as client:
        yield str(client.base_url.copy_with(host="localhost"))


CALL = """async ([folder, options, args]) => {
  const { load } = await import('/engine/index.js');
  const model = await load(`/models/${folder}/`, options);
  try { return await (async () => { %s })(); } finally { await model.unload(); }
}"""
Play = Callable[..., Any]


@pytest.fixture(scope="module")
def play_on(tab: "Page") -> Play:
    """`play_on(backend, folder, body, **args)`: loads the model there, runs the JavaScript `body`, unloads."""

    def run(backend: str, folder: Path, body: str, **args: object) -> Any:
        return tab.evaluate(CALL % body, [folder.name, {"backend": backend}, args])

    return run


WRITTEN = """
const found = [];
for (const [ids, split] of args.prompts) found.push(Array.from(await model.logits(ids, split ? { split } : {})));
const ids = [];
for await (const piece of model.generate(args.text, { maxTokens: 32, temperature: 0 })) ids.push(piece.id);
return { found, ids, info: model.info };
"""


@pytest.mark.parametrize("name", WRITERS)
def test_logits_and_greedy_tokens_are_those_of_webgpu(play_on: Play, folders: Folders, name: str) -> None:
    prompts = [
        (random_ids(n, 300), split) for n, split in ((1, None), (7, [2, 5]), (150, None), (70, [31, 39]))
    ]
    gpu, cpu = (play_on(on, folders[name], WRITTEN, prompts=prompts, text=TEXT) for on in BACKENDS)
    for one, other in zip(gpu["found"], cpu["found"], strict=True):
        assert float(np.abs(np.array(one) - np.array(other)).max()) < LIMIT
    assert cpu["ids"] == gpu["ids"]
    assert [each["info"]["backend"] for each in (gpu, cpu)] == list(BACKENDS)
    assert cpu["info"]["tier"] is None
    assert "onnxruntime-web" in cpu["info"]["adapter"]["description"]


@pytest.mark.parametrize(
    ("name", "method", "texts"),
    [
        ("minilm", "embed", SENTENCES[:6]),
        ("distilbert-classes", "classify", SENTENCES[:6]),
        ("bert-words", "classifyTokens", SENTENCES[:6]),
        ("bert-masked", "fillMask", ("The [MASK] is here.", "[MASK] and [MASK]", "so [MASK] " * 9)),
    ],
)
def test_texts_are_read_as_webgpu_reads_them(
    play_on: Play, folders: Folders, name: str, method: str, texts: tuple[str, ...]
) -> None:
    body = """
    const numbers = (value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
    const found = await model[args.method](args.texts);
    return JSON.parse(JSON.stringify(found, (_, value) => numbers(value)));
    """
    gpu, cpu = (play_on(on, folders[name], body, method=method, texts=texts) for on in BACKENDS)
    words, figures = _leaves(gpu)
    assert _leaves(cpu)[0] == words
    assert float(np.abs(np.array(_leaves(cpu)[1]) - np.array(figures)).max()) < LIMIT
    assert len(figures) > len(texts)


def _leaves(found: Any) -> tuple[list[Any], list[float]]:
    """What a result says in words and whole numbers, and its other numbers."""
    if isinstance(found, float):
        return [], [found]
    if not isinstance(found, dict | list):
        return [found], []
    parts = [_leaves(part) for part in (found.values() if isinstance(found, dict) else found)]
    return [word for words, _ in parts for word in words], [each for _, some in parts for each in some]


SAMPLED = """
const write = async (options) => {
  let text = '';
  const ids = [];
  for await (const piece of model.generate(args.text, { maxTokens: 24, ...options })) {
    ids.push(piece.id);
    text += piece.text;
  }
  return { ids, text, stats: model.stats().generation };
};
const free = await write({ temperature: 0 });
return {
  free,
  sampled: await Promise.all(args.sampling.map((options) => write(options))),
  stopped: await write({ temperature: 0, stop: free.text.slice(8, 12) }),
};
"""
SAMPLING = [
    {"temperature": 1, "seed": 1},
    {"temperature": 0.7, "topK": 5, "seed": 2},
    {"temperature": 1.5, "topP": 0.8, "seed": 3},
    {"temperature": 0.9, "topK": 40, "topP": 0.95, "seed": 4294967295},
]


@pytest.mark.parametrize("name", WRITERS)
def test_sampling_and_stop_texts_are_those_of_webgpu(play_on: Play, folders: Folders, name: str) -> None:
    gpu, cpu = (play_on(on, folders[name], SAMPLED, text=TEXT, sampling=SAMPLING) for on in BACKENDS)
    for one, other in zip([gpu["free"], *gpu["sampled"]], [cpu["free"], *cpu["sampled"]], strict=True):
        assert one["ids"] == other["ids"]
        assert one["text"] == other["text"]
    assert len({str(each["ids"]) for each in gpu["sampled"]}) == len(SAMPLING)
    assert cpu["stopped"]["text"] == gpu["stopped"]["text"]
    assert cpu["stopped"]["stats"]["finish"] == "stop-string"


LOOKED_AT = """
const schema = { enum: ['a€', 'b', { sure: true }] };
const constraint = { type: 'json_schema', json_schema: { schema } };
const written = [];
for (const options of args.sampling) {
  const pieces = [];
  const asked = { maxTokens: 40, logprobs: 3, constraint, ...options };
  for await (const piece of model.generate(args.text, asked)) pieces.push(piece);
  written.push({ pieces, finish: model.stats().generation.finish });
}
const messages = [{ role: 'user', content: 'Where?' }];
const request = { messages, response_format: constraint, seed: 5, max_tokens: 40 };
const { choices: [{ message, finish_reason }], usage } = await model.chat.completions.create(request);
const strange = { type: 'json_schema', json_schema: { schema: { type: 'string', format: 'date' } } };
const refused = await model.generate('a', { constraint: strange }).next().then(() => null, (error) => error.code);
return { written, message, finish_reason, tokens: usage.completion_tokens, refused };
"""


def test_constraints_likelihoods_and_completions_are_those_of_webgpu(play_on: Play, folders: Folders) -> None:
    sampling = [{"temperature": 0}, *SAMPLING]
    gpu, cpu = (play_on(on, folders["granite"], LOOKED_AT, text=TEXT, sampling=sampling) for on in BACKENDS)
    words, figures = _leaves(gpu)
    assert _leaves(cpu)[0] == words
    assert float(np.abs(np.array(_leaves(cpu)[1]) - np.array(figures)).max()) < LIMIT
    assert cpu["refused"] == "SCHEMA_UNSUPPORTED"
    whole = [each["pieces"] for each in cpu["written"] if each["finish"] == "stop"]
    texts = ["".join(piece["text"] for piece in pieces) for pieces in whole]
    assert texts
    assert all(json.loads(text) in ("a€", "b", {"sure": True}) for text in texts)


def test_a_conversation_goes_on_from_what_was_read(play_on: Play, folders: Folders) -> None:
    body = """
    const read = async (prompt) => {
      const ids = [];
      for await (const { id } of model.generate(prompt, { maxTokens: 6, temperature: 0 })) ids.push(id);
      const { promptTokens, reusedTokens } = model.stats().generation;
      return { ids, promptTokens, reusedTokens };
    };
    const long = 'a '.repeat(90);
    const messages = [{ role: 'user', content: 'Where?' }];
    const [first, again, other] = [await read(long), await read(long), await read(long + 'b c d')];
    return { first, again, other, chat: await read(messages) };
    """
    gpu, cpu = (play_on(on, folders["granite"], body) for on in BACKENDS)
    for call, found in cpu.items():
        assert found["ids"] == gpu[call]["ids"]
        assert found["promptTokens"] == gpu[call]["promptTokens"]
    assert cpu["first"]["reusedTokens"] == 0
    assert cpu["again"]["reusedTokens"] == 64
    assert cpu["other"]["reusedTokens"] >= 64


def test_an_abort_an_adapter_and_the_end(play_on: Play, folders: Folders) -> None:
    body = """
    const codeOf = (promise) => promise.then(() => null, (error) => error.code);
    const aborter = new AbortController();
    const until = async () => {
      let count = 0;
      for await (const _ of model.generate('a', { signal: aborter.signal, temperature: 0, maxTokens: 400 })) {
        if (++count === 2) aborter.abort();
      }
    };
    const aborted = await codeOf(until());
    const adapter = await codeOf(model.setAdapter('/models/none/'));
    await model.setAdapter(null);
    const after = (await model.logits([3, 4])).length;
    const running = codeOf((async () => { for await (const _ of model.generate('a', { temperature: 0 })); })());
    await model.unload();
    return { aborted, adapter, after, unloaded: await running, late: await codeOf(model.logits([3])) };
    """
    found = play_on("wasm", folders["granite"], body)
    assert found.pop("after") > 100
    assert found == {
        "aborted": "ABORTED",
        "adapter": "NEEDS_WEBGPU",
        "unloaded": "UNLOADED",
        "late": "UNLOADED",
    }


WITHOUT = {
    "no WebGPU": "delete Navigator.prototype.gpu",
    "no adapter": "GPU.prototype.requestAdapter = async () => null",
    "a fallback adapter": "",
}
INSPECTED = """async (folder) => {
  const { inspect, load } = await import('/engine/index.js');
  const before = await inspect(`/models/${folder}/`);
  const model = await load(`/models/${folder}/`);
  const [{ data }] = await model.embed(['The lightest thing']);
  const { networkBytes, notKept } = model.stats();
  await model.unload();
  const after = await inspect(`/models/${folder}/`);
  return { before, after, networkBytes, notKept, backend: model.info.backend, length: data.length };
}"""


@pytest.mark.parametrize("device", WITHOUT)
def test_auto_takes_the_cpu_where_there_is_no_graphics_processor(
    page: "Page", address: str, folders: Folders, runtime: Path, device: str
) -> None:
    """And says first, to the byte, what that downloads; a second visit downloads nothing of it."""
    page.set_default_timeout(240_000)
    page.add_init_script(f"globalThis.thistledownBackend = undefined; {WITHOUT[device]}")
    page.goto(f"{address}/generate.html")
    found = page.evaluate(INSPECTED, folders["minilm"].name)
    before, after = found["before"], found["after"]
    files = [path.stat().st_size for path in folders["minilm"].iterdir() if _is_visited(path)]
    expected = sum(files) + next(runtime.glob("*.bin")).stat().st_size
    assert (before["backend"], before["ok"], before["tier"]) == ("wasm", True, None)
    assert before["downloadBytes"] == found["networkBytes"] == after["cachedBytes"] == expected
    assert before["cachedBytes"] == 0
    assert found["backend"] == "wasm"
    assert (found["notKept"], found["length"]) == (None, 384)
    assert page.evaluate(INSPECTED, folders["minilm"].name)["networkBytes"] == 0


BROKEN_OFF = """async (folder) => {
  const { inspect, load } = await import('/engine/index.js');
  const url = `/models/${folder}/`;
  const aborter = new AbortController();
  const onProgress = ({ loaded, total }) => { if (loaded > total / 2) aborter.abort(); };
  const broken = load(url, { backend: 'wasm', onProgress, signal: aborter.signal });
  const code = await broken.then(() => null, (error) => error.code);
  const { cachedBytes, downloadBytes } = await inspect(url, { backend: 'wasm' });
  const model = await load(url, { backend: 'wasm' });
  await model.unload();
  return { code, cachedBytes, missing: downloadBytes - cachedBytes, fetched: model.stats().networkBytes };
}"""


def test_a_download_that_broke_off_goes_on(page: "Page", address: str, folders: Folders) -> None:
    """The first time the graph does not come, so something is missing however late the download is given up."""
    page.set_default_timeout(240_000)
    held: list[Route] = []
    page.route("**/model.onnx", lambda route: route.continue_() if held else held.append(route))
    page.goto(f"{address}/generate.html")
    found = page.evaluate(BROKEN_OFF, folders["minilm"].name)
    assert found["code"] == "ABORTED"
    assert found["cachedBytes"] > 0
    # What the worker was about to keep may be there a moment later.
    assert 0 < found["fetched"] <= found["missing"]


def _is_visited(path: Path) -> bool:
    return path.suffix == ".bin" or path.name in ("model.onnx", "tokenizer.packed.json")


def test_nothing_of_it_is_fetched_with_webgpu(browser: "Browser", address: str, folders: Folders) -> None:
    context = browser.new_context()
    page = context.new_page()
    requested: list[str] = []
    context.on("request", lambda request: requested.append(request.url))
    page.goto(f"{address}/models/catalogue.json")
    found = page.evaluate(INSPECTED, folders["minilm"].name)
    context.close()
    assert found["backend"] == "webgpu"
    assert any("/engine/worker.js" in url for url in requested)
    assert [url for url in requested if "/runtime/" in url or "/wasm/" in url or ".onnx" in url] == []


STRICT = """async () => {
  await new Promise((resume) => setTimeout(resume));
  return WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => 'ran', () => 'blocked');
}"""


def test_a_visit_costs_what_the_report_says_and_the_page_stays_strict(
    page: "Page", address: str, folders: Folders, runtime: Path
) -> None:
    """Threads included: the page is isolated, so there are as many as the machine has processors, up to four."""

    def load(tab: "Page", url: str) -> None:
        tab.set_default_timeout(240_000)
        tab.goto(url)
        panel = tab.locator("#model")
        panel.get_by_text("It runs on the processor").wait_for()
        assert "WebAssembly" in panel.inner_text()
        panel.get_by_role("button", name="Load model").click()
        panel.get_by_text("Runs on the processor and takes about").wait_for()
        assert tab.evaluate("crossOriginIsolated")
        assert tab.evaluate(STRICT) == "blocked"

    name, folder = folders["granite"].name, folders["granite"]
    found = visit(page.context, address, f"/generate.html?model=models%2F{name}%2F&backend=wasm", load)
    report = measure_artifact(folder)
    foretold = cpu_files(folder, report, read_runtime(runtime))
    expected = {_address(file, name): size for file, size in foretold.items()}
    assert _counted(found.bodies) == _counted(expected)
    said = situations_of(folder, report, None, None, runtime=runtime)[-1].trips["base"].travels
    assert said == sum(expected.values())


def _address(file: str, model: str) -> str:
    if file.startswith(("site/", "runtime/")):
        return f"/{file.removeprefix('site/')}"
    return f"/models/{model}/{file}"


def _counted(bodies: Mapping[str, int]) -> dict[str, int]:
    """Without the list of models, which is another's, and what a headless browser may or may not ask for."""
    left_out = ("/models/catalogue.json", "/favicon.svg", "/manifest.webmanifest")
    return {address: size for address, size in bodies.items() if address not in left_out}
