"""What docs/engine.md shows runs as it stands there."""

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from exporter.adapters import make_adapter
from tests.architecture.tree import read
from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import A, B, embedding_artifact, generation_artifact
from tests.site.engine_server import EngineServer
from tests.site.engine_session import folder_files
from tests.tiny_adapters import LLAMA_TARGETS

pytestmark = pytest.mark.browser

PAGE = read(PurePosixPath("docs/engine.md"))
IMPORT = re.compile(r"import (\{ \w+ \}) from '/engine/index.js';")


def body(index: int, result: str) -> str:
    """The example of that number as a function's body."""
    code = re.findall(r"^```js\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[index]
    assert IMPORT.search(code)
    # The test's server has models at addresses of its own.
    code = re.sub(r"'/models/(\w+)/'", r"args.\1", code)
    return IMPORT.sub(r"const \1 = await import('/engine/index.js');", code) + f"\nreturn {result};"


def test_sentences_are_compared(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("minilm", embedding_artifact().files())
    found = engine_page.run(body(0, "[likeness, cat.data.length]"), minilm=url)
    assert isinstance(found[0], float)
    assert found[1] == 4


def test_text_is_written(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("granite", generation_artifact([A, B]).files())
    assert "b" in engine_page.run(body(1, "text"), granite=url)


def test_an_adapter_is_put_on(
    engine_page: EnginePage,
    engine_server: EngineServer,
    tiny_model: Callable[[str], Path],
    artifact: Callable[..., Path],
    adapters: Callable[..., Path],
    tmp_path: Path,
) -> None:
    source = tiny_model("llama-gqa-untied")
    base = artifact(source, quantize="f32")
    made = make_adapter(base, adapters(source, LLAMA_TARGETS, r=5), tmp_path / "poet").folder
    urls = {
        name: engine_server.add(name, folder_files(at)) for name, at in (("granite", base), ("poet", made))
    }
    text, rank, left = engine_page.run(body(2, "[text, rank, model.adapter]"), **urls)
    assert text
    assert (rank, left) == (5, None)


def test_the_options_are_those_of_the_door() -> None:
    door = read(PurePosixPath("site/engine/index.js"))
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) - {"option"}
    typedef = door[door.index("@typedef {object} LoadOptions") :]
    known = set(re.findall(r"@property \{[^\n]*?\} \[(\w+)\]", typedef[: typedef.index("*/")]))
    assert told == known
