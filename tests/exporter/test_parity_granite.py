"""Tiny Granite hybrids: onnxruntime and the WebGPU plan (wgpu-py) against transformers in float32."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporter.errors import ArtifactError
from exporter.parity.onnx_runner import OnnxDecoder
from exporter.parity.plan_player import PlanPlayer
from exporter.parity.torch_reference import TorchDecoder
from tests.parity_notes import note
from tests.tiny_granite import PROMPT_LENGTHS, VARIANTS, random_ids
from wgsl_kernels import TIERS

LIMIT = 1e-3
Make = Callable[..., Path]


def _name(variant: dict[str, object]) -> str:
    return "-".join(str(value) for value in variant.values())


@pytest.fixture(scope="module", params=VARIANTS, ids=_name)
def checkpoint(request: pytest.FixtureRequest, tiny_granite: Make) -> Path:
    return tiny_granite(**request.param)


@pytest.fixture(scope="module")
def torch_decoder(checkpoint: Path) -> TorchDecoder:
    return TorchDecoder(checkpoint)


@pytest.fixture(scope="module")
def folder(checkpoint: Path, artifact: Make) -> Path:
    return artifact(checkpoint, quantize="f32", context=512)


@pytest.fixture(scope="module")
def player(folder: Path) -> PlanPlayer:
    return PlanPlayer(folder)


def test_onnxruntime_gives_the_logits(checkpoint: Path, folder: Path, torch_decoder: TorchDecoder) -> None:
    decoder = OnnxDecoder(folder)
    for length in PROMPT_LENGTHS:
        ids = random_ids(length)
        expected = torch_decoder.logits(ids)
        for split in ([], [length // 2, length - length // 2], [1] * length):
            if 0 in split or len(split) > 70:
                continue
            difference = float(np.abs(decoder.logits(ids, split) - expected).max())
            note("granitemoehybrid", "onnxruntime", checkpoint.name, difference)
            assert difference < LIMIT, (length, split[:2])


@pytest.mark.gpu
def test_the_plan_gives_the_logits_however_the_prompt_is_cut(
    checkpoint: Path, player: PlanPlayer, torch_decoder: TorchDecoder
) -> None:
    for length in PROMPT_LENGTHS:
        ids = random_ids(length)
        expected = torch_decoder.logits(ids)[-1]
        whole = player.logits(ids)
        difference = float(np.abs(whole - expected).max())
        note("granitemoehybrid", "wgpu-py", checkpoint.name, difference)
        assert difference < LIMIT, length
        for split in ([length // 2, length - length // 2], [1] * length):
            if 0 in split or len(split) > 70:
                continue
            assert np.abs(player.logits(ids, split) - whole).max() < 1e-4, (length, split[:2])


@pytest.mark.gpu
def test_sixty_four_greedy_tokens_are_the_same(
    folder: Path, player: PlanPlayer, torch_decoder: TorchDecoder
) -> None:
    for length in (1, 20):
        ids = random_ids(length)
        expected = torch_decoder.generate(ids, 64)
        assert player.generate(ids, 64) == expected
        assert OnnxDecoder(folder).generate(ids, 64) == expected


@pytest.mark.gpu
@pytest.mark.parametrize(("tier", "limit"), [("subgroups", LIMIT), ("f16", 0.08)])
def test_the_other_tiers_say_the_same(tiny_granite: Make, artifact: Make, tier: str, limit: float) -> None:
    """float16 activations round at 2^-11; logits here are of size 5 to 8."""
    source = tiny_granite(groups=2, position="rope", tied=False)
    player = PlanPlayer(artifact(source, quantize="f32", context=512), tier)
    reference = TorchDecoder(source)
    for length in (1, 3, 65):
        ids = random_ids(length)
        assert np.abs(player.logits(ids) - reference.logits(ids)[-1]).max() < limit


@pytest.mark.gpu
@pytest.mark.parametrize("scheme", ["f16", "q8", "q4", "q2", "q8z", "q4z", "q2z"])
def test_quantized_plans_equal_onnxruntime(tiny_granite: Make, artifact: Make, scheme: str) -> None:
    for tied in (True, False):
        folder = artifact(tiny_granite(tied=tied), quantize=scheme, context=512)
        player, onnx = PlanPlayer(folder), OnnxDecoder(folder)
        for length in (1, 3, 65):
            ids = random_ids(length)
            assert np.abs(player.logits(ids) - onnx.logits(ids)[-1]).max() < LIMIT


@pytest.mark.gpu
@pytest.mark.parametrize("tier", TIERS)
def test_every_variant_that_the_tuner_can_choose_says_the_same(
    tiny_granite: Make, artifact: Make, tier: str
) -> None:
    folder = artifact(tiny_granite(), quantize="q4", context=512)
    offered = json.loads((folder / f"plan.{tier}.json").read_text())["choices"]
    ids, onnx = random_ids(65), OnnxDecoder(folder)
    expected = onnx.logits(ids)[-1]
    for family, names in offered.items():
        for name in names:
            player = PlanPlayer(folder, tier, {family: name})
            # Most of the ids are prefilled, some of them as few; the last come one by one through `decode`.
            logits = player.logits(ids[:60], split=(5, 47, 8), then=ids[60:])
            assert np.abs(logits - expected).max() < (0.08 if tier == "f16" else LIMIT), (family, name)


@pytest.mark.gpu
def test_a_variant_that_there_is_not_is_refused(tiny_granite: Make, artifact: Make) -> None:
    folder = artifact(tiny_granite(), quantize="q4", context=512)
    for choices in ({"gemv": "lanes-9"}, {"gemma": "lanes-32"}):
        with pytest.raises(ArtifactError, match="gemv: lanes-32, lanes-32-teams-4"):
            PlanPlayer(folder, choices=choices)


@pytest.mark.gpu
def test_a_table_over_the_binding_limit_is_split_by_rows(tiny_granite: Make, artifact: Make) -> None:
    """Weights are bound in pieces of at most 80 kB: the table of 512 x 64 float32 is cut in two."""
    source = tiny_granite(groups=1, position=None, tied=True)
    whole, cut = (
        PlanPlayer(artifact(source, quantize="f32", context=512, **more))
        for more in ({}, {"max_binding": 80_000, "shard_size": 60_000})
    )
    weights = {i for i, buffer in enumerate(cut.plan["buffers"]) if buffer["kind"] == "weight"}
    bound = [b for phase in cut.plan["phases"].values() for d in phase for b in d["bind"] if b[1] in weights]
    assert max(size for _, _, _, size in bound) <= 80_000
    assert len(cut.plan["phases"]["head"]) > len(whole.plan["phases"]["head"])
    ids = random_ids(20)
    assert np.array_equal(cut.logits(ids), whole.logits(ids))


def test_a_stored_head_goes_before_the_tied_table(tiny_granite: Make, tmp_path: Path, artifact: Make) -> None:
    """A configuration may tie what its checkpoint does not."""
    source = Path(shutil.copytree(tiny_granite(tied=False), tmp_path / "says-tied"))
    config = json.loads((source / "config.json").read_text()) | {"tie_word_embeddings": True}
    (source / "config.json").write_text(json.dumps(config))
    ids = random_ids(9)
    expected = TorchDecoder(source).logits(ids)[-1]
    assert (
        np.abs(OnnxDecoder(artifact(source, quantize="f32", context=512)).logits(ids)[-1] - expected).max()
        < LIMIT
    )
