"""Errors read as one line that names the thing, the place and the remedy."""

import sys
from pathlib import Path

import pytest

from exporter import errors
from exporter.__main__ import main
from exporter.errors import CheckFailedError, ThistledownError, UnsupportedModelError, WeightsError


def test_reads_as_thing_place_and_remedy() -> None:
    error = WeightsError('Tensor "w" is missing', "model", "Fetch the checkpoint again.")
    assert str(error) == 'Tensor "w" is missing (model). Fetch the checkpoint again.'
    assert (error.what, error.where, error.remedy) == error.args


@pytest.mark.parametrize(
    ("parts", "text"),
    [(("It broke",), "It broke."), (("Did it?",), "Did it?"), (("It broke", "here"), "It broke (here).")],
)
def test_missing_parts_leave_no_gap(parts: tuple[str, ...], text: str) -> None:
    assert str(ThistledownError(*parts)) == text


def test_text_from_files_cannot_steer_the_terminal_or_flood_it() -> None:
    text = str(WeightsError("a\x1b[31m\n\u202e" + "b" * 10_000, "c\r", "d\0"))
    assert text.isprintable()
    assert r"a\x1b[31m\n\u202eb" in text
    assert len(text) < 2000


def test_exit_codes_tell_bad_input_from_a_failed_check() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert {kind.__name__: kind.exit_code for kind in kinds if kind.exit_code != 2} == {"CheckFailedError": 1}
    assert issubclass(CheckFailedError, ThistledownError)


def test_an_unknown_model_type_gets_the_nearest_known_one() -> None:
    error = UnsupportedModelError("granitemoehybird", ["llama", "granitemoehybrid", "bert"])
    assert str(error) == (
        'Unknown model_type "granitemoehybird" (config.json). '
        'Did you mean "granitemoehybrid"? Supported: bert, granitemoehybrid, llama.'
    )
    assert "Did you mean" not in str(UnsupportedModelError("zzz", ["bert"]))


def test_a_command_whose_tools_are_not_installed_says_what_installs_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    given = ["--teacher", "a", "--student", "b", "--data", "c.txt", "-o", str(tmp_path / "out")]
    assert main(["distill", *given]) == 2
    assert (
        "distill needs accelerate, which is not installed here. Run `make setup`" in capsys.readouterr().err
    )
