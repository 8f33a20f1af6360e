"""Real artifacts behind the real server, for the engine and the pages in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.tiny_granite import VARIANTS
from tests.tiny_models import DECODERS
from tests.webapp.served import running
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Make = Callable[..., Path]

SCHEMES = ("f32", "f16", "q8", "q4")


@pytest.fixture(scope="session")
def embedders(artifact: Make) -> dict[str, Path]:
    """MiniLM in every scheme, for texts of up to 512 tokens."""
    return {scheme: artifact("minilm", quantize=scheme, context=512) for scheme in SCHEMES}


@pytest.fixture(scope="session")
def writers(tiny_granite: Make, artifact: Make) -> list[tuple[Path, Path]]:
    """Tiny Granite checkpoints of every kind, each with its artifact in f32."""
    sources = [tiny_granite(**variant) for variant in VARIANTS]
    return [(source, artifact(source, quantize="f32", context=512)) for source in sources]


@pytest.fixture(scope="session")
def decoders(tiny_model: Callable[[str], Path], artifact: Make) -> dict[str, tuple[Path, Path]]:
    """The first tiny checkpoint of every other architecture, each with its artifact in f32, by name."""
    first = {row.model_type: name for name, row in reversed(DECODERS.items())}
    sources = {name: tiny_model(name) for name in first.values()}
    return {name: (source, artifact(source, quantize="f32")) for name, source in sources.items()}


@pytest.fixture(scope="session")
def address(
    embedders: dict[str, Path],
    writers: list[tuple[Path, Path]],
    decoders: dict[str, tuple[Path, Path]],
) -> Iterator[str]:
    """The server of all of them."""
    folders = (*embedders.values(), *(folder for _, folder in (*writers, *decoders.values())))
    with running(Settings(folders=folders)) as client:
        yield str(client.base_url.copy_with(host="localhost"))


@pytest.fixture(scope="module")
def tab(browser: "Browser", address: str) -> "Iterator[Page]":
    """A tab on the served site, with an empty cache."""
    context = browser.new_context(service_workers="block")
    tab = context.new_page()
    tab.set_default_timeout(240_000)
    tab.goto(f"{address}/generate.html")
    yield tab
    context.close()


CALL = """async ([folder, options, args]) => {
  const { load } = await import('/engine/index.js');
  const model = await load(`/models/${folder}/`, options);
  try { return await (async () => { %s })(); } finally { await model.unload(); }
}"""


@pytest.fixture(scope="module")
def play(tab: "Page") -> Callable[..., Any]:
    """`play(folder, body, tier=..., **args)`: loads the model, runs the JavaScript `body`, unloads."""

    def run(folder: Path, body: str, tier: str = "base", **args: object) -> Any:
        return tab.evaluate(CALL % body, [folder.name, {"tier": tier}, args])

    return run
