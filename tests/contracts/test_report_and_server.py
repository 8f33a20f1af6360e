"""What the exporter and the server must agree on though they do not import each other."""

import dataclasses
import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import exporter.report.wire as wire
import webapp.compression as compression
from exporter.artifact import parse_manifest, read_manifest
from exporter.report import analyse, cpu_files, measure_artifact, read_runtime, render
from exporter.report.networks import NETWORKS
from exporter.report.site_files import CPU_WORKER, PAGES, SITE, WORKER, served, visit_levels, visited_files
from scripts.provide_runtime import BINARY, MODULES
from scripts.provide_runtime import write as write_runtime
from tests.webapp.served import running
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

Make = Callable[..., Path]
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
TOP_IMPORT = re.compile(r"""\b(?:import|export)\b[^;("']*["'](\.[^"']+)["'];""")
CONSTANTS = ("LARGEST", "BROTLI_BEST_BELOW", "BROTLI_BEST", "BROTLI_FAST", "BROTLI_WINDOW", "GZIP_LEVEL")


@pytest.fixture(scope="module")
def folder(tiny_granite: Make, artifact: Make) -> Path:
    return artifact(tiny_granite(), quantize="q8", context=512)


@pytest.mark.parametrize("name", CONSTANTS)
def test_both_state_the_same_compression(name: str) -> None:
    assert getattr(wire, name) == getattr(compression, name)


def test_both_compress_the_same_files() -> None:
    assert wire.COMPRESSED_SUFFIXES == compression.SUFFIXES


@pytest.mark.parametrize("name", ["a.js", "a.json", "a.bin", "a.onnx", "a.svg"])
@pytest.mark.parametrize("size", [0, 1, 1000, 1_200_000])
def test_both_count_the_same_bytes(name: str, size: int) -> None:
    data = bytes(random.Random(size).choices(b"thistledown ", k=size))
    assert wire.wire_sizes(name, data).travels == compression.encoded_size(name, data, "br")


def test_the_report_names_versions_of_the_sites_files_as_the_site_does(folder: Path) -> None:
    """The Sizes page looks for them in the list that the service worker begins with."""
    files = [file for file in measure_artifact(folder).files if file.content]
    assert {file.role for file in files} == {"engine", "page"}
    with running(Settings(folders=(folder,))) as client:
        listed = client.get("/service_worker.js").text.splitlines()[0]
    for file in files:
        assert f'"{file.file.removeprefix("site/")}":"{file.content}"' in listed


def test_every_byte_of_the_report_is_what_the_server_sends(folder: Path) -> None:
    report = measure_artifact(folder)
    with running(Settings(folders=(folder,))) as client:
        for file in report.files:
            address = (
                file.file.removeprefix("site/")
                if "site/" in file.file
                else f"models/{folder.name}/{file.file}"
            )
            with client.stream("GET", f"/{address}", headers={"Accept-Encoding": "br"}) as response:
                assert response.status_code == 200, address
                assert sum(map(len, response.iter_raw())) == file.travels, address


@pytest.mark.browser
@pytest.mark.parametrize("whole", [False, True])
def test_the_sizes_page_reads_what_the_exporter_writes(
    folder: Path, tmp_path: Path, page: "Page", whole: bool
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "tiny"))
    if whole:
        (copy / "report.json").write_text(render(analyse(folder), "json"), "utf-8")
    with running(Settings(folders=(copy,))) as client:
        page.goto(f"{client.base_url}/sizes.html?lang=en")
        first_visit = json.loads((copy / "report.json").read_text("utf-8"))["first_visit"]
        expect(page.locator(".visits")).to_contain_text(f"{first_visit:,} bytes")
        expect(page.locator("#tiers tbody tr")).to_have_count(3)
        expect(page.locator("#times tbody tr")).to_have_count((1 + whole) * len(NETWORKS))
        expect(page.locator("#roles tbody tr").filter(has_text="State-space layers")).to_have_count(
            int(whole)
        )


def test_the_server_counts_a_download_as_the_report_does(folder: Path) -> None:
    manifest = parse_manifest((folder / "manifest.json").read_bytes())
    with running(Settings(folders=(folder,))) as client:
        entry = client.get("/models/catalogue.json").json()["models"][0]["manifest"]
    raw = {file.file: file.raw for file in measure_artifact(folder).files}
    always = ["manifest.json", *(shard.file for shard in manifest.shards)]
    always += [file.file for file in manifest.files if file.role in ("tokenizer", "generation")]
    for tier, plan in manifest.plans.items():
        assert entry["downloadBytes"][tier] == sum(raw[name] for name in [*always, plan.file])
    assert set(entry) >= {field.name for field in dataclasses.fields(manifest)} - {
        "shards",
        "files",
        "generation",
    } - {
        "source",
        "vocabulary",
        "score_function",
        "mask_token",
        "canary",
        "coded",
    }


