"""The commands serve and bundle, as a person runs them."""

import errno
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import webapp.bundle
from webapp.__main__ import main

ROOT = Path(__file__).parents[2]


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "webapp", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def printed_address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    match = re.fullmatch(r"Thistledown is at (http://\S+/) \(Ctrl-C stops it\)\n", line)
    assert match, line
    return match[1]


@pytest.mark.parametrize("verbose", [[], ["--verbose"]])
def test_serve_prints_where_it_is_and_stops_cleanly(artifact: Path, site: Path, verbose: list[str]) -> None:
    arguments = ("serve", str(artifact), "--site", str(site), "--port", "0", *verbose)
    with started(*arguments) as process:
        address = printed_address(process)
        assert httpx.get(address).status_code == 200
        assert httpx.get(f"{address}models/tiny/manifest.json").json()["name"] == "tiny"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert ("GET /models/tiny/manifest.json" in out) == bool(verbose)
    assert errors.endswith("Stopped.\n")
    assert verbose or errors == "Stopped.\n"


def test_ctrl_c_does_not_wait_long_for_a_slow_download(
    make_artifact: Callable[..., Path], site: Path
) -> None:
    folder = make_artifact(weights=bytes(30_000_000))
    (shard,) = folder.glob("*.bin")
    with started("serve", str(folder), "--site", str(site), "--port", "0") as process:
        address = httpx.URL(printed_address(process))
        with httpx.stream("GET", address.join(f"/models/tiny/{shard.name}")):
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert errors == "Stopped.\n"


def test_a_port_in_use(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--site", str(site), "--port", str(port)]) == 2
    message = capsys.readouterr().err
    assert f"127.0.0.1, port {port}" in message
    assert "--port 0" in message


@pytest.mark.parametrize(
    ("host", "port", "complaint"),
    [
        ("127.0.0.1", "65536", "The port must be from 0 to 65535 (--port 65536)"),
        ("127.0.0.1", "-1", "The port must be from 0 to 65535 (--port -1)"),
        ("192.0.2.1", "0", "--host 127.0.0.1"),
        ("no such host", "0", "--host 127.0.0.1"),
        ("a" * 70 + ".example", "0", "--host 127.0.0.1"),
    ],
)
def test_an_address_that_is_not_there(
    site: Path, capsys: pytest.CaptureFixture[str], host: str, port: str, complaint: str
) -> None:
    assert main(["serve", "--site", str(site), "--host", host, f"--port={port}"]) == 2
    assert complaint in capsys.readouterr().err


def test_a_folder_without_an_artifact(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["serve", str(tmp_path)], ["bundle", str(tmp_path), "-o", str(tmp_path / "public")]):
        assert main([*arguments, "--site", str(site)]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("thistledown: There is no manifest to read")
        assert "thistledown export" in shown.err


def test_bundle(artifact: Path, site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "public"
    arguments = ["bundle", str(artifact), "-o", str(out), "--site", str(site)]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    summary, next_step = shown.splitlines()
    assert summary == f"{out}: {len(sizes)} files, {sum(sizes):,} bytes ({sum(sizes) / 1e6:.1f} MB)"
    assert next_step == f"Try it: python3 -m http.server -d {out}"
    assert main(arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0


def test_a_bundle_that_is_interrupted_leaves_nothing(
    artifact: Path,
    site: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(webapp.bundle, "_headers_file", interrupt)
    before = sorted(tmp_path.iterdir())
    assert main(["bundle", str(artifact), "-o", str(tmp_path / "public"), "--site", str(site)]) == 130
    assert "thistledown: stopped" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "arguments", [[], ["serv"], ["serve", "--port", "x"], ["bundle"], ["bundle", "x"], ["serve", "--unknown"]]
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: thistledown" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["serve", "--prot", "80"], "there is no option --prot; did you mean --port?"),
        (["serve", "--vrebose"], "did you mean --verbose?"),
        (["bundle", "x", "-o", "y", "--overwrit3=yes"], "did you mean --overwrite?"),
        (["bundle", "x", "-o", "y", "--zzz"], "there is no option --zzz\n"),
    ],
)
def test_a_mistyped_option(arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"usage: thistledown {arguments[0]} ")
    assert hint in shown


def test_the_folder_above_the_models_names_those_inside(
    make_artifact: Callable[..., Path], site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [make_artifact(name) for name in ("a", "b")]
    assert main(["serve", str(folders[0].parent), "--site", str(site)]) == 2
    assert f"Give the artifact folders inside it: {folders[0]} {folders[1]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "note"),
    [([], "No models: name artifact folders"), (["--host", "0.0.0.0"], "only to https")],
)
def test_serve_says_what_may_surprise(site: Path, arguments: list[str], note: str) -> None:
    with started("serve", "--site", str(site), "--port", "0", *arguments) as process:
        httpx.get(printed_address(process).replace("0.0.0.0", "127.0.0.1"))  # from here on it is up
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert note in errors


@pytest.mark.parametrize("command", ["serve", "bundle"])
def test_help_has_two_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    examples = capsys.readouterr().out.partition("examples:\n")[2].strip().splitlines()
    assert len(examples) >= 2
    assert all(line.strip().startswith(f"thistledown {command} ") for line in examples)


def test_a_port_that_needs_rights(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    assert main(["serve", "--site", str(site), "--port", "80"]) == 2
    assert "from 1024 on" in capsys.readouterr().err
