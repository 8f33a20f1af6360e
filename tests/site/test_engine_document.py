"""What docs/engine.md shows runs as it stands there."""

import re
from pathlib import PurePosixPath

import pytest

from tests.architecture.tree import read
from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import A, B, embedding_artifact, generation_artifact
from tests.site.engine_server import EngineServer

pytestmark = pytest.mark.browser

PAGE = read(PurePosixPath("docs/engine.md"))
IMPORT = re.compile(r"import (\{ \w+ \}) from '/engine/index.js';")


def body(index: int, result: str) -> str:
    """The example of that number as a function's body."""
    code = re.findall(r"^```js\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[index]
    assert IMPORT.search(code)
    # The test's server has models at addresses of its own.
    code = re.sub(r"'/models/\w+/'", "args.url", code)
    return IMPORT.sub(r"const \1 = await import('/engine/index.js');", code) + f"\nreturn {result};"


def test_sentences_are_compared(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("minilm", embedding_artifact().files())
    found = engine_page.run(body(0, "[likeness, cat.data.length]"), url=url)
    assert isinstance(found[0], float)
    assert found[1] == 4


def test_text_is_written(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("granite", generation_artifact([A, B]).files())
    assert "b" in engine_page.run(body(1, "text"), url=url)


def test_the_options_are_those_of_the_door() -> None:
    door = read(PurePosixPath("site/engine/index.js"))
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) - {"option"}
    typedef = door[door.index("@typedef {object} LoadOptions") :]
    known = set(re.findall(r"@property \{[^\n]*?\} \[(\w+)\]", typedef[: typedef.index("*/")]))
    assert told == known
