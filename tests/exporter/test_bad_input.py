"""Bad input to `thistledown export`: one clear error with the remedy, exit code 2, and nothing half-written."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from exporter.__main__ import main
from exporter.artifact import ShardWriter
from exporter.checkpoints import ORIGIN_FILE

Make = Callable[..., Path]
Damage = Callable[[Path], None]


@pytest.fixture
def checkpoint(tiny_granite: Make, tmp_path: Path) -> Path:
    """A private copy of a tiny checkpoint, to be damaged."""
    return Path(shutil.copytree(tiny_granite(), tmp_path / "checkpoint"))


def _config(**changes: object) -> Damage:
    def damage(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        config.update(changes)
        path.write_text(json.dumps({key: value for key, value in config.items() if value != "remove"}))

    return damage


def _weights(change: Callable[[dict[str, np.ndarray]], None]) -> Damage:
    def damage(folder: Path) -> None:
        path = folder / "model.safetensors"
        tensors = {name: array.copy() for name, array in load_file(path).items()}
        change(tensors)
        save_file(tensors, path)

    return damage


def _truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    os.truncate(path, path.stat().st_size // 2)


def _overlap(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    first, second, *_ = sorted(
        (name for name in header if name != "__metadata__"), key=lambda n: header[n]["data_offsets"][0]
    )
    header[second]["data_offsets"][0] = header[first]["data_offsets"][0]
    text = json.dumps(header).encode().ljust(size)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])


def _poison(value: float) -> Damage:
    def change(tensors: dict[str, np.ndarray]) -> None:
        tensors["model.norm.weight"][3] = value

    return _weights(change)


def _misshape(tensors: dict[str, np.ndarray]) -> None:
    tensors["model.norm.weight"] = np.ones(7, np.float32)


def _drop(tensors: dict[str, np.ndarray]) -> None:
    del tensors["model.norm.weight"]


def _only_pickle(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")


def _write(name: str, text: str) -> Damage:
    return lambda folder: (folder / name).write_text(text) and None


def _remove(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def _tokenizer_id(id_: int) -> Damage:
    def damage(folder: Path) -> None:
        path = folder / "tokenizer.json"
        tokenizer = json.loads(path.read_text())
        tokenizer["added_tokens"].append({"id": id_, "content": "<|new|>", "special": True})
        path.write_text(json.dumps(tokenizer))

    return damage


def _origin(**changed: object) -> Damage:
    stated = {"format": "thistledown-origin", "version": 1, "name": "whole", "bytes": 4000, "values": 1000}
    return _write(ORIGIN_FILE, json.dumps(stated | changed))


DAMAGES: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "config missing": (_remove("config.json"), ("config.json",)),
    "config no JSON": (_write("config.json", "{"), ("config.json",)),
    "config a list": (_write("config.json", "[]"), ("config.json",)),
    "model_type missing": (_config(model_type="remove"), ("model_type",)),
    "model_type unknown": (
        _config(model_type="granitemoehybrids"),
        ("granitemoehybrids", "granitemoehybrid"),
    ),
    "hidden_size absurd": (_config(hidden_size=-1), ("hidden_size", "-1")),
    "hidden_size text": (_config(hidden_size="64"), ("hidden_size",)),
    "layer kind unknown": (_config(layer_types=["rnn"] * 4), ("layer_types", "rnn")),
    "experts": (_config(num_local_experts=4, num_experts_per_tok=5), ("num_experts_per_tok", "at most")),
    "rope type unknown": (
        _config(position_embedding_type="rope", rope_parameters={"rope_type": "longrope"}),
        ("longrope", "yarn"),
    ),
    "logits_scaling zero": (_config(logits_scaling=0), ("logits_scaling",)),
    "multiplier beyond float32": (_config(embedding_multiplier=1e39), ("embedding_multiplier",)),
    "number of 400 digits": (_config(residual_multiplier=10**400), ("residual_multiplier",)),
    "negative epsilon": (_config(rms_norm_eps=-1e-6), ("rms_norm_eps",)),
    "dt limits text": (_config(time_step_limit=["a", 1]), ("time_step_limit",)),
    "head_dim no multiple of 8": (_config(num_attention_heads=16, num_key_value_heads=2), ("head_dim", "8")),
    "tokenizer larger than the model": (_tokenizer_id(512), ("512", "vocab_size")),
    "truncated": (_truncate, ("model.safetensors",)),
    "overlapping": (_overlap, ("model.safetensors",)),
    "wrong shape": (_weights(_misshape), ("model.norm.weight", "64", "7")),
    "missing tensor": (_weights(_drop), ("model.norm.weight",)),
    "NaN": (_poison(float("nan")), ("model.norm.weight",)),
    "infinite": (_poison(float("inf")), ("model.norm.weight",)),
    "only pickle": (_only_pickle, ("pickle", "safetensors")),
    "no weights": (_remove("model.safetensors"), ("safetensors",)),
    "no tokenizer": (_remove("tokenizer.json"), ("tokenizer.json",)),
    "tokenizer no JSON": (_write("tokenizer.json", "<html>"), ("tokenizer.json",)),
    "origin no JSON": (_write(ORIGIN_FILE, "{"), (ORIGIN_FILE, "JSON")),
    "origin another version": (_origin(version=2), (ORIGIN_FILE, "version 1")),
    "origin with an escape": (_origin(name="\u001b[31m"), (ORIGIN_FILE, "plain name")),
    "origin without values": (_origin(values=0), (ORIGIN_FILE, "whole numbers")),
    "origin too large": (_origin(bytes=10**400), (ORIGIN_FILE, "whole numbers")),
    "origin with more": (_origin(more=1), (ORIGIN_FILE, "version 1")),
    "stop id impossible": (_write("generation_config.json", '{"eos_token_id": 99999}'), ("99999", "512")),
}


def _refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    message = captured.err.splitlines()[-1]
    assert message.startswith("thistledown: ")
    assert "Traceback" not in captured.err
    return message


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_checkpoint_is_refused_and_leaves_nothing(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    damage, words = DAMAGES[kind]
    damage(checkpoint)
    before = sorted(tmp_path.iterdir())
    message = _refused(["export", str(checkpoint), "-o", str(tmp_path / "out")], capsys)
    for word in words:
        assert word in message, message
    assert sorted(tmp_path.iterdir()) == before


def test_a_missing_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = _refused(["export", str(tmp_path / "nowhere"), "-o", str(tmp_path / "out")], capsys)
    assert "nowhere" in message
    assert not (tmp_path / "out").exists()


def test_an_unknown_scheme_is_refused_with_the_nearest(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = _refused(["export", str(checkpoint), "-o", str(tmp_path / "out"), "--quantize", "q5"], capsys)
    assert "q5" in message
    assert "q4" in message


def test_a_filled_output_folder_is_refused_without_overwrite(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["export", str(checkpoint), "-o", str(out)]
    assert main(arguments) == 0
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    capsys.readouterr()
    assert "--overwrite" in _refused(arguments, capsys)
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    assert main([*arguments, "--overwrite", "--quantize", "q4"]) == 0
    assert json.loads((out / "manifest.json").read_text())["quantization"] == "q4"


def test_a_full_disk_leaves_the_old_output(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert main(["export", str(checkpoint), "-o", str(out)]) == 0
    before = sorted((path.name, path.stat().st_size) for path in out.iterdir())
    count = 0

    def fail(self: ShardWriter, size: int, slabs: Iterable[np.ndarray]) -> object:
        nonlocal count
        count += 1
        if count > 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, size, slabs)

    real = ShardWriter.add
    monkeypatch.setattr(ShardWriter, "add", fail)
    capsys.readouterr()
    message = _refused(["export", str(checkpoint), "-o", str(out), "--overwrite"], capsys)
    assert "space" in message.lower() or "full" in message.lower()
    assert sorted((path.name, path.stat().st_size) for path in out.iterdir()) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_over_budget_is_a_failed_check_and_writes_nothing(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["export", str(checkpoint), "-o", str(out), "--budget", "10kB"]) == 1
    assert "budget" in capsys.readouterr().err
    assert not out.exists()


def test_a_killed_export_leaves_the_old_output_or_the_new(checkpoint: Path, tmp_path: Path) -> None:
    """Kills at growing delays, until one export gets through."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "exporter", "export", str(checkpoint), "-o", str(out), "--overwrite"]
    assert subprocess.run([*command, "--quantize", "f32"], capture_output=True, check=True).returncode == 0
    # The last are for a busy machine, where one alone takes long.
    for tenths in (*range(2, 60, 6), 120, 240, 600):
        process = subprocess.Popen(
            [*command, "--quantize", "q4"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(tenths / 10)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        manifest = json.loads((out / "manifest.json").read_text())
        assert manifest["quantization"] in ("f32", "q4")
        for entry in [*manifest["shards"], *manifest["files"], *manifest["plans"].values()]:
            assert (out / entry["file"]).stat().st_size == entry["bytes"]
        if process.returncode == 0:
            return
    pytest.fail("no export got through in a minute")
