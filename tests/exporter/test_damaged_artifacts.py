"""Artifacts that were damaged or forged: every command refuses them, names the file and says what to do."""

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from exporter.__main__ import main
from exporter.artifact import check_files, read_artifact_plan
from exporter.errors import ArtifactError
from exporter.parity.onnx_runner import OnnxDecoder, OnnxEncoder
from exporter.parity.plan_player import PlanPlayer
from tests.exporter.forged_files import forge

Make = Callable[..., Path]
PLAN = "plan.base.json"


@pytest.fixture(scope="module")
def whole(tiny_granite: Make, artifact: Make) -> Path:
    return artifact(tiny_granite(), quantize="q4", context=512)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of an artifact, to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def change_manifest(folder: Path, **fields: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | fields), encoding="utf-8")


def refused(folder: Path, command: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([command, str(folder)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Export the model again." in captured.err
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize(
    "data",
    [b"[]", b"3", b"null", b"{}", b" ", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 200_000, b"{", b'{"a":NaN}'],
    ids=lambda data: repr(data[:9]),
)
@pytest.mark.parametrize("command", ["inspect", "report"])
def test_a_plan_that_is_no_plan(
    folder: Path, data: bytes, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    forge(folder, PLAN, data)
    assert PLAN in refused(folder, command, capsys)


# Where to put what: the keys that lead to a field of the plan, and a value that it must not have.
FORGERIES: list[tuple[tuple[str | int, ...], object]] = [
    (("format",), "thistledown"),
    (("version",), True),
    (("version",), 2),
    (("tier",), "f16"),
    (("task",), "sentence-embedding"),
    (("features",), ["shader-f16"]),
    (("features",), 5),
    (("limits",), 5),
    (("limits", "maxBufferSize"), 1),
    (("limits", "more"), 1),
    (("symbols",), []),
    (("symbols", "tokens"), 0),
    (("symbols", "tokens"), 1.5),
    (("symbols", "other"), 1),
    (("memory",), 5),
    (("memory", "total"), 5),
    (("shaders",), ["x"]),
    (("shaders", "add"), 5),
    (("buffers",), {}),
    (("buffers", 0), None),
    (("buffers", 0, "kind"), ["input"]),
    (("buffers", 0, "kind"), "other"),
    (("buffers", 0, "name"), "\x1b[31m"),
    (("buffers", 0, "name"), "\ud800"),
    (("buffers", 0, "name"), "step"),
    (("buffers", 0, "bytes"), 0),
    (("buffers", 0, "bytes"), 1022),
    (("buffers", 0, "bytes"), 1 << 60),
    (("kernels",), 5),
    (("kernels", 0), "x"),
    (("kernels", 0, "shader"), "x"),
    (("kernels", 0, "shader"), 5),
    (("kernels", 0, "constants"), {"x": "y"}),
    (("kernels", 0, "constants"), {"x": 10**400}),
    (("kernels", 0, "constants"), [1]),
    (("phases",), {}),
    (("phases", "other"), []),
    (("phases", "head"), None),
    (("phases", "head", 0), []),
    (("phases", "head", 0, "kernel"), "x"),
    (("phases", "head", 0, "kernel"), -1),
    (("phases", "head", 0, "kernel"), 9999),
    (("phases", "head", 0, "bind"), 1),
    (("phases", "head", 0, "bind", 0), [1]),
    (("phases", "head", 0, "bind", 0), [0, 9999, 0, 4]),
    (("phases", "head", 0, "bind", 0), [0, -1, 0, 4]),
    (("phases", "head", 0, "bind", 0), [0, 0, 0, 0]),
    (("phases", "head", 0, "bind", 0), [0, 0, 0, -4]),
    (("phases", "head", 0, "bind", 0), [0, 0, 0, 6]),
    (("phases", "head", 0, "bind", 0), [0, 0, 4, 4]),
    (("phases", "head", 0, "bind", 0), [0, 0, 0, 1 << 40]),
    (("phases", "head", 0, "bind", 0), [-1, 0, 0, 4]),
    (("phases", "head", 0, "bind", 0), [0, 0.0, 0, 4]),
    (("phases", "head", 0, "grid"), [1, 1]),
    (("phases", "head", 0, "grid", 0), 0),
    (("phases", "head", 0, "grid", 0), 65536),
    (("phases", "head", 0, "grid", 0), 1.5),
    (("phases", "head", 0, "grid", 0), True),
    (("phases", "head", 0, "grid", 0), {"of": "bananas", "times": 1, "per": 1}),
    (("phases", "head", 0, "grid", 0), {"of": "tokens", "times": 1, "per": 0}),
    (("phases", "head", 0, "grid", 0), {"of": "tokens", "times": 1 << 40, "per": 1}),
    (("phases", "head", 0, "grid", 0), {"of": "tokens"}),
    (("phases", "head", 0, "or"), [{"kernel": 0, "grid": [1, 1, 1]}]),
    (("phases", "head", 0, "choice"), "gemv"),
    (("choices",), []),
    *((("choices", "gemv"), value) for value in ("ab", [], ["one"], ["same", "same"], ["a", "B"], ["a", 5])),
    (("choices", "gemv"), [f"name-{i}" for i in range(17)]),
    (("choices", "Gemv"), ["a", "b"]),
]


def forged(plan: dict[str, Any], where: tuple[str | int, ...], value: object) -> bytes:
    changed: Any = copy.deepcopy(plan)
    place = changed
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    return json.dumps(changed).encode()


@pytest.mark.parametrize(("where", "value"), FORGERIES, ids=lambda part: str(part)[:50])
def test_a_plan_with_one_unfit_field(folder: Path, where: tuple[str | int, ...], value: object) -> None:
    plan = json.loads((folder / PLAN).read_bytes())
    forge(folder, PLAN, forged(plan, where, value))
    with pytest.raises(ArtifactError) as caught:
        read_artifact_plan(folder, "base")
    assert caught.value.where == PLAN
    assert str(where[0]) in caught.value.what
    assert caught.value.remedy == "Export the model again."


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("weight", "shard", 1),
        ("weight", "shard", "0"),
        ("weight", "offset", 2),
        ("weight", "offset", 1 << 40),
        ("state", "role", "x"),
        *(("snapshot", "of", value) for value in (-1, 0, 9999, "x", True)),
        ("activation", "shard", 0),
    ],
)
def test_a_buffer_that_is_not_of_its_kind(folder: Path, kind: str, key: str, value: object) -> None:
    plan = json.loads((folder / PLAN).read_bytes())
    index = next(i for i, buffer in enumerate(plan["buffers"]) if buffer["kind"] == kind)
    forge(folder, PLAN, forged(plan, ("buffers", index, key), value))
    with pytest.raises(ArtifactError, match=rf"buffers\.{index}\.{key}"):
        read_artifact_plan(folder, "base")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        *((("choice",), value) for value in ("other", 5)),
        *((("or",), value) for value in ({}, [], [5], [{"kernel": 0}])),
        (("or", 0, "kernel"), 9999),
        (("or", 0, "grid"), [1, 1]),
        (("or", 0, "grid", 1), 0),
        (("or", 0, "bind"), []),
    ],
)
def test_a_choice_that_is_unfit(folder: Path, where: tuple[str | int, ...], value: object) -> None:
    plan = json.loads((folder / PLAN).read_bytes())
    index = next(i for i, dispatch in enumerate(plan["phases"]["decode"]) if "choice" in dispatch)
    forge(folder, PLAN, forged(plan, ("phases", "decode", index, *where), value))
    with pytest.raises(ArtifactError, match=rf"phases\.decode\.{index}\.{where[0]}"):
        read_artifact_plan(folder, "base")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        *(((), value) for value in (5, [], {"kernel": 0})),
        (("kernel",), 9999),
        (("grid",), [1, 1]),
        (("bind",), []),
        (("choice",), "other"),
        (("or", 0, "kernel"), -1),
    ],
)
def test_what_is_played_for_few_tokens_is_unfit(
    folder: Path, where: tuple[str | int, ...], value: object
) -> None:
    plan = json.loads((folder / PLAN).read_bytes())
    index = next(i for i, dispatch in enumerate(plan["phases"]["prefill"]) if "few" in dispatch)
    forge(folder, PLAN, forged(plan, ("phases", "prefill", index, "few", *where), value))
    with pytest.raises(ArtifactError, match=rf"phases\.prefill\.{index}\.few"):
        read_artifact_plan(folder, "base")


