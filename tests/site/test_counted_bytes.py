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
IN_WORKER = f"""
  const source = `onmessage = async ({{ data: args }}) => postMessage(await (async () => {{{READ}}})())`;
  const worker = new Worker(URL.createObjectURL(new Blob([source])));
  return new Promise((resolve) => {{
    worker.onmessage = ({{ data }}) => resolve(data);
    worker.postMessage(args);
  }});
"""


@pytest.mark.parametrize("until", [BYTES, BYTES * 2 // 3])
@pytest.mark.parametrize("where", ["page", "worker"])
def test_all_bytes_that_came_count(
    engine_page: EnginePage, engine_server: EngineServer, until: int, where: str
) -> None:
    url = engine_server.add("wire", {"weights.bin": bytes(BYTES)}) + "weights.bin"
    if until < BYTES:
        engine_server.faults.append(Fault(".bin", "stalled"))
    wire = Wire(engine_page.page.context.new_cdp_session(engine_page.page))
    assert engine_page.run(READ if where == "page" else IN_WORKER, url=url, until=until, bytes=BYTES) == until
    for _ in range(100):
        if wire.bodies[url]:
            break
        engine_page.page.wait_for_timeout(50)
    assert wire.bodies[url] == until
    assert 0 < wire.headers[url] < 1000
