"""Every byte of an artifact is explained once, by what it is for."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import log2
from pathlib import Path

import numpy as np
import pytest

from exporter.artifact import read_manifest
from exporter.errors import ArtifactError
from exporter.report import Analysis, analyse, measure_artifact
from exporter.report.attribution import attribute, require_sum
from exporter.report.entropy import read_contents
from exporter.report.sharing_out import apportion
from exporter.report.tensors import StoredTensor, stored_tensors
from exporter.report.weights import Weight, read_weights

Make = Callable[..., Path]
SCHEMES = ("f32", "f16", "q8", "q4", "q2", "q8z", "q4z", "q2z")


@pytest.fixture(scope="module")
def folder(tiny_granite: Make, artifact: Make) -> Path:
    return artifact(tiny_granite(), quantize="q4", context=512)


@pytest.fixture(scope="module")
def found(folder: Path) -> Analysis:
    return analyse(folder)


def _tensors(folder: Path) -> list[StoredTensor]:
    shards = {shard.file: shard.bytes for shard in read_manifest(folder).shards}
    return list(stored_tensors(folder / "model.onnx", shards))


def _roles(folder: Path) -> dict[str, str]:
    return {tensor.weight: tensor.role for tensor in _tensors(folder)}


@pytest.mark.parametrize("scheme", [*SCHEMES, "e4"])
def test_no_byte_is_left_over(tiny_granite: Make, artifact: Make, scheme: str) -> None:
    folder = artifact(tiny_granite(), quantize=scheme, context=512)
    report = measure_artifact(folder)
    pieces = attribute(folder, report).pieces
    sizes: Counter[str] = Counter()
    for piece in pieces:
        sizes[piece.file] += 0 if piece.of_site else piece.bytes
    assert +sizes == Counter({path.name: path.stat().st_size for path in folder.iterdir()})
    assert sum(piece.travels for piece in pieces) == report.first_visit


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_weight_costs_what_its_scheme_says(tiny_granite: Make, artifact: Make, scheme: str) -> None:
    folder = artifact(tiny_granite(), quantize=scheme, context=512)
    weight = next(w for w in read_weights(folder, _tensors(folder)) if "shared_mlp.output" in w.name)
    bits = int(scheme.strip("fqz"))
    assert weight.scheme == scheme
    assert 8 * weight.values == bits * weight.parameters
    assert weight.scales == (weight.parameters // 16 if scheme[0] == "q" else 0)
    assert bool(weight.zero_points) == scheme.endswith("z")
    assert (
        sum(w.parameters for w in read_weights(folder, _tensors(folder))) == read_manifest(folder).parameters
    )


def test_coded_weights_count_for_what_is_fetched(tiny_granite: Make, artifact: Make) -> None:
    folder = artifact(tiny_granite(), quantize="e4", context=512)
    found, manifest = analyse(folder), read_manifest(folder)
    visited = {file.file for file in found.report.files if file.visit and file.role == "weights"}
    assert visited == {shard.file for shard in manifest.fetched}
    assert not visited & {shard.file for shard in manifest.shards}
    assert sum(weight.shipped for weight in found.weights) == sum(shard.bytes for shard in manifest.fetched)
    weight = next(weight for weight in found.weights if "shared_mlp.output" in weight.name)
    assert weight.shipped < 0.75 * weight.bytes
    assert weight.bits_per_weight < 6.5
    assert any(file.file.endswith("coding/chunk.js") for file in found.report.files)


def test_an_unlisted_file_is_named(folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "notes.txt").write_text("twelve bytes")
    shares = {share.name: share.bytes for share in attribute(copy, measure_artifact(copy)).roles}
    assert shares["unlisted"] == 12


def test_a_report_that_forgets_bytes_raises(folder: Path) -> None:
    report = measure_artifact(folder)
    with pytest.raises(ArtifactError, match="explained as"):
        attribute(
            folder, replace(report, tensors=[*report.tensors[1:], replace(report.tensors[-1], bytes=8)])
        )
    with pytest.raises(ArtifactError, match="10 bytes are explained as 9"):
        require_sum("here", 10, [4, 5])
    with pytest.raises(ArtifactError):
        require_sum("here", 10, [11, -1])


def test_roles_of_a_hybrid_are_told_from_the_graph(folder: Path) -> None:
    roles = _roles(folder)
    ends = {
        "embed_tokens.weight": "embedding",
        "input_layernorm.weight": "norm",
        "mamba.in_proj.weight": "mixer",
        "mamba.out_proj.weight": "mixer",
        "mamba.A_log": "mixer",
        "shared_mlp.input_linear.weight": "mlp",
        "shared_mlp.output_linear.weight": "mlp",
        "self_attn.o_proj.weight": "attention",
    }
    for end, role in ends.items():
        assert {found for name, found in roles.items() if name.endswith(end)} == {role}, end


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("granitemoehybrid-experts-nope", {"router.layer": "expert", "output_linear": "expert"}),
        (
            "gpt_neox-parallel",
            {"embed_out": "head", "query_key_value.bias": "attention", "4h_to_h.bias": "mlp"},
        ),
        ("mamba2-four-groups-biased", {"lm_head": "head", "out_proj.bias": "mixer"}),
        ("opt-norm-after-projected", {"project_in": "embedding", "fc2.bias": "mlp"}),
    ],
)
def test_roles_of_other_architectures(
    tiny_model: Callable[[str], Path], artifact: Make, name: str, wanted: dict[str, str]
) -> None:
    roles = _roles(artifact(tiny_model(name), quantize="q4"))
    assert "other" not in roles.values()
    for part, role in wanted.items():
        found = {role for weight, role in roles.items() if part in weight and "shared_mlp" not in weight}
        assert found == {role}, part


def test_a_classifiers_head_is_no_mlp(tiny_encoder: Callable[[str], Path], artifact: Make) -> None:
    roles = _roles(artifact(tiny_encoder("bert-classes"), quantize="q8"))
    assert {role for name, role in roles.items() if "pooler" in name or "classifier" in name} == {"head"}


def test_layers_are_numbered(found: Analysis) -> None:
    layers = {piece.layer for piece in found.attribution.pieces if piece.part}
    assert layers == {None, *range(max(layer for layer in layers if layer is not None) + 1)}


def _stored(folder: Path, data: bytes, dtype: str, bits: int) -> StoredTensor:
    (folder / "a.bin").write_bytes(b"\xff" * 4 + data)
    shape = (len(data),)
    return StoredTensor("a.bin", 4, len(data), "w", "values", "mlp", 0, "q4", dtype, bits, shape, 1, 0)


def test_entropy_counts_numbers_of_their_width(tmp_path: Path) -> None:
    """Bytes 0x01 and 0x10: as bytes one bit each, as nibbles half zeros and half ones, so one bit a nibble."""
    data = b"\x01\x10" * 512
    assert read_contents(tmp_path, _stored(tmp_path, data, "u8", 8)).entropy_bits == pytest.approx(1024)
    assert read_contents(tmp_path, _stored(tmp_path, data, "u8", 4)).entropy_bits == pytest.approx(2048)
    assert read_contents(tmp_path, _stored(tmp_path, bytes(1024), "u8", 2)).entropy_bits == 0


def test_entropy_of_floats_is_by_byte(tmp_path: Path) -> None:
    """Floats 1 and -1 differ in one byte of four, which carries one bit."""
    data = np.array([1, -1] * 100, "<f4").tobytes()
    assert read_contents(tmp_path, _stored(tmp_path, data, "f32", 8)).entropy_bits == pytest.approx(200)


def test_entropy_is_below_what_is_shipped(found: Analysis) -> None:
    assert all(0 <= weight.entropy_per_weight <= weight.bits_per_weight + 1e-9 for weight in found.weights)
    largest: Weight = max(found.weights, key=lambda weight: weight.parameters)
    assert largest.scheme == "q4"
    assert log2(4) < largest.entropy_per_weight < 4.5


def test_shaders_are_told_from_the_plan(found: Analysis, folder: Path) -> None:
    kernels = [piece for piece in found.attribution.pieces if piece.role == "kernels"]
    plan = next(piece for piece in found.attribution.pieces if piece.name == "plan.base.json")
    of_base = sum(piece.bytes for piece in kernels if piece.file == "plan.base.json")
    assert of_base + plan.bytes == (folder / "plan.base.json").stat().st_size
    assert of_base > plan.bytes
    assert any(piece.name.startswith("gemv_norm_q4") for piece in kernels)


@pytest.mark.parametrize(("total", "weights"), [(10, [1, 1, 1]), (7, [0, 5, 9]), (0, [3, 4]), (5, [0, 0, 1])])
def test_shares_sum_and_are_fair(total: int, weights: list[int]) -> None:
    shares = apportion(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    assert all(abs(share - total * weight / whole) < 1 for share, weight in zip(shares, weights, strict=True))
