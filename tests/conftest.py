"""Fixtures that several rooms' tests share: a browser, a page that notices errors, checkpoints."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts.programs import find_chromium, find_headless_shell
from scripts.provide_runtime import RuntimeFilesError, provide
from tests.made_once import Shelf, tag_of
from tests.parity_notes import write_page
from tests.tiny_adapters import write_adapter
from tests.tiny_encoders import ENCODERS, write_tiny_encoder
from tests.tiny_granite import Variant, write_tiny_granite
from tests.tiny_models import DECODERS, write_tiny_model

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

# No test reaches for the model hub, unless `HF_HUB_OFFLINE=0 pytest -m network` asks for it.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Tests that run side by side have a core each; threads that wait for each other's turn take many times as long.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# lavapipe compiles each kernel anew for its constants: without LLVM's passes in about half the time, which counts for
# more here than how fast a kernel runs once.
os.environ.setdefault("GALLIVM_PERF", "nopt")

# Tests send Ctrl-C to programs that they start. A runner in the background starts us with it ignored, which programs
# would inherit; they do not inherit a handler.
signal.signal(signal.SIGINT, signal.default_int_handler)

# SwiftShader gives a real WebGPU device on any machine, but needs 0.1 s a KiB to compile zeroed workgroup memory:
# our kernels write what they read, as wgpu asks of them too. The rest keeps the browser off the network.
CHROMIUM_FLAGS = (
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-dawn-features=disable_workgroup_init",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# SwiftShader is no graphics processor, so an engine left to itself would compute on the CPU.
ON_WEBGPU = "globalThis.thistledownBackend = 'webgpu'"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-parity", action="store_true", help="write docs/parity.md from this run")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--write-parity"):
        write_page()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests go last: once Playwright has started, its event loop stays in this thread until the end,
    and a test that calls asyncio.run would be refused.
    """
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    return _or_fail(find_chromium())


def _or_fail(path: Path | None) -> Path:
    if path is None:
        pytest.fail("no Chromium found: run `make setup`, or set CHROMIUM to the program's path")
    return path


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """One headless Chromium with WebGPU for the whole session; its pages take that unless a test says otherwise."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = _or_fail(find_headless_shell())
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        plain = browser.new_context

        def new_context(**options: Any) -> "BrowserContext":
            context = plain(**options)
            context.add_init_script(ON_WEBGPU)
            return context

        browser.new_context = new_context  # type: ignore[method-assign]
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def runtime() -> Path:
    """The folder of what computes without WebGPU, as a checkout has it after `make setup`."""
    try:
        return provide()
    except RuntimeFilesError as error:
        pytest.fail(f"no runtime for browsers without WebGPU: {error}")


def note_errors(page: "Page", errors: list[str]) -> None:
    """Puts what the page logs as an error, or leaves uncaught, into `errors`."""

    def note_console(message: "ConsoleMessage") -> None:
        if message.type == "error":
            errors.append(f"console: {message.text} ({message.location.get('url', '')})")

    page.on("console", note_console)
    page.on("pageerror", lambda error: errors.append(f"uncaught: {error}"))


@pytest.fixture
def page_errors() -> list[str]:
    """What went wrong on `page`; a test that provokes errors checks this list and then clears it."""
    return []


@pytest.fixture
def page(browser: "Browser", page_errors: list[str]) -> "Iterator[Page]":
    """A page in a context of its own; the test fails if the page logs an error or leaves one uncaught.

    What pages ask for comes from the server or the test, not from the site's service worker, which has its own tests.
    """

    context = browser.new_context(service_workers="block")
    page = context.new_page()
    note_errors(page, page_errors)
    yield page
    context.close()
    assert page_errors == []


@pytest.fixture(scope="session")
def tiny_granite(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes tiny Granite-4.0-H checkpoints: `tiny_granite(groups=1, position=None, tied=True, layers=...)`.

    Returns the checkpoint folder, which is shared by the run's tests: read it, do not write to it.
    """
    shelf = Shelf.of_this_run(tmp_path_factory, "granites")

    def make(**options: object) -> Path:
        variant = Variant(**options)  # type: ignore[arg-type]
        return shelf.folder(variant.name, variant, lambda folder: write_tiny_granite(folder, variant))

    return make


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the tiny decoders of tests/tiny_models by name: `tiny_model("llama-gqa-untied")`.

    Returns the checkpoint folder, which is shared by the run's tests: read it, do not write to it.
    """
    shelf = Shelf.of_this_run(tmp_path_factory, "decoders")
    return lambda name: shelf.folder(
        f"tiny-{name}", name, lambda folder: write_tiny_model(folder, DECODERS[name])
    )


@pytest.fixture(scope="session")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes LoRA adapters of peft, each once: `adapters(checkpoint, targets, r=4, ...)` (tests/tiny_adapters.py).

    Returns the folder, which is shared by the run's tests: read it, do not write to it.
    """
    shelf = Shelf.of_this_run(tmp_path_factory, "adapters")

    def make(checkpoint: Path, targets: Sequence[str], **config: Any) -> Path:
        key = (str(checkpoint), tuple(targets), sorted(config.items()))
        return shelf.folder("poet", key, lambda folder: write_adapter(folder, checkpoint, targets, **config))

    return make


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the tiny encoders of tests/tiny_encoders.py by name: `tiny_encoder("bert-classes")`.

    Returns the checkpoint folder, which is shared by the run's tests: read it, do not write to it.
    """
    shelf = Shelf.of_this_run(tmp_path_factory, "encoders")
    return lambda name: shelf.folder(
        f"tiny-{name}", name, lambda folder: write_tiny_encoder(folder, ENCODERS[name])
    )


@pytest.fixture(scope="session")
def minilm_checkpoint() -> Path:
    """The checkpoint folder of all-MiniLM-L6-v2, from the package that carries it."""
    from exporter.checkpoints.bundled import bundled_folder

    return bundled_folder()


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Exports once a run: `artifact(source, quantize="q8", context=None, ...)` gives the artifact folder."""
    from exporter.export_options import ExportOptions
    from exporter.pipeline import export
    from exporter.progress import Progress

    shelf = Shelf.of_this_run(tmp_path_factory, "artifacts")

    def make(source: Path | str, **options: object) -> Path:
        key = (str(source), *sorted(options.items()))

        def write(folder: Path) -> None:
            export(ExportOptions(str(source), folder, **options), Progress(quiet=True))  # type: ignore[arg-type]

        return shelf.folder(f"{Path(source).name}-{tag_of(key)}", key, write)

    return make
