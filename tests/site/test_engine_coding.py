"""Coded weights in the browser: the same answers from fewer bytes, and nothing in a chunk is trusted."""

import json
from base64 import b64encode
from typing import Any

import numpy as np
import pytest

from exporter.coding import Span, coded_chunks
from tests.site.coded_files import with_coded_shards
from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import embedding_artifact
from tests.site.engine_server import EngineServer

pytestmark = pytest.mark.browser

EMBED = """
  const model = await engine.load(args.url);
  const [{ data }] = await model.embed(['a sentence']);
  const { networkBytes } = model.stats();
  await model.unload();
  const { cachedBytes, downloadBytes } = await engine.inspect(args.url);
  await engine.forget(args.url);
  return { values: [...data], networkBytes, cachedBytes, downloadBytes };
"""

DECODE = """
  const { readChunk, STRETCH_BYTES } = await import('/engine/coding/chunk.js');
  const chunk = Uint8Array.from(atob(args.chunk), (byte) => byte.charCodeAt(0));
  const read = (bytes) => {
    try {
      const stretch = readChunk(bytes, args.size, new Uint8Array(STRETCH_BYTES));
      return [...stretch.bytes];
    } catch (error) {
      return error.code ?? String(error);
    }
  };
"""


def test_a_coded_model_answers_alike_from_fewer_bytes(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    files = embedding_artifact().files()
    plain = engine_page.run(EMBED, url=engine_server.add("plain", files))
    coded_files = with_coded_shards(files)
    url = engine_server.add("coded", coded_files)
    engine_server.seen.clear()
    coded = engine_page.run(EMBED, url=url)
    assert coded["values"] == plain["values"]
    shards = {shard["file"] for shard in json.loads(files["manifest.json"])["shards"]}
    assert not shards & {seen.path.rsplit("/", 1)[-1] for seen in engine_server.weights_seen()}
    expected = plain["networkBytes"] - sum(len(files[name]) for name in shards)
    expected += sum(len(content) for name, content in coded_files.items() if name not in files)
    assert coded["networkBytes"] == coded["downloadBytes"] == coded["cachedBytes"] == expected


def chunk_of_everything() -> tuple[str, bytes]:
    """A chunk that has every kind of part, in base64, and what it stands for."""
    random = np.random.default_rng(3)
    tensors: list[np.ndarray[Any, Any]] = [
        np.clip(np.rint(random.standard_normal(4003) * 4) + 128, 0, 255).astype(np.uint8),
        np.repeat(random.standard_normal(40).astype(np.float16), 12),
        random.standard_normal(501).astype(np.float16),
        random.standard_normal(333).astype(np.float32),
        random.integers(0, 256, 99, np.uint8),
    ]
    data, spans = bytearray(), []
    for tensor in tensors:
        data += bytes(-len(data) % 256)
        spans.append(Span(len(data), tensor.nbytes, tensor.itemsize))
        data += tensor.tobytes()
    data += bytes(-len(data) % 4)
    [chunk] = coded_chunks(np.frombuffer(bytes(data), np.uint8), spans)
    return b64encode(chunk).decode(), bytes(data)


def test_every_kind_of_part_is_read(engine_page: EnginePage) -> None:
    chunk, data = chunk_of_everything()
    assert bytes(engine_page.run(DECODE + "return read(chunk);", chunk=chunk, size=len(data))) == data


def test_a_damaged_chunk_is_refused_or_read_but_never_breaks_out(engine_page: EnginePage) -> None:
    """Hashes catch damage before; this is about chunks that somebody made on purpose."""
    chunk, data = chunk_of_everything()
    body = (
        DECODE
        + """
      const found = { refused: 0, read: 0, other: [] };
      const judge = (bytes) => {
        const result = read(bytes);
        if (result === 'FILE_CORRUPTED') found.refused += 1;
        else if (Array.isArray(result)) found.read += 1;
        else found.other.push(result);
      };
      for (let at = 0; at < chunk.length; at++) {
        for (const bits of [1, 128, 255]) {
          const damaged = chunk.slice();
          damaged[at] ^= bits;
          judge(damaged);
        }
      }
      for (let length = 0; length < chunk.length; length += 7) judge(chunk.slice(0, length));
      return found;
    """
    )
    found = engine_page.run(body, chunk=chunk, size=len(data))
    assert found["other"] == []
    assert found["refused"] > found["read"] > 0


@pytest.mark.parametrize("size", [0, 4, 4000])
def test_a_stretch_past_its_shard_is_refused(engine_page: EnginePage, size: int) -> None:
    chunk, _ = chunk_of_everything()
    assert engine_page.run(DECODE + "return read(chunk);", chunk=chunk, size=size) == "FILE_CORRUPTED"


def test_a_manifest_that_codes_other_shards_is_refused(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    files = with_coded_shards(embedding_artifact().files())
    manifest = json.loads(files["manifest.json"])
    manifest["coded"] = manifest["coded"] * 2
    url = engine_server.add("two", {**files, "manifest.json": json.dumps(manifest).encode()})
    assert engine_page.fails("await engine.load(args.url)", url=url)["code"] == "MANIFEST_INVALID"
