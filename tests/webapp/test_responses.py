"""Ranges and resumption, entity tags, HEAD: what a downloader and a browser cache rely on."""

import hashlib
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.webapp.served import running, write_artifact, write_site
from webapp import Settings

TEN_MEGABYTES = 10 * 1024 * 1024 + 13


@pytest.fixture(scope="module")
def weights() -> bytes:
    return random.Random(7).randbytes(TEN_MEGABYTES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, weights: bytes) -> Path:
    return write_artifact(tmp_path_factory.mktemp("big") / "tiny", weights)


@pytest.fixture(scope="module")
def big(folder: Path) -> Iterator[httpx.Client]:
    """A client of a server whose model has 10 MB of weights."""
    with running(Settings(folders=(folder,), site=write_site(folder.parent / "site"))) as client:
        yield client


@pytest.fixture(scope="module")
def url(weights: bytes) -> str:
    return f"/models/tiny/{hashlib.sha256(weights).hexdigest()}.bin"


def test_the_tag_of_weights_is_their_hash(big: httpx.Client, url: str, weights: bytes) -> None:
    answer = big.get(url, headers={"Accept-Encoding": "br, gzip"})
    assert answer.headers["etag"] == f'"{hashlib.sha256(weights).hexdigest()}"'
    assert answer.headers["content-length"] == str(TEN_MEGABYTES)
    assert "content-encoding" not in answer.headers
    assert "vary" not in answer.headers
    assert answer.content == weights


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, TEN_MEGABYTES - 1),
        ("bytes=4194304-8388607", 4194304, 8388607),
        ("bytes=-1", TEN_MEGABYTES - 1, TEN_MEGABYTES - 1),
        ("bytes=-99999999", 0, TEN_MEGABYTES - 1),
        ("bytes=5-99999999999999999999", 5, TEN_MEGABYTES - 1),
        ("BYTES=262143-262145", 262143, 262145),
    ],
)
def test_one_range(big: httpx.Client, url: str, weights: bytes, asked: str, first: int, last: int) -> None:
    answer = big.get(url, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{TEN_MEGABYTES}"
    assert answer.headers["content-length"] == str(last - first + 1)
    assert answer.content == weights[first : last + 1]


@pytest.mark.parametrize(
    "asked", [f"bytes={TEN_MEGABYTES}-", f"bytes={TEN_MEGABYTES + 5}-99999999", "bytes=-0"]
)
def test_a_range_behind_the_end(big: httpx.Client, url: str, asked: str) -> None:
    answer = big.get(url, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{TEN_MEGABYTES}"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.content == b""


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,4-5", "bytes=5-2", "bytes=a-b", "bytes=", "bytes=-", "items=0-5", "0-5", "bytes 0-5"]
)
def test_several_or_malformed_ranges_get_the_whole(big: httpx.Client, url: str, asked: str) -> None:
    answer = big.get(url, headers={"Range": asked})
    assert (answer.status_code, len(answer.content)) == (200, TEN_MEGABYTES)


def test_a_download_that_is_cut_often_resumes(big: httpx.Client, url: str, weights: bytes) -> None:
    tag = big.head(url).headers["etag"]
    got, cuts = b"", 0
    while len(got) < TEN_MEGABYTES:
        headers = {"Range": f"bytes={len(got)}-", "If-Range": tag}
        with big.stream("GET", url, headers=headers) as answer:
            assert answer.status_code == 206
            for chunk in answer.iter_raw(300_000):
                got += chunk
                if len(chunk) == 300_000 and len(got) > (cuts + 1) * 1_000_000:
                    cuts += 1
                    break
    assert cuts >= 9
    assert got == weights


def test_a_resumed_download_of_another_version_starts_over(big: httpx.Client, url: str) -> None:
    for other in (
        '"0000"',
        'W/"0000"',
        "Sat, 21 Nov 2026 09:00:00 GMT",
        f"W/{big.head(url).headers['etag']}",
    ):
        answer = big.get(url, headers={"Range": "bytes=5-", "If-Range": other})
        assert (answer.status_code, len(answer.content)) == (200, TEN_MEGABYTES)


def test_head_says_what_get_would(big: httpx.Client, url: str) -> None:
    for path in (url, "/", "/models/catalogue.json", "/models/tiny/manifest.json"):
        head, get = big.head(path, headers={"Range": "bytes=0-5"}), big.get(path)
        assert (head.status_code, head.content) == (200, b"")
        for response in (head, get):
            del response.headers["date"]
        assert head.headers == get.headers


def test_what_the_visitor_has_is_not_sent_again(big: httpx.Client, url: str) -> None:
    for path in (url, "/", "/app/main.js", "/models/catalogue.json", "/models/tiny/manifest.json"):
        first = big.get(path)
        tag = first.headers["etag"]
        for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            answer = big.get(path, headers={"If-None-Match": sent})
            assert (answer.status_code, answer.content) == (304, b"")
            for name in ("etag", "cache-control", "vary"):
                assert answer.headers.get(name) == first.headers.get(name)
        assert big.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_visitor_who_leaves_does_not_hold_the_file(big: httpx.Client, url: str) -> None:
    for _ in range(20):
        with socket.create_connection((big.base_url.host, big.base_url.port or 0), timeout=5) as raw:
            raw.sendall(f"GET {url} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert raw.recv(100).startswith(b"HTTP/1.1 200 OK")
    assert big.get("/").status_code == 200


def test_a_file_that_shrinks_while_it_is_sent_breaks_the_download_off(
    serve_folders: Callable[..., Any], make_artifact: Callable[..., Path], weights: bytes, url: str
) -> None:
    folder = make_artifact(weights=weights)

    def take(client: httpx.Client) -> None:
        with client.stream("GET", url) as answer:
            for _ in answer.iter_raw(1000):
                (folder / Path(url).name).write_bytes(b"")

    with serve_folders(folder) as client, pytest.raises(httpx.RemoteProtocolError):
        take(client)


def test_small_answers_do_not_wait_for_the_network(big: httpx.Client) -> None:
    """Without TCP_NODELAY each answer on a kept connection takes 40 ms."""
    waits = []
    for _ in range(20):
        start = time.perf_counter()
        big.get("/engine/index.js")
        waits.append(time.perf_counter() - start)
    assert min(waits[1:]) < 0.03


def test_the_catalogue_states_the_hash_of_each_manifest_as_it_is_served(big: httpx.Client) -> None:
    (model,) = big.get("/models/catalogue.json").json()["models"]
    manifest = big.get(f"/{model['url']}manifest.json").content
    assert model["sha256"] == hashlib.sha256(manifest).hexdigest()