@pytest.mark.parametrize(
    "task", ["sentence-embedding", "text-generation", "text-classification", "fill-mask"]
)
def test_a_visit_loads_the_engine_and_the_pages_scripts(task: str) -> None:
    files = visited_files(task)
    assert {"engine/index.js", "engine/worker.js"} <= set(files)
    assert ("style.css" in files) == (task in PAGES)
    carried = visited_files(task, carries_template=True)
    template_engine = {"engine/vendor/jinja.mjs"} if task == "text-generation" else set()
    assert set(carried) - set(files) == template_engine
    calls = {"embed.js", "generation/generate.js", "classify.js", "fill_mask.js"} & {
        name.removeprefix("engine/") for name in files
    }
    assert len(calls) == 1, "no task's visit loads the calls of another"
    assert all(served(SITE, name).is_file() for name in files)


def test_a_visit_of_an_extraction_model_loads_its_own_page() -> None:
    files = visited_files("text-generation", extracts=True)
    assert {
        "extract.html",
        "app/extract.js",
        "passages/messages.json",
        "engine/generation/generate.js",
    } <= set(files)
    assert "app/generate.js" not in files


def test_a_page_loads_no_worker_before_the_engine_starts_one() -> None:
    levels = visit_levels("sentence-embedding", worker=None)
    assert levels[0] == ["search.html"]
    loaded = {name for level in levels for name in level}
    assert "engine/index.js" in loaded
    assert not {name for name in loaded if name.startswith("engine/")} - {"engine/index.js"}


@pytest.mark.parametrize("task", ["sentence-embedding", "text-generation"])
def test_a_visit_without_a_gpu_loads_the_worker_for_the_cpu_and_no_other(task: str) -> None:
    loaded = {name for level in visit_levels(task, worker=CPU_WORKER) for name in level}
    assert loaded >= {"engine/index.js", "engine/wasm/assess.js", CPU_WORKER}
    assert not {WORKER, "engine/wasm/generation/looking.js"} & loaded


@pytest.mark.parametrize("worker", [WORKER, CPU_WORKER])
@pytest.mark.parametrize("task", [*PAGES, "fill-mask"])
def test_a_script_is_counted_with_all_that_it_cannot_start_without(task: str, worker: str) -> None:
    """What is imported at the top of another is fetched, whatever the task."""
    loaded = {name for level in visit_levels(task, worker=worker) for name in level}
    waiting, needed, built = (
        [name for name in loaded if name.endswith("js")],
        {worker},
        SITE.resolve() / "built",
    )
    while waiting:
        place = served(SITE, waiting.pop())
        text = COMMENT.sub("", place.read_text(encoding="utf-8"))
        named = {
            (place.parent / name).resolve().relative_to(built).as_posix() for name in TOP_IMPORT.findall(text)
        }
        waiting += named - needed
        needed |= named
    assert needed - loaded == set()


@pytest.mark.parametrize("coded", [False, True])
def test_both_count_the_same_files_of_a_visit_without_a_gpu(
    tiny_granite: Make, artifact: Make, tmp_path: Path, coded: bool
) -> None:
    folder = artifact(tiny_granite(), quantize="e4" if coded else "q8", context=512)
    manifest = read_manifest(folder)
    assert bool(manifest.coded) == coded
    published = {**dict.fromkeys(MODULES, b"export const one = 1;" * 40), BINARY: bytes(5000)}
    write_runtime(published, tmp_path / "runtime")
    runtime = read_runtime(tmp_path / "runtime")
    assert runtime is not None
    files = cpu_files(folder, measure_artifact(folder), runtime)
    with running(Settings(folders=(folder,), runtime=tmp_path / "runtime")) as client:
        entry = client.get("/models/catalogue.json").json()["models"][0]["manifest"]
        for name, size in runtime.files.items():
            with client.stream("GET", f"/runtime/{name}", headers={"Accept-Encoding": "br"}) as response:
                assert sum(map(len, response.iter_raw())) == size, name
    own = {name: size for name, size in files.items() if not name.startswith("site/")}
    assert entry["transferBytes"]["wasm"] == sum(own.values())