def test_a_buffer_that_a_player_needs_is_missed(folder: Path) -> None:
    plan = json.loads((folder / PLAN).read_bytes())
    index = next(i for i, buffer in enumerate(plan["buffers"]) if buffer["name"] == "logits")
    forge(folder, PLAN, forged(plan, ("buffers", index, "name"), "logit"))
    with pytest.raises(ArtifactError, match='no "logits" of'):
        read_artifact_plan(folder, "base")


@pytest.mark.parametrize("command", ["inspect", "report", "verify"])
def test_a_manifest_with_another_task(folder: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    change_manifest(folder, task="sentence-embedding", dimensions=64)
    assert "task is not what the manifest says" in refused(folder, command, capsys)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "README.md", PLAN, "*.bin"])
@pytest.mark.parametrize("damage", ["missing", "empty", "longer", "one byte", "folder"])
def test_a_file_that_is_not_the_listed_one(
    folder: Path, name: str, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = next(folder.glob(name))
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        changed = {"empty": b"", "longer": data + b"\0", "one byte": data[:-1] + bytes([data[-1] ^ 1])}
        path.write_bytes(changed[damage])
    assert path.name in refused(folder, "report", capsys)
    with pytest.raises(ArtifactError, match=path.name):
        check_files(folder)


def test_a_whole_artifact_is_let_through(whole: Path) -> None:
    check_files(whole)
    for tier in ("base", "subgroups", "f16"):
        manifest, plan = read_artifact_plan(whole, tier)
        assert manifest == json.loads((whole / "manifest.json").read_bytes())
        assert plan == json.loads((whole / f"plan.{tier}.json").read_bytes())


def with_external(folder: Path, key: str, value: str) -> bytes:
    """model.onnx with another place for its first weight."""
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    tensor = next(tensor for tensor in model.graph.initializer if tensor.external_data)
    for entry in tensor.external_data:
        if entry.key == key:
            entry.value = value
    data: bytes = model.SerializeToString()
    return data


FORGED_MODELS: list[Callable[[Path], bytes]] = [
    lambda folder: b"",
    lambda folder: b"garbage",
    lambda folder: b"\xff" * 5000,
    lambda folder: (folder / "model.onnx").read_bytes()[:5000],
    lambda folder: with_external(folder, "location", "../../../etc/passwd"),
    lambda folder: with_external(folder, "location", "/etc/passwd"),
    lambda folder: with_external(folder, "length", "99999999999"),
]


@pytest.mark.parametrize("forge_model", FORGED_MODELS, ids=range(len(FORGED_MODELS)))
def test_a_model_file_that_is_none_though_the_manifest_vouches_for_it(
    folder: Path, forge_model: Callable[[Path], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    forge(folder, "model.onnx", forge_model(folder))
    assert "model.onnx" in refused(folder, "report", capsys)
    for runner in (OnnxDecoder, OnnxEncoder):
        with pytest.raises(ArtifactError, match=r"onnxruntime refuses model\.onnx") as caught:
            runner(folder)
        assert caught.value.remedy == "Export the model again."


def test_a_model_file_for_the_other_task(whole: Path) -> None:
    with pytest.raises(ArtifactError, match=r"onnxruntime refuses model\.onnx"):
        OnnxEncoder(whole).embed([[1, 2]])


@pytest.mark.gpu
def test_a_player_refuses_a_missing_shard_and_a_shader_that_does_not_compile(folder: Path) -> None:
    plan = json.loads((folder / PLAN).read_bytes())
    plan["shaders"] = dict.fromkeys(plan["shaders"], "fn main( {")
    forge(folder, PLAN, json.dumps(plan).encode())
    with pytest.raises(ArtifactError, match="device refuses the plan"):
        PlanPlayer(folder)
    shard = next(folder.glob("*.bin"))
    shard.unlink()
    with pytest.raises(ArtifactError, match=shard.name):
        PlanPlayer(folder)
