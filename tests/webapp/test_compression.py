"""Texts travel compressed by a fixed policy, weights never."""

import gzip
import hashlib
import random
from pathlib import Path

import brotli
import httpx
import pytest
from starlette.testclient import TestClient

from webapp import Settings, contents, create_app
from webapp.compression import CODINGS, LARGEST, compress, compressible, encoded_size

TEXT = b"the lightest thing that travels on the wind\n" * 200


def test_what_is_compressed() -> None:
    for name in ("a.js", "a.mjs", "a.css", "a.html", "a.json", "a.wgsl", "a.svg", "a.md", "a.txt"):
        assert compressible(name, 1000)
    for name in ("a.bin", "a.onnx", "a.png", "a.woff2", "a", ".json"):
        assert not compressible(name, 1000)
    assert compressible("a.json", LARGEST)
    assert not compressible("a.json", LARGEST + 1)


def test_how_hard() -> None:
    assert compress(TEXT, "br") == brotli.compress(TEXT, quality=11, lgwin=22)
    assert compress(TEXT, "gzip") == gzip.compress(TEXT, 9, mtime=0)
    long = TEXT * (1_000_000 // len(TEXT) + 1)
    assert compress(long, "br") == brotli.compress(long, quality=9, lgwin=22)


@pytest.mark.parametrize("coding", CODINGS)
def test_no_file_grows(coding: str) -> None:
    for size in (0, 1, 10, 1000):
        noise = random.Random(size).randbytes(size)
        assert compress(noise, coding) is None
        assert encoded_size("a.json", noise, coding) == size


@pytest.mark.parametrize("coding", [*CODINGS, "identity"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/app/main.js",
        "/engine/kernels/copy.wgsl",
        "/models/tiny/tokenizer.json",
        "/models/tiny/model.onnx",
    ],
)
def test_the_stated_size_is_what_travels(client: httpx.Client, path: str, coding: str) -> None:
    content = client.get(path).content
    name = path.rpartition("/")[2] or "index.html"
    with client.stream("GET", path, headers={"Accept-Encoding": coding}) as answer:
        sent = b"".join(answer.iter_raw())
    assert len(sent) == encoded_size(name, content, coding) == int(answer.headers["content-length"])


@pytest.mark.parametrize("coding", CODINGS)
def test_each_coding_is_a_representation_of_its_own(client: httpx.Client, coding: str) -> None:
    plain = client.get("/app/main.js", headers={"Accept-Encoding": "identity"})
    packed = client.get("/app/main.js", headers={"Accept-Encoding": coding})
    assert packed.content == plain.content
    assert packed.headers["content-encoding"] == coding
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] == f'"{hashlib.sha256(plain.content).hexdigest()}"'
    assert packed.headers["etag"] == f'{plain.headers["etag"][:-1]}-{coding}"'
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"


def test_a_range_is_of_the_coding_that_is_sent(client: httpx.Client) -> None:
    headers = {"Accept-Encoding": "br"}
    with client.stream("GET", "/app/main.js", headers=headers) as answer:
        whole = b"".join(answer.iter_raw())
    with client.stream("GET", "/app/main.js", headers=headers | {"Range": "bytes=3-9"}) as answer:
        assert b"".join(answer.iter_raw()) == whole[3:10]
    assert answer.headers["content-range"] == f"bytes 3-9/{len(whole)}"


def test_what_pages_ask_for_first_is_compressed_before_they_do(
    site: Path, artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(Settings(folders=(artifact,), site=site))
    app.state.compress_ahead()
    late: list[bytes] = []

    def note(data: bytes, coding: str) -> bytes | None:
        late.append(data)
        return compress(data, coding)

    monkeypatch.setattr(contents, "compress", note)
    with TestClient(app, base_url="http://localhost", headers={"Accept-Encoding": "br"}) as client:
        for path in ("/", "/app/main.js", "/models/tiny/tokenizer.json"):
            assert client.get(path).headers["content-encoding"] == "br"
        listed = client.get("/models/catalogue.json").content
    assert late == [listed]
