import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from thistledown_cli import COMMANDS, Command, help_text, main


def test_help_shows_every_command_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.strip() == help_text()
    for command in COMMANDS:
        assert f"thistledown {command.example}" in shown
        assert command.example.split()[0] == command.name


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "usage: thistledown" in capsys.readouterr().out


def test_an_unknown_command_is_bad_input_and_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exprot"]) == 2
    assert "did you mean export?" in capsys.readouterr().err


def test_a_far_off_command_gets_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zzz"]) == 2
    assert "export, report, inspect" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_answers_help(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command.name, "--help"])
    assert ended.value.code == 0
    assert f"thistledown {command.name}" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_locale_gets_all_output(encoding: str) -> None:
    """A pipe gets UTF-8, and what is no text escaped."""
    script = "import thistledown_cli as cli; cli.help_text = lambda: '\\N{MINUS SIGN}\\udce9'; cli.main(['--help'])"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert ran.stdout.decode("utf-8").strip() == "\N{MINUS SIGN}\\udce9"


def test_closed_output_is_no_error() -> None:
    script = (
        "import sys, thistledown_cli; sys.stdout = sys.stderr = None;"
        "sys.exit(thistledown_cli.main(['report', 'nowhere']))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 2


def test_a_command_that_is_ended_leaves_no_temporary_folder(tmp_path: Path) -> None:
    """SIGTERM is what `timeout` and CI send; an export in the midst of --what-if has gigabytes there."""
    (tmp_path / "slow.py").write_text(
        "import tempfile, time\n"
        "def main(arguments):\n"
        f"    with tempfile.TemporaryDirectory(dir={str(tmp_path)!r}, prefix='made-'):\n"
        "        print('ready', flush=True)\n"
        "        time.sleep(600)\n"
    )
    script = (
        "import sys, thistledown_cli as cli; cli.COMMANDS = (cli.Command('slow', 'slow', '', ''),);"
        "sys.exit(cli.main(['slow']))"
    )
    ran = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
    )
    assert ran.stdout is not None
    assert ran.stdout.readline() == b"ready\n"
    assert list(tmp_path.glob("made-*"))
    ran.terminate()
    ran.communicate()
    assert ran.returncode == 130
    assert not list(tmp_path.glob("made-*"))


def test_help_loads_no_room() -> None:
    """Help stays instant only as long as nothing heavy is imported for it."""
    script = (
        "import sys, thistledown_cli; thistledown_cli.main(['--help']); print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(ran.stderr.split()).isdisjoint({"exporter", "webapp", "wgsl_kernels", "numpy", "onnx"})


def test_a_reader_that_stops_early_is_no_error() -> None:
    script = "import sys, thistledown_cli; sys.stdin.read(); sys.exit(thistledown_cli.main(['--help']))"
    ran = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert ran.stdout is not None
    ran.stdout.close()
    assert ran.communicate()[1] == b""
    assert ran.returncode == 0
