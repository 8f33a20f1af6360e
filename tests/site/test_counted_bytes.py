"""What the measured report counts on the wire: bodies that were read to the end, and bodies that were given up."""

import pytest

from bench.download import Wire
from tests.site.conftest import EnginePage
from tests.site.engine_server import EngineServer, Fault

pytestmark = pytest.mark.browser

BYTES = 3 * 2**18
READ = """
  const reader = (await fetch(args.url)).body.getReader();
  let got = 0;
  while (got < args.until) got += (await reader.read()).value.length;
  if (args.until < args.bytes) await reader.cancel();
  else await reader.read();
  return got;
"""
START_WORKER = f"""
  const source = `onmessage = async ({{ data: args }}) => postMessage(await (async () => {{{READ}}})())`;
  globalThis.worker = new Worker(URL.createObjectURL(new Blob([source])));
"""
IN_WORKER = """
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(args);
  });
"""


def counted(page: EnginePage, wire: Wire, url: str) -> int:
    """Bytes of `url`, which are told a moment after they came."""
    for _ in range(100):
        if wire.bodies[url]:
            break
        page.page.wait_for_timeout(50)
    return wire.bodies[url]


def start_worker(page: EnginePage, wire: Wire, url: str) -> None:
    """One whose requests are counted: whoever drives the browser lets it run before we are heard."""
    page.run(START_WORKER)
    for _ in range(100):
        page.run(IN_WORKER, url=url, until=1, bytes=1)
        page.page.wait_for_timeout(20)
        if wire.bodies[url]:
            return
    pytest.fail("the worker's requests are not counted")


@pytest.mark.parametrize("until", [BYTES, BYTES * 2 // 3])
@pytest.mark.parametrize("where", ["page", "worker"])
def test_all_bytes_that_came_count(
    engine_page: EnginePage, engine_server: EngineServer, until: int, where: str
) -> None:
    folder = engine_server.add("wire", {"weights.bin": bytes(BYTES), "one": b"1"})
    url = f"{folder}weights.bin"
    if until < BYTES:
        engine_server.faults.append(Fault(".bin", "stalled"))
    wire = Wire(engine_page.page.context.new_cdp_session(engine_page.page))
    if where == "worker":
        start_worker(engine_page, wire, f"{folder}one")
    assert engine_page.run(READ if where == "page" else IN_WORKER, url=url, until=until, bytes=BYTES) == until
    assert counted(engine_page, wire, url) == until
    assert 0 < wire.headers[url] < 1000
