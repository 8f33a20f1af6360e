"""Models without WebGPU: the same artifacts in onnxruntime-web on the CPU say what the plans say on SwiftShader."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.sentences import SENTENCES
from tests.tiny_granite import random_ids
from tests.webapp.served import running
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

Folders = dict[str, Path]
LIMIT = 1e-3
TEXT = "The lightest thing that travels"
WRITERS = ("granite", "llama-gqa-untied")
BACKENDS = ("webgpu", "wasm")


@pytest.fixture(scope="module")
def folders(tiny_granite: Any, tiny_model: Any, tiny_encoder: Any, artifact: Callable[..., Path]) -> Folders:
    """A tiny hybrid, decoder and encoders, in f32 and one in q8, by name."""
    made = {
        "granite": artifact(tiny_granite(), quantize="f32", context=512),
        "llama-gqa-untied": artifact(tiny_model("llama-gqa-untied"), quantize="q8"),
    }
    readers = ("distilbert-classes", "bert-words", "bert-masked")
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
    prompts = [(random_ids(n), split) for n, split in ((1, None), (7, [2, 5]), (150, None), (70, [31, 39]))]
    gpu, cpu = (play_on(on, folders[name], WRITTEN, prompts=prompts, text=TEXT) for on in BACKENDS)
    for one, other in zip(gpu["found"], cpu["found"], strict=True):
        assert float(np.abs(np.array(one) - np.array(other)).max()) < LIMIT
    assert cpu["ids"] == gpu["ids"]
    assert [each["info"]["backend"] for each in (gpu, cpu)] == list(BACKENDS)
    assert cpu["info"]["tier"] is None
    assert "onnxruntime-web" in cpu["info"]["adapter"]["description"]
