"""Bring a fresh clone to where `make demo` or `make test` works; later runs check that it still is there.

    python3 -m scripts.setup demo    virtual environment and the packages that export and serve
    python3 -m scripts.setup test    all packages, torch, npm packages, a Chromium, a software Vulkan driver

A finished step leaves a stamp that names what it was made from; the step runs again when that changes.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # whatever Python the machine has runs this line
    sys.exit("Thistledown needs Python 3.11 or newer; this is " + sys.version.split()[0] + ": make PYTHON=…")

import hashlib
import platform
import shutil
import subprocess
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from scripts.programs import SetupError, provide_chromium, provide_vulkan_driver
from scripts.provide_runtime import RuntimeFilesError, provide

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMPS = ENVIRONMENT / "setup-stamps"
OLDEST_NODE = 20


def main(purpose: str) -> None:
    started = time.monotonic()
    step("virtual environment", f"Python {_python_version()}", make_environment)
    if purpose == "test":
        step("packages", _hash("requirements-test.lock"), lambda: pip("-r", "requirements-test.lock"))
        step("torch", torch_requirement(), install_torch)
    elif not is_done("packages", _hash("requirements-test.lock")):
        step("packages", _hash("requirements.lock"), lambda: pip("-r", "requirements.lock"))
    step("thistledown", _hash("pyproject.toml"), lambda: pip("--no-build-isolation", "-e", "."))
    report("runtime for browsers without WebGPU", runtime())
    if purpose == "test":
        step("npm packages", _hash("package-lock.json"), install_npm_packages)
        report("Chromium", provide_chromium(PYTHON))
        report("Vulkan driver", provide_vulkan_driver())
    report("ready", f"{time.monotonic() - started:.1f} s")


def step(title: str, made_from: str, action: Callable[[], None]) -> None:
    if is_done(title, made_from):
        report(title, "up to date")
        return
    started = time.monotonic()
    report(title, "…")
    action()
    STAMPS.mkdir(exist_ok=True)
    _stamp(title).write_text(made_from)
    report(title, f"{time.monotonic() - started:.1f} s")


def is_done(title: str, made_from: str) -> bool:
    return _stamp(title).is_file() and _stamp(title).read_text() == made_from


def report(title: str, state: str) -> None:
    print(f"set-up: {title}: {state}", flush=True)


def run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True, stdin=subprocess.DEVNULL)


def succeeds(command: list[str]) -> bool:
    quiet = subprocess.DEVNULL
    return subprocess.run(command, cwd=ROOT, stdin=quiet, stderr=quiet).returncode == 0


def runtime() -> str:
    """Where it is, after bringing it if need be; without it the pages need WebGPU, and its tests fail."""
    try:
        return str(provide().relative_to(ROOT))
    except RuntimeFilesError as error:
        return f"MISSING, so pages will need WebGPU: {error}"


def make_environment() -> None:
    """Make .venv, or keep the one that is there if it has the right Python."""
    if PYTHON.exists() and f"Python {_python_version()}" == _output(str(PYTHON), "--version"):
        return
    try:
        run(sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT))
    except subprocess.CalledProcessError as error:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        raise SetupError("no module venv: on Debian and Ubuntu, apt-get install python3-venv") from error


def pip(*what: str) -> None:
    """Install exactly what is named: the locks are complete, so nothing is left to resolve."""
    run(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", *what)


def install_torch() -> None:
    """The CPU build where there is a choice: Linux's default build is useless without gigabytes of CUDA."""
    requirement = torch_requirement()
    for attempt in _torch_attempts(requirement):
        if succeeds(attempt):
            break
    if not succeeds([str(PYTHON), "-c", "import torch"]):
        raise SetupError(
            f"no CPU build of {requirement} found: name an index that has one in PIP_EXTRA_INDEX_URL "
            "(pytorch.org, Get Started, Compute Platform: CPU) and run this again"
        )


def _torch_attempts(requirement: str) -> list[list[str]]:
    pip_install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    if platform.system() != "Linux":
        return [[str(PYTHON), *pip_install, requirement]]
    uv_install = ["-m", "uv", "pip", "install", "--quiet", "--no-deps", "--torch-backend=cpu", "--python"]
    return [
        [str(PYTHON), *pip_install, f"{requirement}+cpu"],
        [str(PYTHON), *uv_install, str(PYTHON), requirement],
    ]


def torch_requirement() -> str:
    """The pin in pyproject.toml, its only home."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return next(text for text in project["optional-dependencies"]["verify"] if text.startswith("torch=="))


def install_npm_packages() -> None:
    node = shutil.which("node")
    version = _output(node, "--version") if node and shutil.which("npm") else "none"
    if version == "none" or int(version.removeprefix("v").split(".")[0]) < OLDEST_NODE:
        raise SetupError(f"Node {OLDEST_NODE} or newer with npm is needed, found {version}: see nodejs.org")
    run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")


def _stamp(title: str) -> Path:
    return STAMPS / title.replace(" ", "-")


def _hash(name: str) -> str:
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()


def _python_version() -> str:
    return platform.python_version()


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    if sys.argv[1:] not in (["demo"], ["test"]):
        sys.exit("usage: python3 -m scripts.setup demo|test")
    try:
        main(sys.argv[1])
    except SetupError as error:
        sys.exit(f"set-up failed: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"set-up failed: {' '.join(error.cmd)} ended with code {error.returncode}")
