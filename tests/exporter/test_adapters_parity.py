"""Adapters over a base: equal to the merged checkpoint's export, or to the quantized base and the exact product."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from exporter.adapters import make_adapter, merge_lora
from exporter.adapters.peft_folder import PeftAdapter
from exporter.artifact import read_adapter_manifest
from exporter.parity.onnx_runner import OnnxDecoder, OnnxEncoder
from exporter.parity.plan_player import PlanPlayer
from tests.tiny_adapters import BERT_TARGETS, GRANITE_TARGETS, LLAMA_TARGETS
from tests.tiny_granite import random_ids

Make = Callable[..., Path]
PROMPT, THEN = random_ids(40), random_ids(5)
# Few tokens, and more than a tile.
LENGTHS = (1, 7, 70)


def in_onnxruntime(base: Path, adapter: Path, folder: Path) -> OnnxDecoder:
    """The adapter's model.onnx beside copies of the shards of both."""
    folder.mkdir()
    for file in (*base.glob("*.bin"), *adapter.glob("*.bin"), adapter / "model.onnx"):
        shutil.copyfile(file, folder / file.name)
    return OnnxDecoder(folder)


def assert_alike(player: PlanPlayer, other: OnnxDecoder, most: float) -> None:
    """Logits after prompts, and after ids that are decoded one by one."""
    for length in LENGTHS:
        ids = random_ids(length)
        assert np.abs(player.logits(ids) - other.logits(ids)[-1]).max() < most
    wanted = other.logits([*PROMPT, *THEN])[-1]
    assert np.abs(player.logits(PROMPT, then=THEN) - wanted).max() < most


CASES = {
    "odd ranks": {"r": 3, "rank_pattern": {"v_proj": 5, "in_proj": 1}, "use_rslora": True},
    "a large rank": {"r": 64, "lora_alpha": 64},
}


@pytest.mark.parametrize("case", CASES)
def test_over_floats_it_is_the_merged_checkpoints_export(
    tmp_path: Path, tiny_granite: Make, artifact: Make, adapters: Make, case: str
) -> None:
    source = tiny_granite()
    peft = adapters(source, GRANITE_TARGETS, size=0.05, **CASES[case])
    base = artifact(source, quantize="f32", context=512)
    made = make_adapter(base, peft, tmp_path / "adapter").folder
    merge_lora(str(source), peft, tmp_path / "merged")
    merged = OnnxDecoder(artifact(tmp_path / "merged", quantize="f32", context=512))
    assert_alike(PlanPlayer(base, adapter=made), merged, 1e-4)
    found = in_onnxruntime(base, made, tmp_path / "onnx").logits(PROMPT)
    assert np.abs(found - merged.logits(PROMPT)).max() < 1e-4
    moved = np.abs(found - OnnxDecoder(base).logits(PROMPT)).max()
    assert moved > 0.01, "an adapter that changes nothing proves nothing"


@pytest.mark.parametrize("quantize", ["f16", "q8", "q4z"])
def test_over_blocks_it_is_the_quantized_base_and_the_exact_product(
    tmp_path: Path, tiny_granite: Make, artifact: Make, adapters: Make, quantize: str
) -> None:
    """onnxruntime adds the product as the graph has it, over the same blocks."""
    source = tiny_granite()
    base = artifact(source, quantize=quantize, context=512)
    made = make_adapter(base, adapters(source, GRANITE_TARGETS, r=5), tmp_path / "adapter").folder
    assert_alike(PlanPlayer(base, adapter=made), in_onnxruntime(base, made, tmp_path / "onnx"), 1e-3)


def test_the_shard_holds_each_matrix_as_it_was_trained(
    tmp_path: Path, tiny_model: Make, artifact: Make, adapters: Make
) -> None:
    """As float16; the scale stays a number of its own, so that small values keep their digits."""
    source = tiny_model("llama-gqa-untied")
    peft = PeftAdapter(adapters(source, LLAMA_TARGETS, r=3))
    base = artifact(source, quantize="q8", context=256)
    made = make_adapter(base, adapters(source, LLAMA_TARGETS, r=3), tmp_path / "adapter").folder
    graph = onnx.load(made / "model.onnx", load_external_data=False).graph
    places = {
        each.name: {entry.key: entry.value for entry in each.external_data} for each in graph.initializer
    }
    shard = (made / read_adapter_manifest(made).shard.file).read_bytes()
    assert len([node for node in graph.node if node.op_type == "LowRank"]) == len(peft.products)
    for module, product in peft.products.items():
        at = places[f"{module}.lora_B"]
        stored = np.frombuffer(shard, np.float16, product.rows * product.rank, int(at["offset"]))
        np.testing.assert_array_equal(stored, peft.up(module).astype(np.float16).reshape(-1))


