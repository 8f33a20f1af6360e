"""What goes wrong between a server and the engine: typed errors, retries, and never a wrong byte."""

import json
import time
from typing import Any

import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import embedding_artifact
from tests.site.engine_server import EngineServer, Fault, FaultKind

pytestmark = pytest.mark.browser

LOAD = """
  const model = await engine.load(args.url);
  const { networkBytes } = model.stats();
  const [{ data }] = await model.embed(['far']);
  await model.unload();
  return { networkBytes, data: [...data] };
"""
# The downloader by itself, with short waits.
DOWNLOAD = """
  const { bring } = await import('/engine/transfer/bring.js');
  const { poolOf } = await import('/engine/transfer/buffer_pool.js');
  const { makeSupply } = await import('/engine/transfer/supply.js');
  const { noStore } = await import('/engine/storage/store.js');
  const { Progress } = await import('/engine/progress.js');
  const { file, bytes, chunk_bytes: chunkBytes, chunks, sha256 } = args.shard;
  const events = [];
  const progress = new Progress(({ loaded }) => events.push(loaded), bytes);
  const signal = args.abortAfter === undefined ? new AbortController().signal : AbortSignal.timeout(args.abortAfter);
  const waits = { stallMs: args.stallMs ?? 5000, backoffMs: args.backoffMs ?? 5, runBytes: 128 };
  const supply = { ...makeSupply(args.url, noStore(), progress, signal), ...waits };
  const all = new Uint8Array(bytes);
  const pool = poolOf(new Uint8Array(chunkBytes));
  await bring({ file, bytes, sha256, chunkBytes, chunks }, supply, pool, (chunk, at) => all.set(chunk, at));
  return { bytes: [...all], events, fetched: progress.fetched };
"""

# Two connections: one stands still or breaks after 40 bytes, and only then the other is answered.
SOMETIMES_WHOLE = """
  const { BufferPool } = await import('/engine/transfer/buffer_pool.js');
  const { fetch: fetched } = globalThis;
  const content = Uint8Array.from(args.expected);
  const midway = Promise.withResolvers();
  const silent = new Response(new ReadableStream({
    start: (controller) => controller.enqueue(content.slice(0, 40)),
    pull: (controller) => {
      if (args.breaks) controller.error(new TypeError('network error'));
      setTimeout(midway.resolve);
    },
  }, { highWaterMark: 0 }), { status: 206 });
  globalThis.fetch = async (url, { headers }) => {
    if (headers?.range === 'bytes=0-127') return silent;
    await midway.promise;
    globalThis.fetch = fetched;
    return new Response(content);
  };
"""


def served(server: EngineServer, *faults: Fault) -> dict[str, Any]:
    """An artifact whose first shard has five chunks; the arguments of DOWNLOAD for that shard."""
    files = embedding_artifact().files(chunk_bytes=64)
    server.faults.extend(faults)
    shard = json.loads(files["manifest.json"])["shards"][0]
    return {"url": server.add("tiny", files), "shard": shard, "expected": list(files[shard["file"]])}


@pytest.mark.parametrize(
    ("kind", "code", "tries"),
    [
        ("missing", "FILE_MISSING", [1]),
        ("html", "NOT_AN_ARTIFACT", [1]),
        ("denied", "ACCESS_DENIED", [1]),
        ("broken", "SERVER_FAILED", [6]),
        ("cut", "NETWORK_FAILED", list(range(6, 12))),
        ("stalled", "CONNECTION_STALLED", [6]),
        ("truncated", "FILE_TRUNCATED", [6]),
        ("one byte", "FILE_TRUNCATED", [6]),
        ("corrupted", "FILE_CORRUPTED", [3]),
        ("too long", "FILE_TOO_LONG", [1]),
    ],
)
def test_a_lasting_fault_has_its_own_code(
    engine_page: EnginePage, engine_server: EngineServer, kind: FaultKind, code: str, tries: list[int]
) -> None:
    """Six tries in a row, or three of wrong bytes; what arrives in between renews them."""
    args = served(engine_server, Fault(".bin", kind))
    error = engine_page.fails(DOWNLOAD, **args, stallMs=250 if kind == "stalled" else 5000)
    engine_server.released.set()
    assert error["code"] == code
    assert ".bin" in str(error["fields"]["url"])
    assert len(engine_server.seen) in tries


