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
  const supply = { ...makeSupply(args.url, noStore(), progress, signal), stallMs: 250, backoffMs: 5 };
  const all = new Uint8Array(bytes);
  const pool = poolOf(new Uint8Array(chunkBytes));
  await bring({ file, bytes, sha256, chunkBytes, chunks }, supply, pool, (chunk, at) => all.set(chunk, at));
  return { bytes: [...all], events, fetched: progress.fetched };
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
        ("corrupted", "FILE_CORRUPTED", [3]),
        ("too long", "FILE_TOO_LONG", [1]),
    ],
)
def test_a_lasting_fault_has_its_own_code(
    engine_page: EnginePage, engine_server: EngineServer, kind: FaultKind, code: str, tries: list[int]
) -> None:
    """Six tries in a row, or three of wrong bytes; a chunk that arrives in between renews them."""
    args = served(engine_server, Fault(".bin", kind))
    error = engine_page.fails(DOWNLOAD, **args)
    engine_server.released.set()
    assert error["code"] == code
    assert ".bin" in str(error["fields"]["url"])
    assert len(engine_server.seen) in tries


@pytest.mark.parametrize("kind", ["broken", "cut", "stalled", "truncated", "corrupted"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_passing_fault_is_survived_from_the_last_good_chunk(
    engine_page: EnginePage, engine_server: EngineServer, kind: FaultKind, times: int
) -> None:
    args = served(engine_server, Fault(".bin", kind, times))
    output = engine_page.run(DOWNLOAD, **args)
    engine_server.released.set()
    assert output["bytes"] == args["expected"]
    assert output["fetched"] == len(output["bytes"])
    assert output["events"] == sorted(output["events"])
    starts = [seen.start for seen in engine_server.seen]
    # Chromium may drop what came just before a connection broke, so a cut body resumes wherever it was seen whole.
    first_good = {"broken": [0], "cut": [0, 64]}.get(kind, [64])
    assert starts == sorted(starts)
    assert set(starts) <= {0, 128, 256, *first_good}
    assert len(starts) == len({0, 128, 256}) + times


def test_a_server_without_ranges_is_read_from_the_start(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    args = served(engine_server, Fault(".bin", "truncated", 1), Fault(".bin", "no range"))
    assert engine_page.run(DOWNLOAD, **args)["bytes"] == args["expected"]


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
    assert {seen.start for seen in engine_server.weights_seen()} == {64, 192}


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
