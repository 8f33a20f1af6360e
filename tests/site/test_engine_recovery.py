"""A GPU that is lost at any point: the model goes on with another, and its caller sees no other token for it."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import E1, E2, SPACE, A, B, C, generation_artifact
from tests.site.engine_server import EngineServer
from tests.site.gpu_losses import FAULTS, INJECT, SAY

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

PROMPT, TOKENS = "abcab", 12
SCRIPT = [0, 0, 0, 0, A, SPACE, E1, E2, B, C, A, SPACE, B, E1, E2, C]

# A ring of one makes each token a submit of its own, and so each can be the last that a GPU says.
RING = 1
# (call, how many of it come before the one that kills)
LOADING = [
    *(("createBuffer", n) for n in (0, 6, 12)),
    *(("popErrorScope", n) for n in (0, 1, 3, 5, 7, 9)),
    *(("createShaderModule", n) for n in (0, 3)),
    *(("createComputePipelineAsync", n) for n in (0, 1, 3)),
    *(("createBindGroup", n) for n in (0, 3)),
    *((name, 0) for name in ("writeBuffer", "submit", "onSubmittedWorkDone")),
]
SAYING = [
    *(("writeBuffer", n) for n in range(1, 7)),
    *(("submit", n) for n in range(1, 4 + TOKENS)),
    *(("onSubmittedWorkDone", n) for n in range(1, 4)),
    *(("mapAsync", n) for n in range(TOKENS)),
]

EACH = """
  const found = [];
  for (const fatal of args.points) {
    args.fatal = fatal;
    inject();
    const model = await engine.load(args.url);
    const { ids, text } = await say(model);
    const { recoveries, generation, networkBytes } = model.stats();
    found.push({ ids, text, recoveries, generation, networkBytes });
    await model.unload();
    if (args.forget) await engine.forget(args.url);
  }
  return found;
"""


def losses(points: list[tuple[str, int]]) -> list[dict[str, Any] | None]:
    """Without a loss, and with one at each point."""
    return [None, *({"name": name, "after": after} for name, after in points)]


@pytest.mark.parametrize(("when", "options"), [("loading", {}), ("saying", {})])
def test_a_loss_changes_no_token(
    engine_page: EnginePage, engine_server: EngineServer, when: str, options: dict[str, Any]
) -> None:
    files = generation_artifact(SCRIPT, ring=RING).files()
    given = {"faults": FAULTS, "prompt": PROMPT, "tokens": TOKENS, "forget": when == "loading"}
    points = LOADING if when == "loading" else SAYING
    url = engine_server.add("tiny", files)
    usual, *found = engine_page.run(INJECT + SAY + EACH, url=url, points=losses(points), **given)
    assert usual["ids"] == SCRIPT[4:]
    assert usual["recoveries"] == []
    for point, one in zip(points, found, strict=True):
        assert (one["ids"], one["text"]) == (usual["ids"], usual["text"]), point
        assert [recovery["ms"] > 0 for recovery in one["recoveries"]] == [True], point
        assert one["generation"]["tokens"] == TOKENS, point
        assert one["networkBytes"] == (usual["networkBytes"] if when == "loading" else 0), point
