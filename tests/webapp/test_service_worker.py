"""The worker's script: the site's own with a list of files in front, the same from the server and in a bundle."""

import base64
import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from webapp import write_bundle
from webapp.headers import SECURITY_HEADERS
from webapp.service_worker import _headers_tag, service_worker

ServeFolders = Callable[..., AbstractContextManager[httpx.Client]]
SOURCE = "'use strict';\n"
MORE = {
    "service_worker.js": SOURCE,
    "app/texts/en.json": "{}",
    "app/texts/uk.json": "{}",
    "app/texts/about/en.json": "{}",
    "app/texts/about/uk.json": "{}",
    "element/index.js": "export {}\n",
    "app/vendor/LICENSE": "all rights",
    "README.md": "# Site\n",
}


@pytest.fixture
def site(site: Path) -> Path:
    for name, text in MORE.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    return site


def listed(script: str) -> dict[str, Any]:
    first, _, rest = script.partition("\n")
    assert rest == SOURCE
    shell: dict[str, Any] = json.loads(first.removeprefix("self.SHELL = ").removesuffix(";"))
    return shell


def test_it_names_what_pages_need_and_what_some_need(own_client: httpx.Client, site: Path) -> None:
    answer = own_client.get("/service_worker.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    shell = listed(answer.text)
    assert set(shell["core"]) == {
        "app/main.css", "app/main.js", "app/texts/about/en.json", "app/texts/en.json", "bench/index.html",
        "engine/index.js", "index.html",
    }  # fmt: skip
    assert set(shell["onUse"]) == {"app/texts/about/uk.json", "app/texts/uk.json", "element/index.js"}
    digest = hashlib.sha256((site / "index.html").read_bytes()).digest()
    assert shell["core"]["index.html"] == base64.b64encode(digest[:12]).decode()


def test_it_is_another_one_when_a_file_or_a_header_is(own_client: httpx.Client, site: Path) -> None:
    before = own_client.get("/service_worker.js")
    tag = {"If-None-Match": before.headers["etag"]}
    assert own_client.get("/service_worker.js", headers=tag).status_code == 304
    (site / "app/main.css").write_text("body { margin: 1px }", encoding="utf-8")
    after = own_client.get("/service_worker.js", headers=tag)
    assert after.status_code == 200
    old, new = listed(before.text), listed(after.text)
    changed = {path for path in new["core"] if new["core"][path] != old["core"][path]}
    assert changed == {"app/main.css"}
    assert _headers_tag(SECURITY_HEADERS | {"Referrer-Policy": "origin"}) != old["headers"]


def test_a_bundle_has_the_same(
    artifact: Path, site: Path, tmp_path: Path, serve_folders: ServeFolders
) -> None:
    write_bundle([artifact], tmp_path / "public", site=site)
    with serve_folders(artifact) as server:
        script = (tmp_path / "public" / "service_worker.js").read_bytes()
        assert script == server.get("/service_worker.js").content


def test_a_site_without_one_has_none(client: httpx.Client) -> None:
    assert client.get("/service_worker.js").status_code == 404


def test_a_file_that_went_away_is_not_listed(own_client: httpx.Client, site: Path) -> None:
    (site / "app/main.js").unlink()
    shell = listed(own_client.get("/service_worker.js").text)
    assert "app/main.js" not in shell["core"]


def test_order_and_version_of_python_do_not_matter() -> None:
    files = [("/b.js", "0" * 64), ("/a.js", "f" * 64)]
    assert service_worker(b"", files) == service_worker(b"", files[::-1])