@pytest.mark.parametrize("kind", ["broken", "cut", "stalled", "truncated", "corrupted"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_passing_fault_is_survived_from_the_last_good_byte(
    engine_page: EnginePage, engine_server: EngineServer, kind: FaultKind, times: int
) -> None:
    args = served(engine_server, Fault(".bin", kind, times))
    output = engine_page.run(DOWNLOAD, **args, stallMs=1000 if kind == "stalled" else 5000)
    engine_server.released.set()
    assert output["bytes"] == args["expected"]
    assert output["fetched"] == len(output["bytes"])
    assert output["events"] == sorted(output["events"])
    starts = [seen.start for seen in engine_server.seen]
    # Of the 128 bytes two thirds come, then two thirds of the rest; Chromium may drop what came just before a cut.
    # Of a chunk that came whole and wrong nothing is good.
    good = {"broken": {0}, "corrupted": {64}}.get(kind, {85, 113})
    assert starts == sorted(starts)
    assert set(starts) <= {0, 128, 256} | good
    assert len(starts) == len({0, 128, 256}) + times


def test_a_server_without_ranges_is_read_from_the_start(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    args = served(engine_server, Fault(".bin", "truncated", 1), Fault(".bin", "no range"))
    assert engine_page.run(DOWNLOAD, **args)["bytes"] == args["expected"]


def test_what_is_whole_is_not_asked_for_again_where_its_end_is_not_told(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    args = served(engine_server, Fault(".bin", "no end"))
    assert engine_page.run(DOWNLOAD, **args, stallMs=1000)["bytes"] == args["expected"]
    engine_server.released.set()
    assert [seen.start for seen in engine_server.seen] == [0, 128, 256]


@pytest.mark.parametrize("breaks", [False, True])
def test_a_server_that_ignores_a_range_in_the_middle_counts_no_byte_twice(
    engine_page: EnginePage, engine_server: EngineServer, breaks: bool
) -> None:
    """One connection is midway, or waits for its next try, when another is answered with the whole file."""
    args = served(engine_server)
    body = SOMETIMES_WHOLE + DOWNLOAD.replace(
        "poolOf(new Uint8Array(chunkBytes))", "new BufferPool(2, chunkBytes)"
    )
    output = engine_page.run(body, **args, breaks=breaks, backoffMs=60_000)
    assert output["bytes"] == args["expected"]
    assert output["events"][-1] == len(args["expected"])


def test_an_abort_ends_a_stalled_download(engine_page: EnginePage, engine_server: EngineServer) -> None:
    args = served(engine_server, Fault(".bin", "stalled"))
    assert engine_page.fails(DOWNLOAD, **args, abortAfter=60)["code"] == "ABORTED"
    body = """
      const aborter = new AbortController();
      const loading = engine.load(args.url, { signal: aborter.signal, onProgress: ({ loaded }) => {
        if (loaded > 0) aborter.abort();
      } });
      await loading;
    """
    assert engine_page.fails(body, url=args["url"])["code"] == "ABORTED"
    engine_server.released.set()


def test_what_arrived_before_a_failure_is_not_fetched_again(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    args = served(engine_server)
    engine_server.faults.append(Fault(args["shard"]["file"], "corrupted"))
    assert engine_page.fails(LOAD, url=args["url"])["code"] == "FILE_CORRUPTED"
    engine_server.faults.clear()
    engine_server.seen.clear()
    assert engine_page.run(LOAD, url=args["url"])["networkBytes"] == 64 + 64 + 16
    assert {seen.start for seen in engine_server.weights_seen()} == {64, 192, 256}


@pytest.mark.parametrize(
    ("suffix", "kind", "code"),
    [
        ("manifest.json", "missing", "FILE_MISSING"),
        ("manifest.json", "html", "NOT_AN_ARTIFACT"),
        ("manifest.json", "truncated", "NOT_AN_ARTIFACT"),
        ("plan.base.json", "corrupted", "FILE_CORRUPTED"),
        ("tokenizer.json", "html", "NOT_AN_ARTIFACT"),
    ],
)
def test_the_small_files_are_checked_too(
    engine_page: EnginePage, engine_server: EngineServer, suffix: str, kind: FaultKind, code: str
) -> None:
    args = served(engine_server, Fault(suffix, kind))
    error = engine_page.fails(LOAD, url=args["url"])
    assert error["code"] == code
    assert suffix in error["message"]


def test_an_address_where_nobody_listens(engine_page: EnginePage) -> None:
    error = engine_page.fails("await engine.load('http://127.0.0.1:9/models/x/')")
    assert error["code"] == "NETWORK_FAILED"


def test_shards_come_side_by_side(engine_page: EnginePage, engine_server: EngineServer) -> None:
    """One that stalls does not keep the other from being asked for."""
    args = served(engine_server, Fault(".bin", "stalled", 1))
    start = """
      globalThis.aborter = new AbortController();
      globalThis.loading = engine.load(args.url, { signal: aborter.signal }).catch((error) => error.code);
    """
    engine_page.run(start, url=args["url"])
    patience = time.monotonic() + 30
    while len({seen.path for seen in engine_server.weights_seen()}) < 2 and time.monotonic() < patience:
        engine_page.page.wait_for_timeout(20)
    assert engine_page.run("aborter.abort(); return loading") == "ABORTED"
    engine_server.released.set()
    assert len({seen.path for seen in engine_server.weights_seen()}) == 2


def test_a_disk_too_full_to_open_the_file_system_gets_no_second_store(engine_page: EnginePage) -> None:
    """Later visits would open the first one, and fetch again what the second has."""
    kept = engine_page.run("""
      const { openStore } = await import('/engine/storage/store.js');
      const { refusalOf } = await import('/engine/storage/store_errors.js');
      const { getDirectory } = StorageManager.prototype;
      try {
        StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('', 'QuotaExceededError'));
        const store = await openStore();
        const refusals = await Promise.all([
          store.write(null, 0, new Uint8Array(1)).catch(refusalOf),
          store.writeRecord('name', {}).catch(refusalOf),
        ]);
        return { kind: store.kind, refusals, names: await store.names(), caches: await caches.keys() };
      } finally {
        StorageManager.prototype.getDirectory = getDirectory;
      }
    """)
    assert kept == {"kind": "opfs", "refusals": ["full", "full"], "names": [], "caches": []}
