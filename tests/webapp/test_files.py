"""Only allow-listed files are served, each under one spelling of its address."""

import http.client
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from webapp.reports import LARGEST


def raw_status(client: httpx.Client, target: str) -> int:
    """The status for a request target that goes out as it is; httpx would tidy it up."""
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=5)
    try:
        connection._validate_path = lambda path: None  # type: ignore[attr-defined]
        connection.request("GET", target)
        return connection.getresponse().status
    finally:
        connection.close()


def test_site_files_and_their_types(client: httpx.Client) -> None:
    types = {
        "/": "text/html; charset=utf-8",
        "/index.html": "text/html; charset=utf-8",
        "/bench/": "text/html; charset=utf-8",
        "/app/main.js": "text/javascript; charset=utf-8",
        "/app/main.css": "text/css; charset=utf-8",
        "/engine/kernels/copy.wgsl": "text/plain; charset=utf-8",
        "/models/catalogue.json": "application/json",
        "/models/tiny/manifest.json": "application/json",
        "/models/tiny/model.onnx": "application/octet-stream",
        "/models/tiny/README.md": "text/markdown; charset=utf-8",
    }
    assert {url: client.get(url).headers["content-type"] for url in types} == types


def test_bodies_are_the_files(client: httpx.Client, site: Path, artifact: Path, shard: str) -> None:
    assert client.get("/app/main.js").content == (site / "app/main.js").read_bytes()
    assert client.get("/").content == client.get("/index.html").content == (site / "index.html").read_bytes()
    for path in artifact.iterdir():
        assert client.get(f"/models/tiny/{path.name}").content == path.read_bytes()
    assert client.get(shard).headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("name", ["report.json", "report.html"])
def test_a_size_report_is_served_where_there_is_one(
    own_client: httpx.Client, artifact: Path, name: str
) -> None:
    assert own_client.get(f"/models/tiny/{name}").status_code == 404
    (artifact / name).write_text("<p>42</p>", encoding="utf-8")
    assert own_client.get(f"/models/tiny/{name}").text == "<p>42</p>"
    (artifact / name).unlink()
    (artifact / name).symlink_to(artifact.parent.parent / "site" / "app" / "main.js")
    assert own_client.get(f"/models/tiny/{name}").status_code == 404


def test_a_report_of_too_many_bytes_is_not_served(own_client: httpx.Client, artifact: Path) -> None:
    with (artifact / "report.json").open("wb") as file:
        file.truncate(LARGEST + 1)
    assert own_client.get("/models/tiny/report.json").status_code == 404


def test_weights_are_kept_for_ever_and_nothing_else(client: httpx.Client, shard: str) -> None:
    assert client.get(shard).headers["cache-control"] == "public, max-age=31536000, immutable"
    for url in ("/", "/app/main.js", "/models/catalogue.json", "/models/tiny/manifest.json", "/nothing"):
        assert client.get(url).headers["cache-control"] == "no-cache"


def test_a_folder_leads_to_its_page(client: httpx.Client) -> None:
    answer = client.get("/bench")
    assert (answer.status_code, answer.headers["location"]) == (308, "/bench/")


@pytest.mark.parametrize(
    "target",
    [
        "/jsconfig.json",
        "/.env",
        "/.git/config.json",
        "/notes.py",
        "/engine/index.test.js",
        "/engine/tests/index.test.js",
        "/app/",
        "/engine",
        "/models/",
        "/models/tiny",
        "/models/tiny/",
        "/models/none/manifest.json",
        "/models/TINY/manifest.json",
    ],
)
def test_what_is_on_no_list_is_not_found(client: httpx.Client, target: str) -> None:
    assert client.get(target).status_code == 404


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.json",
        "/app/../index.html",
        "/app/./main.js",
        "//index.html",
        "/app//main.js",
        "/models/tiny/../../site/index.html",
        "/models/tiny/../tiny/manifest.json",
        "/models/../secret.json",
        "/models/tiny/..%2f..%2fsecret.json",
        "/models/tiny%2fmanifest.json",
        "/models/tiny/%6danifest.json",
        "/%2e%2e/secret.json",
        "/%2e%2e%2fsecret.json",
        "/..%5csecret.json",
        "/..\\secret.json",
        "/models/tiny/manifest.json%00",
        "/models/tiny/manifest.json%00.bin",
        "/index.html/",
        "/index.html%20",
        "/index.html.",
        "/INDEX.HTML",
        "/%c0%ae%c0%ae/secret.json",
        "/" + "a" * 50_000,
        "/" + "a/" * 20_000,
        "/models/tiny/" + "%2e" * 10_000,
        "http://localhost/index.html",
        "*",
    ],
)
def test_odd_spellings_are_not_found(client: httpx.Client, target: str) -> None:
    assert raw_status(client, target) == 404


