"""The command that times the decoder, on a small artifact."""

import re
from pathlib import Path

import pytest

from scripts import decoder_speed
from tests.site.coded_files import with_coded_shards
from tests.site.engine_artifacts import embedding_artifact


def written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.browser
def test_it_tells_the_speed_of_each_count_of_workers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path / "coded", with_coded_shards(embedding_artifact().files()))
    decoder_speed.main([str(folder), "--rounds", "3", "--workers", "2"])
    assert re.fullmatch(
        r"2 workers: \d+ MB/s of weights, \d+ to \d+, first round \d+; as much as a line of \d+ MB/s brings\n",
        capsys.readouterr().out,
    )


def test_plain_weights_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "plain", embedding_artifact().files())
    with pytest.raises(SystemExit):
        decoder_speed.main([str(folder)])
    assert "--code-weights" in capsys.readouterr().err
