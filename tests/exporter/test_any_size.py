"""A checkpoint of a gigabyte: exported in little memory, foretold to the byte, and nothing left of what is stopped."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from scripts.random_checkpoint import write_random_checkpoint
from tests.published import config_of

# Granite-4.0-H-Micro's layers, six of them: 1.0 GB in bfloat16.
LAYERS = ["mamba", "mamba", "attention", "mamba", "mamba", "mamba"]
SIZES = {
    "hidden_size": 2048,
    "vocab_size": 30000,
    "num_hidden_layers": len(LAYERS),
    "layer_types": LAYERS,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "shared_intermediate_size": 8192,
    "mamba_n_heads": 64,
    "mamba_d_head": 64,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
# A few slabs for each thread and what NumPy makes of them; measured 23 to 84 MB on 2 threads.
MOST_GROWTH = 200_000_000
MEASURED = """
import sys
import exporter.pipeline
from exporter.__main__ import main
from tests.peak_memory import peak_bytes

before = peak_bytes()
code = main(["export", sys.argv[1], "-o", sys.argv[2], "--quantize", "q4"])
print(peak_bytes() - before)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def gigabyte(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("gigabyte")
    source = folder / "config"
    source.mkdir()
    (source / "config.json").write_text(json.dumps(config_of("granite-4.0-h-350m") | SIZES))
    checkpoint = folder / "checkpoint"
    assert write_random_checkpoint(source, checkpoint, 400_000_000) == pytest.approx(1e9, rel=0.01)
    yield checkpoint
    shutil.rmtree(folder)


def _export(checkpoint: Path, output: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "exporter", "export", str(checkpoint), "-o", str(output)]
    return subprocess.Popen([*command, "--quantize", "q4"], stderr=subprocess.PIPE, text=True)


def _wait_for_weights(process: "subprocess.Popen[str]", parent: Path, left_over: Sequence[Path] = ()) -> None:
    """Until the export has written some megabytes of its first shard into a folder that is not `left_over`."""
    while process.poll() is None:
        folders = set(parent.iterdir()) - set(left_over)
        if sum(path.stat().st_size for folder in folders for path in folder.iterdir()) > 5_000_000:
            return
        time.sleep(0.01)  # the export runs meanwhile
    pytest.fail("the export ended before it could be stopped")


def test_memory_does_not_grow_with_the_model_and_sizes_are_foretold(gigabyte: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, str(gigabyte), str(out)], capture_output=True, text=True, timeout=200
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout.splitlines()[-1]) < MOST_GROWTH
    command = [sys.executable, "-m", "exporter", "export", str(gigabyte), "--dry-run", "--json"]
    foretold = json.loads(subprocess.check_output([*command, "--quantize", "q4", "-o", str(out)]))
    assert foretold["total"] == sum(path.stat().st_size for path in out.iterdir())
    shutil.rmtree(out)


def test_ctrl_c_leaves_nothing_behind(gigabyte: Path, tmp_path: Path) -> None:
    with _export(gigabyte, tmp_path / "model") as process:
        _wait_for_weights(process, tmp_path)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told.splitlines()[-1] == "thistledown: stopped; nothing was left half-written"
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []


def test_after_a_kill_the_next_export_clears_up(gigabyte: Path, tmp_path: Path) -> None:
    with _export(gigabyte, tmp_path / "model") as process:
        _wait_for_weights(process, tmp_path)
        process.kill()
    left_over = list(tmp_path.iterdir())
    assert len(left_over) == 1
    with _export(gigabyte, tmp_path / "model") as process:
        _wait_for_weights(process, tmp_path, left_over)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert list(tmp_path.iterdir()) == []