@pytest.mark.parametrize("tier", ["subgroups", "f16"])
def test_other_tiers_play_it(
    tmp_path: Path, tiny_granite: Make, artifact: Make, adapters: Make, tier: str
) -> None:
    source = tiny_granite()
    base = artifact(source, quantize="q8", context=512)
    made = make_adapter(base, adapters(source, GRANITE_TARGETS, r=5), tmp_path / "adapter").folder
    most = 1e-3 if tier == "subgroups" else 0.1
    assert_alike(PlanPlayer(base, tier, adapter=made), in_onnxruntime(base, made, tmp_path / "onnx"), most)


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("llama-wide-heads-biased", (*LLAMA_TARGETS, "k_proj")),
        ("llama-linear", LLAMA_TARGETS),
        ("qwen3-head-norms", LLAMA_TARGETS),
        ("granitemoehybrid-experts-nope", GRANITE_TARGETS),
        ("opt-norm-first", ("q_proj", "v_proj", "out_proj", "fc1", "fc2")),
    ],
)
def test_what_follows_a_linear_follows_the_product_too(
    tmp_path: Path, tiny_model: Make, artifact: Make, adapters: Make, name: str, targets: tuple[str, ...]
) -> None:
    """Biases, activations, norms of heads, gates that are no operator, the sum with a mixture."""
    source = tiny_model(name)
    peft = adapters(source, targets, r=3, size=0.02)
    base = artifact(source, quantize="f32")
    made = make_adapter(base, peft, tmp_path / "adapter").folder
    merge_lora(str(source), peft, tmp_path / "merged")
    ids = [i % 307 for i in random_ids(50)]
    wanted = OnnxDecoder(artifact(tmp_path / "merged", quantize="f32")).logits(ids)[-1]
    player = PlanPlayer(base, adapter=made)
    for found in (player.logits(ids), player.logits(ids[:40], then=ids[40:])):
        assert np.abs(found - wanted).max() < 1e-4 * max(1.0, np.abs(wanted).max())


def test_the_head_may_be_changed_too(
    tmp_path: Path, tiny_model: Make, artifact: Make, adapters: Make
) -> None:
    source = tiny_model("llama-gqa-untied")
    base = artifact(source, quantize="q8", context=256)
    made = make_adapter(base, adapters(source, ("lm_head", "q_proj"), r=3), tmp_path / "adapter").folder
    player, other = PlanPlayer(base, adapter=made), in_onnxruntime(base, made, tmp_path / "onnx")
    ids = [i % 307 for i in random_ids(20)]
    assert np.abs(player.logits(ids) - other.logits(ids)[-1]).max() < 1e-3
    assert np.abs(player.logits(ids[:15], then=ids[15:]) - other.logits(ids)[-1]).max() < 1e-3


def test_an_encoder_takes_one_too(tmp_path: Path, tiny_encoder: Make, artifact: Make, adapters: Make) -> None:
    """Queries and values of a linear with biases, an activation behind one, packed texts of several lengths."""
    source = tiny_encoder("bert-embeddings")
    peft = adapters(source, BERT_TARGETS, r=3)
    base = artifact(source, quantize="f32")
    made = make_adapter(base, peft, tmp_path / "adapter").folder
    merge_lora(str(source), peft, tmp_path / "merged")
    texts = [[i % 307 for i in random_ids(length)] for length in (3, 20, 11)]
    wanted = OnnxEncoder(artifact(tmp_path / "merged", quantize="f32")).embed(texts)
    assert np.abs(PlanPlayer(base, adapter=made).embed(texts) - wanted).max() < 1e-5
    assert np.abs(OnnxEncoder(base).embed(texts) - wanted).max() > 1e-3
