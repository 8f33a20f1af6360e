"""Takes the GPU from the engine's worker at a call told, and tells what the caller of the engine saw of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import CHROMIUM_FLAGS
from tests.site.conftest import EnginePage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FAULTS = (Path(__file__).parent / "faults" / "gpu.js").read_text("utf-8")

# After `inject()` the worker of the next load loses its GPU as `args.fatal` says, if at all;
# `arm(fatal)` tells a worker that runs.
INJECT = """
  const asBlob = (text) => URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const Plain = globalThis.Worker;
  const inject = () => {
    globalThis.Worker = class extends Plain {
      constructor(url, options) {
        const first = asBlob(`globalThis.fatalAtFirst = ${JSON.stringify(args.fatal ?? null)};` + args.faults);
        super(asBlob(`import '${first}'; import '${url}';`), options);
        globalThis.Worker = Plain;
      }
    };
  };
  const channel = new BroadcastChannel('gpu');
  const ask = (question) => new Promise((resolve) => {
    const id = crypto.randomUUID();
    channel.addEventListener('message', ({ data }) => { if (data.answer === id) resolve(data.counts); });
    channel.postMessage({ ...question, id });
  });
  const arm = (fatal) => ask({ fatal });
"""

# `say(model, options)`: what an answer gave its caller.
SAY = """
  const say = async (model, options = {}, each = async () => {}) => {
    const pieces = [];
    const given = { maxTokens: args.tokens, temperature: 0, ...options };
    for await (const piece of model.generate(args.prompt, given)) {
      pieces.push(piece);
      await each(pieces.length);
    }
    return { ids: pieces.map(({ id }) => id), text: pieces.map(({ text }) => text).join('') };
  };
"""


@contextmanager
def crashing(browser: "Browser", chromium: Path, origin: str, *, blocks: bool) -> Iterator[EnginePage]:
    """A page in a browser of its own that can `crashGpu()`; `blocks`: as visitors have it, who lose the GPU."""
    flags = ["--disable-gpu-process-crash-limit", "--disable-domain-blocking-for-3d-apis"]
    args = [*CHROMIUM_FLAGS, *([] if blocks else flags)]
    other = browser.browser_type.launch(executable_path=chromium, args=args)
    try:
        page = EnginePage(other.new_page())
        session = other.new_browser_cdp_session()
        page.page.expose_function("crashGpu", lambda: session.send("Browser.crashGpuProcess"))
        page.page.goto(origin)
        yield page
        assert page.uncaught == []
    finally:
        other.close()
