"""The size report of what somebody forged: it is refused by name, at once, or shown without harm; never a traceback."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from exporter.__main__ import main
from exporter.errors import ArtifactError
from exporter.report import analyse, render
from exporter.report.tensors import StoredTensor, stored_tensors
from tests.exporter.forged_files import forge as _write

Make = Callable[..., Path]
Forge = Callable[[onnx.GraphProto], None]
NAME = "<script>alert(1)</script>|[x](y)\n# \x1b[31m"


@pytest.fixture(scope="module")
def whole(tiny_granite: Make, artifact: Make) -> Path:
    return artifact(tiny_granite(), quantize="q4", context=512)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of an artifact, to be forged."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def _forged(folder: Path, tmp_path: Path, forge: Forge) -> list[StoredTensor]:
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    forge(model.graph)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    return list(
        stored_tensors(tmp_path / "model.onnx", {p.name: p.stat().st_size for p in folder.glob("*.bin")})
    )


def _stored(graph: onnx.GraphProto, kind: int) -> onnx.TensorProto:
    return next(tensor for tensor in graph.initializer if tensor.external_data and tensor.data_type == kind)


def _length(graph: onnx.GraphProto, length: int) -> None:
    for entry in _stored(graph, onnx.TensorProto.FLOAT).external_data:
        entry.value = str(length) if entry.key == "length" else entry.value


def _shape(graph: onnx.GraphProto, kind: int, *shape: int) -> None:
    tensor = _stored(graph, kind)
    del tensor.dims[:]
    tensor.dims.extend(shape)


def _inner(graph: onnx.GraphProto, size: int) -> None:
    for node in graph.node:
        for attribute in node.attribute:
            attribute.i = size if attribute.name == "K" else attribute.i


def _node(graph: onnx.GraphProto, kind: str, inputs: list[str], outputs: list[str]) -> None:
    node = graph.node.add()
    node.op_type = kind
    node.input.extend(inputs)
    node.output.extend(outputs)


def _linear(graph: onnx.GraphProto) -> onnx.NodeProto:
    return next(node for node in graph.node if node.op_type == "MatMulNBits")


def _circle(graph: onnx.GraphProto, kind: str, place: int) -> None:
    _linear(graph).input[place] = "one"
    _node(graph, kind, ["two"], ["one"])
    _node(graph, kind, ["one"], ["two"])


@pytest.mark.parametrize(
    "forge",
    [
        lambda graph: _length(graph, 255),
        lambda graph: _length(graph, 0),
        lambda graph: _length(graph, -4),
        lambda graph: _shape(graph, onnx.TensorProto.FLOAT, -8, -8),
        lambda graph: _shape(graph, onnx.TensorProto.FLOAT, *[2**62] * 300),
        lambda graph: _shape(graph, onnx.TensorProto.UINT8, 1, 1, 1),
        lambda graph: _shape(graph, onnx.TensorProto.UINT8, 2**40, 8, 16),
        lambda graph: _inner(graph, -5),
        lambda graph: _circle(graph, "Cast", 1),
        lambda graph: _circle(graph, "Tanh", 0),
    ],
    ids=range(10),
)
def test_a_graph_that_is_none_is_refused(whole: Path, tmp_path: Path, forge: Forge) -> None:
    with pytest.raises(ArtifactError, match=r"model\.onnx cannot be read"):
        _forged(whole, tmp_path, forge)


def test_a_graph_of_many_ways_is_walked_once(whole: Path, tmp_path: Path) -> None:
    """Forty times two ways are a million millions; whoever walks each does not come back."""

    def forge(graph: onnx.GraphProto) -> None:
        at = _linear(graph).output[0]
        for step in range(40):
            _node(graph, "Split", [at], [f"left{step}", f"right{step}"])
            at = f"both{step}"
            _node(graph, "Split", [f"left{step}", f"right{step}"], [at])

    assert _forged(whole, tmp_path, forge) == list(_forged(whole, tmp_path, lambda graph: None))


def test_names_are_shown_without_harm(folder: Path, whole: Path) -> None:
    """Of weights, of files that nobody listed, and of the other build."""
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    tensor = _stored(model.graph, onnx.TensorProto.FLOAT)
    for node in model.graph.node:
        node.input[:] = [NAME if name == tensor.name else name for name in node.input]
    tensor.name = NAME
    _write(folder, "model.onnx", model.SerializeToString())
    (folder / NAME.replace("/", "")).write_bytes(b"x" * 9999)
    hostile = folder.rename(folder.with_name("<img src=x>|\x1b"))
    for new, old in ((hostile, whole), (whole, hostile)):
        found = analyse(new, previous=old)
        for form in ("table", "markdown", "html"):
            words = render(found, form)
            assert "\x1b" not in words, form
            assert "\n# " not in words, form
            assert form == "table" or " <script>alert" not in words, form
            assert form == "table" or " <img src=x" not in words, form
        assert "\\<script>alert(1)\\</script>\\|\\[x]" in render(found, "markdown")


def test_a_file_name_that_is_no_text_is_shown(folder: Path, whole: Path) -> None:
    (folder / os.fsdecode(b"\xe9.txt")).write_bytes(b"x" * 9999)
    render(analyse(folder, previous=whole), "table").encode("utf-8")


def test_a_tokenizer_of_no_kind_is_reported(folder: Path) -> None:
    _write(folder, "tokenizer.json", b'{"model": {"type": []}}')
    assert analyse(folder).report.first_visit


def test_a_coded_file_of_nothing_is_damaged(tiny_granite: Make, artifact: Make, tmp_path: Path) -> None:
    folder = Path(
        shutil.copytree(
            artifact(tiny_granite(), quantize="q4", context=512, code_weights=True), tmp_path / "c"
        )
    )
    manifest = json.loads((folder / "manifest.json").read_bytes())
    coded = manifest["coded"][0]
    data = bytes(coded["bytes"])
    digest = hashlib.sha256(data).hexdigest()
    coded.update(file=f"{digest}.bin", sha256=digest)
    (folder / coded["file"]).write_bytes(data)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="A coded chunk is damaged"):
        analyse(folder)


def test_a_report_without_end_is_refused(folder: Path) -> None:
    """Its first 64 MB are read, not all of it."""
    with (folder / "report.json").open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(ArtifactError, match=rf"report\.json is {(64 << 20) + 1} bytes long"):
        analyse(folder)


def test_a_broken_manifest_is_told_from_the_other_builds(
    folder: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "manifest.json").write_text("{")
    assert main(["report", str(whole), "--compare", str(folder)]) == 2
    assert str(folder / "manifest.json") in capsys.readouterr().err


def test_an_artifact_of_an_older_version_equals_itself(folder: Path) -> None:
    """Its manifest has not the keys that came later."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    later = ("labels", "score_function", "mask_token", "extraction", "canary", "coded")
    kept = {key: value for key, value in manifest.items() if key not in later}
    (folder / "manifest.json").write_text(json.dumps(kept))
    difference = analyse(folder, previous=folder).difference
    assert difference is not None
    assert difference.update == 0


def test_the_other_build_has_a_name_wherever_one_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    difference = analyse(folder, previous=Path()).difference
    assert difference is not None
    assert difference.old_name == "copy"