def test_a_query_changes_nothing(client: httpx.Client) -> None:
    assert client.get("/index.html?v=../../secret").content == client.get("/index.html").content


def test_files_beside_the_listed_ones_are_not_served(own_client: httpx.Client, artifact: Path) -> None:
    (artifact / "notes.json").write_text("secret", encoding="utf-8")
    (artifact / ".env").write_text("secret", encoding="utf-8")
    assert own_client.get("/models/tiny/notes.json").status_code == 404
    assert own_client.get("/models/tiny/.env").status_code == 404


def test_new_site_files_wait_for_the_next_start(own_client: httpx.Client, site: Path) -> None:
    (site / "late.js").write_text("secret", encoding="utf-8")
    assert own_client.get("/late.js").status_code == 404


@pytest.mark.parametrize("hard", ["tokenizer.json", "model.onnx"])
def test_a_link_that_is_put_in_later_and_leads_out_is_refused(
    own_client: httpx.Client, artifact: Path, hard: str
) -> None:
    secret = artifact.parent.parent / "secret"
    secret.write_bytes(b"s" * (artifact / hard).stat().st_size)
    (artifact / hard).unlink()
    (artifact / hard).symlink_to(secret)
    assert own_client.get(f"/models/tiny/{hard}").status_code == 404


def test_a_link_inside_the_folder_is_followed(own_client: httpx.Client, artifact: Path) -> None:
    content = (artifact / "model.onnx").read_bytes()
    (artifact / "model.onnx").rename(artifact / "renamed")
    (artifact / "model.onnx").symlink_to("renamed")
    assert own_client.get("/models/tiny/model.onnx").content == content


def test_what_is_no_file_any_more_is_not_found(own_client: httpx.Client, artifact: Path, site: Path) -> None:
    for path in (artifact / "model.onnx", site / "app/main.js"):
        path.unlink()
    os.mkfifo(artifact / "model.onnx")
    (site / "app/main.js").mkdir()
    assert own_client.get("/models/tiny/model.onnx").status_code == 404
    assert own_client.get("/app/main.js").status_code == 404


def test_weights_of_another_size_than_listed_are_not_sent(
    own_client: httpx.Client, artifact: Path, shard: str
) -> None:
    with (artifact / Path(shard).name).open("ab") as file:
        file.write(b"more")
    assert own_client.get(shard).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "MADEUP"])
@pytest.mark.parametrize("path", ["/", "/nothing", "/models/catalogue.json", "/models/tiny/manifest.json"])
def test_other_methods_are_not_allowed(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_a_changed_site_file_is_seen_at_once(own_client: httpx.Client, site: Path) -> None:
    before = own_client.get("/app/main.js")
    (site / "app/main.js").write_text("changed", encoding="utf-8")
    after = own_client.get("/app/main.js", headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, after.text) == (200, "changed")
    assert after.headers["etag"] != before.headers["etag"]


def test_a_model_that_is_exported_again_is_seen_at_once(
    own_client: httpx.Client, artifact: Path, make_artifact: Callable[..., Path]
) -> None:
    new = make_artifact("new", weights=b"other" * 100, title="Second")
    artifact.rename(artifact.with_name("old"))
    new.rename(artifact)
    manifest = own_client.get("/models/tiny/manifest.json").json()
    assert manifest["title"] == "Second"
    assert own_client.get(f"/models/tiny/{manifest['shards'][0]['file']}").content == b"other" * 100
    assert own_client.get("/models/catalogue.json").json()["models"][0]["manifest"]["title"] == "Second"


def test_a_model_that_is_damaged_later_leaves_the_list(
    own_client: httpx.Client, artifact: Path, shard: str
) -> None:
    (artifact / "manifest.json").write_text("{}", encoding="utf-8")
    assert own_client.get("/models/tiny/manifest.json").status_code == 404
    assert own_client.get(shard).status_code == 404
    assert own_client.get("/models/catalogue.json").json()["models"] == []


def test_many_visitors_get_the_same_bytes(own_client: httpx.Client, artifact: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        bodies = set(pool.map(lambda _: own_client.get("/models/tiny/tokenizer.json").content, range(64)))
    assert bodies == {(artifact / "tokenizer.json").read_bytes()}
