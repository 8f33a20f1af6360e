"""The static bundle: the same tree for any host, whole or not at all."""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

import webapp.bundle
import webapp.bundle_folder
from webapp import Settings, WebappError, write_bundle
from webapp.headers import SECURITY_HEADERS
from webapp.tree import Tree

MakeArtifact = Callable[..., Path]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def static_host(folder: Path) -> Iterator[httpx.Client]:
    """The plainest static host: Python's own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
                yield client
        finally:
            server.shutdown()
            thread.join()


def files_under(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def refusal(folders: list[Path], out: Path, site: Path, overwrite: bool = False) -> WebappError:
    with pytest.raises(WebappError) as caught:
        write_bundle(folders, out, overwrite, site)
    assert not list(out.parent.glob(".*.partial"))
    return caught.value


def test_every_address_of_the_server_is_on_a_static_host(
    make_artifact: MakeArtifact, site: Path, tmp_path: Path, serve_folders: Callable[..., object]
) -> None:
    folders = [make_artifact("tiny"), make_artifact("other", weights=b"w" * 999)]
    write_bundle(folders, tmp_path / "public", site=site)
    urls = [url for url, _ in Tree(Settings(folders=tuple(folders), site=site)).resources()]
    assert len(urls) == 6 + 2 * 6
    with static_host(tmp_path / "public") as static, serve_folders(*folders) as server:  # type: ignore[attr-defined]
        for url in [*urls, "/", "/bench/"]:
            assert static.get(url).status_code == 200
            assert static.get(url).content == server.get(url).content
        served = server.get("/models/catalogue.json").json()
        for model in served["models"]:
            del model["manifest"]["transferBytes"]  # what travels is the static host's to decide
        assert static.get("/models/catalogue.json").json() == served


def test_the_size_report_is_in_it_and_no_page_of_a_models(artifact: Path, site: Path, tmp_path: Path) -> None:
    for name in ("report.json", "report.html"):
        (artifact / name).write_text("{}", encoding="utf-8")
    write_bundle([artifact], tmp_path / "public", site=site)
    reports = [path.name for path in (tmp_path / "public" / "models" / "tiny").glob("report.*")]
    assert reports == ["report.json"]


def test_nothing_else_is_in_it(artifact: Path, site: Path, tmp_path: Path) -> None:
    (artifact / "notes.json").write_text("secret", encoding="utf-8")
    written = write_bundle([artifact], tmp_path / "public", site=site)
    found = files_under(tmp_path / "public")
    extra = {"_headers", ".nojekyll", "models/catalogue.json"}
    urls = {url[1:] for url, _ in Tree(Settings(folders=(artifact,), site=site)).resources()}
    assert set(found) == urls | extra
    assert (written.files, written.bytes) == (len(found), sum(map(len, found.values())))


def test_addresses_are_relative(artifact: Path, site: Path, tmp_path: Path) -> None:
    """So that the bundle also works below a path of its host."""
    write_bundle([artifact], tmp_path / "host" / "below" / "path", site=site)
    with static_host(tmp_path / "host") as client:
        catalogue = client.get("/below/path/models/catalogue.json").json()
        url = f"/below/path/{catalogue['models'][0]['url']}manifest.json"
        assert client.get(url).content == (artifact / "manifest.json").read_bytes()


def test_the_headers_file(artifact: Path, site: Path, tmp_path: Path, shard: str) -> None:
    write_bundle([artifact], tmp_path / "public", site=site)
    lines = (tmp_path / "public" / "_headers").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "/*"
    assert lines[1:7] == [f"  {name}: {value}" for name, value in SECURITY_HEADERS.items()]
    assert lines[7:] == [shard, "  Cache-Control: public, max-age=31536000, immutable"]


def test_twice_gives_the_same_bytes(artifact: Path, site: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_bundle([artifact], tmp_path / name, site=site)
    assert files_under(tmp_path / "a") == files_under(tmp_path / "b")


def test_others_may_read_it(artifact: Path, site: Path, tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        write_bundle([artifact], tmp_path / "public", site=site)
    finally:
        os.umask(mask)
    for path in [tmp_path / "public", *(tmp_path / "public").rglob("*")]:
        assert path.stat().st_mode & 0o444 == 0o444


def test_an_empty_folder_is_filled(artifact: Path, site: Path, tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    write_bundle([artifact], tmp_path / "public", site=site)
    assert (tmp_path / "public" / "index.html").is_file()


def test_an_earlier_bundle_is_replaced_only_if_asked(
    make_artifact: MakeArtifact, site: Path, tmp_path: Path
) -> None:
    out = tmp_path / "public"
    write_bundle([make_artifact("old")], out, site=site)
    before = files_under(out)
    new = make_artifact("new")
    assert "--overwrite" in refusal([new], out, site).remedy
    assert files_under(out) == before
    write_bundle([new], out, overwrite=True, site=site)
    assert {path.name for path in (out / "models").iterdir()} == {"new", "catalogue.json"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artifacts", "public", "secret.json", "site"]


def test_a_folder_of_something_else_is_never_replaced(artifact: Path, site: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert "something else" in refusal([artifact], tmp_path / "home", site, overwrite=True).what
    assert files_under(tmp_path / "home") == {"thesis.txt": b"years of work"}


@pytest.mark.parametrize(
    "out", [".", "artifacts", "artifacts/tiny", "artifacts/tiny/public", "site", "site/public"]
)
def test_it_does_not_mix_with_its_sources(artifact: Path, site: Path, tmp_path: Path, out: str) -> None:
    before = files_under(tmp_path)
    assert "mix" in refusal([artifact], tmp_path / out, site, overwrite=True).what
    assert files_under(tmp_path) == before


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_folder_stays(artifact: Path, site: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    if kind == "file":
        (tmp_path / "public").write_text("x", encoding="utf-8")
    else:
        (tmp_path / "public").symlink_to("elsewhere")
    assert "no folder" in refusal([artifact], tmp_path / "public", site, overwrite=True).what
    assert (tmp_path / "public").is_symlink() == (kind == "link")


def test_a_damaged_shard_is_not_published(artifact: Path, site: Path, tmp_path: Path, shard: str) -> None:
    path = artifact / Path(shard).name
    path.write_bytes(bytes(len(path.read_bytes())))
    assert "not the one that the manifest lists" in refusal([artifact], tmp_path / "public", site).what
    assert not (tmp_path / "public").exists()


def test_a_full_disk_leaves_the_earlier_bundle(
    make_artifact: MakeArtifact, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "public"
    write_bundle([make_artifact("old")], out, site=site)
    before, new = files_under(out), make_artifact("new")
    real = os.rename
    for failing in range(1, 3):
        calls = []

        def rename(source: Path, target: Path, calls: list[Path] = calls, failing: int = failing) -> None:
            calls.append(source)
            if len(calls) == failing:
                raise OSError(28, "No space left on device")
            real(source, target)

        monkeypatch.setattr(webapp.bundle_folder.os, "rename", rename)
        assert "No space left" in refusal([new], out, site, overwrite=True).what
        assert files_under(out) == before


def at_the_rename(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """`act` happens after the last check, in front of the rename."""
    real = os.rename

    def rename(source: Path, target: Path) -> None:
        act()
        real(source, target)

    monkeypatch.setattr(webapp.bundle_folder.os, "rename", rename)


def while_copying(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    real = webapp.bundle._write

    def write(tree: Tree, folder: Path) -> webapp.bundle.Bundle:
        act()
        return real(tree, folder)

    monkeypatch.setattr(webapp.bundle, "_write", write)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("when", [while_copying, at_the_rename])
def test_what_appears_meanwhile_stays(
    artifact: Path,
    site: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    when: Callable[[pytest.MonkeyPatch, Callable[[], object]], None],
    overwrite: bool,
) -> None:
    out = tmp_path / "public"

    when(monkeypatch, lambda: None if out.exists() else stranger(out))
    refusal([artifact], out, site, overwrite)
    assert files_under(out) == {"thesis.txt": b"years of work"}
    assert not list(tmp_path.glob(".public.*"))


def test_of_two_bundles_into_one_new_folder_one_is_refused(
    make_artifact: MakeArtifact, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, early, late = tmp_path / "public", make_artifact("early"), make_artifact("late")

    def bundle_early() -> None:
        monkeypatch.undo()
        write_bundle([early], out, site=site)

    while_copying(monkeypatch, bundle_early)
    assert "--overwrite" in refusal([late], out, site).remedy
    assert (out / "models" / "early" / "manifest.json").is_file()
    assert not (out / "models" / "late").exists()


def test_leftovers_of_killed_bundles_go_and_the_former_bundle_comes_back(
    make_artifact: MakeArtifact, site: Path, tmp_path: Path
) -> None:
    out, artifact = tmp_path / "public", make_artifact()
    write_bundle([artifact], out, site=site)
    before = files_under(out)
    (tmp_path / ".public.0123abcd.partial").mkdir()
    out.rename(tmp_path / ".public.0123abcd.old")
    assert "--overwrite" in refusal([artifact], out, site).remedy
    assert files_under(out) == before
    (tmp_path / ".public.4567abcd.old").mkdir()
    (tmp_path / ".public.notes.old").mkdir()
    write_bundle([artifact], out, overwrite=True, site=site)
    assert [path.name for path in tmp_path.glob(".public.*")] == [".public.notes.old"]


def test_a_bundle_that_another_process_writes_is_left_alone(
    artifact: Path, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "public"

    def look() -> None:
        monkeypatch.undo()
        [live] = tmp_path.glob(".public.*.partial")
        with pytest.raises(WebappError, match="something else"):
            write_bundle([artifact], stranger(out), overwrite=True, site=site)
        assert live.is_dir()
        shutil.rmtree(out)

    while_copying(monkeypatch, look)
    write_bundle([artifact], out, site=site)
    assert (out / "index.html").is_file()


def stranger(out: Path) -> Path:
    """A folder at `out` with something else than a bundle."""
    out.mkdir()
    (out / "thesis.txt").write_text("years of work", encoding="utf-8")
    return out


def test_the_catalogue_of_the_bundle_is_checked_data(artifact: Path, site: Path, tmp_path: Path) -> None:
    write_bundle([artifact], tmp_path / "public", site=site)
    catalogue = json.loads((tmp_path / "public/models/catalogue.json").read_text(encoding="utf-8"))
    shards = list((tmp_path / "public/models/tiny").glob("*.bin"))
    assert [model["url"] for model in catalogue["models"]] == ["models/tiny/"]
    assert [path.stem for path in shards] == [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in shards
    ]
