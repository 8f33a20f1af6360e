"""Find, and where possible install, what is no package: a Chromium, a software Vulkan driver."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

from bench import find_chromium

__all__ = [
    "SetupError",
    "find_chromium",
    "find_headless_shell",
    "find_vulkan_driver",
    "provide_chromium",
    "provide_vulkan_driver",
]

VULKAN_DRIVER_FOLDERS = (
    "/usr/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
)


class SetupError(Exception):
    """Something that could not be provided; the text says what to do about it."""


def find_vulkan_driver() -> Path | None:
    """The description file of lavapipe, Mesa's software Vulkan driver."""
    files = (path for folder in VULKAN_DRIVER_FOLDERS for path in sorted(Path(folder).glob("lvp_icd*.json")))
    return next(files, None)


def find_headless_shell() -> Path | None:
    """Chromium's headless shell, the same engine without windows; else, or if $CHROMIUM says so, Chromium.

    A tab of its own costs a test a fifth of the processor time that it takes in the whole browser.
    """
    shell = None if os.environ.get("CHROMIUM") else shutil.which("chromium-headless-shell")
    return Path(shell) if shell else find_chromium()


def provide_chromium(python: Path) -> str:
    """Where Chromium is, after installing it if need be. Debian's comes first: it brings its libraries."""
    if not os.environ.get("CHROMIUM") and shutil.which("chromium-headless-shell") is None:
        _apt_install("chromium-headless-shell")
    if find_chromium() is None and not os.environ.get("CHROMIUM") and not _apt_install("chromium"):
        subprocess.run([str(python), "-m", "playwright", "install", "chromium"], stdin=subprocess.DEVNULL)
    path = find_chromium()
    if path is None:
        raise SetupError(
            "no Chromium found and none could be installed: install Chromium or Chrome, "
            "or set CHROMIUM to the program's path"
        )
    return str(path)


def provide_vulkan_driver() -> str:
    """Where the driver is, after installing it if need be; its absence stops only the gpu tests."""
    if platform.system() != "Linux":
        return "the system's own"
    if find_vulkan_driver() is None:
        _apt_install("mesa-vulkan-drivers")
    path = find_vulkan_driver()
    return str(path) if path else "MISSING, so the gpu tests will fail: install Mesa's lavapipe"


def _apt_install(package: str) -> bool:
    """Whether apt could install `package`; it can only as root on Debian and its kin."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    commands = (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", package])
    results = [
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for command in commands
    ]
    return results[-1].returncode == 0
