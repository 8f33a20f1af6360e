"""The allow-list of the site folder."""

import os
from pathlib import Path

import httpx
import pytest

from webapp import Settings, WebappError, create_app
from webapp.settings import default_site
from webapp.site_files import site_files


def test_only_what_visitors_need(site: Path) -> None:
    assert list(site_files(site)) == [
        "/",
        "/app/main.css",
        "/app/main.js",
        "/bench/",
        "/bench/index.html",
        "/engine/index.js",
        "/engine/kernels/copy.wgsl",
        "/index.html",
    ]


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.js",
        "_headers",
        "_private/x.js",
        "a b.js",
        "ä.js",
        "x.py",
        "x.d.ts",
        "x.js~",
        "x",
        "node_modules/x/index.js",
        "app/tests/x.js",
        "app/x.spec.js",
        "app/x.test.mjs",
        "app/tsconfig.json",
        "app/package.json",
        "models/catalogue.json",
        "models/tiny/manifest.json",
        "x" * 130 + ".js",
    ],
)
def test_left_out(site: Path, name: str) -> None:
    before = site_files(site)
    (site / name).parent.mkdir(parents=True, exist_ok=True)
    (site / name).write_text("secret", encoding="utf-8")
    assert site_files(site) == before


@pytest.mark.parametrize(
    "name", ["engine/vendor/LICENSE", "engine/vendor/NOTICE", "icon.svg", "font.woff2", "x.mjs"]
)
def test_let_in(site: Path, name: str) -> None:
    (site / name).parent.mkdir(parents=True, exist_ok=True)
    (site / name).write_text("public", encoding="utf-8")
    assert site_files(site)[f"/{name}"].read_text(encoding="utf-8") == "public"


def test_links_that_lead_out_are_left_out(site: Path) -> None:
    outside = site.parent / "outside"
    outside.mkdir()
    (outside / "secret.js").write_text("secret", encoding="utf-8")
    before = site_files(site)
    (site / "file.js").symlink_to(outside / "secret.js")
    (site / "folder").symlink_to(outside)
    (site / "loop.js").symlink_to("loop.js")
    (site / "absent.js").symlink_to("nowhere.js")
    os.mkfifo(site / "pipe.js")
    assert site_files(site) == before


@pytest.mark.parametrize("remains", ["folder", "nothing"])
def test_a_site_without_a_start_page_is_refused(site: Path, remains: str) -> None:
    (site / "index.html").unlink()
    with pytest.raises(WebappError, match=r"no index\.html") as caught:
        create_app(Settings(site=site if remains == "folder" else site / "nothing"))
    assert caught.value.exit_code == 2


def test_built_scripts_stand_for_those_that_were_written(site: Path) -> None:
    (site / "built" / "app").mkdir(parents=True)
    for name in ("main.js", "frame.js"):
        (site / "built" / "app" / name).write_text("small")
    (site / "built" / "index.html").write_text("no page")
    served = site_files(site)
    assert served["/app/main.js"] == site / "built" / "app" / "main.js"
    assert "/engine/index.js" not in served, "nobody fetches what was put into another script"
    assert served["/app/main.css"] == site / "app" / "main.css"
    (site / "built" / "app" / "main.css").write_text("small")
    assert site_files(site)["/app/main.css"] == site / "built" / "app" / "main.css"
    assert served["/"] == served["/index.html"] == site / "index.html"
    assert [url for url in served if "built" in url] == []
    written = site_files(site, sources=True)
    assert written["/app/main.js"] == site / "app" / "main.js"
    assert written["/engine/index.js"] == site / "engine" / "index.js"
    assert written["/app/frame.js"] == site / "built" / "app" / "frame.js", "pages link to it"


def test_the_default_site_is_the_one_of_the_checkout() -> None:
    assert default_site() == Path(__file__).parents[2] / "site"


def test_a_mistyped_page_leads_home_and_a_missing_file_is_one_line(client: httpx.Client) -> None:
    page = client.get("/serach.html", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert '<a href="/">' in page.text
    assert client.get("/app/none.js").text == "Not Found"
