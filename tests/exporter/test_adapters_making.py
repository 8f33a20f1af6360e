"""`thistledown adapter`: what the folder holds, and what is refused by name."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporter.__main__ import main
from exporter.adapters import make_adapter
from exporter.artifact import (
    parse_adapter_manifest,
    read_adapter_manifest,
    read_adapter_plan,
    read_artifact_plan,
)
from exporter.errors import ArtifactError, LoraError
from exporter.parity.plan_player import PlanPlayer
from tests.tiny_adapters import GRANITE_TARGETS, changed_adapter

Make = Callable[..., Path]


def test_one_token_takes_few_dispatches_more(
    tmp_path: Path, tiny_granite: Make, artifact: Make, adapters: Make
) -> None:
    """Two for each linear, and the gate of an MLP by itself: norms still go into the linears behind them."""
    source = tiny_granite()
    base = artifact(source, quantize="q8", context=512)
    made = make_adapter(base, adapters(source, GRANITE_TARGETS, r=5), tmp_path / "adapter").folder
    plans = [read_artifact_plan(base, "base")[1], read_adapter_plan(made, base, "base")[1]]
    before, after = (len(plan["phases"]["decode"]) for plan in plans)
    mixers, attentions = 3, 1
    blocks = mixers * 2 + attentions * (2 + 1) + 4 * 2  # q and v are two blocks of one linear
    assert after - before == blocks + (mixers * 2 + attentions * 2 + 4 * 2) + 4


def test_the_base_itself_is_lowered_as_its_export_was(artifact: Make, tiny_granite: Make) -> None:
    """What is read back from model.onnx is what was exported: so weights keep their places."""
    from exporter.adapters.making import _graph, _places
    from exporter.artifact import compact_json, read_manifest
    from exporter.lowering import lower
    from wgsl_kernels import TIERS

    for quantize in ("f32", "q4z"):
        folder = artifact(tiny_granite(), quantize=quantize, context=512)
        manifest = read_manifest(folder)
        model = _graph(folder, manifest)
        sizes = [shard.bytes for shard in manifest.shards]
        for tier in manifest.plans:
            plan = lower(model, manifest.task, TIERS[tier], manifest.context, _places(model, manifest), sizes)
            assert compact_json(plan.to_json()) == (folder / f"plan.{tier}.json").read_bytes()


def test_the_folder_holds_its_own_tensors_only(
    tmp_path: Path, tiny_granite: Make, artifact: Make, adapters: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tiny_granite()
    base, peft = artifact(source, quantize="q8", context=512), adapters(source, GRANITE_TARGETS, r=5)
    folder = tmp_path / "made"
    assert main(["adapter", str(base), str(peft), "-o", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    manifest = read_adapter_manifest(folder)
    assert {path.name for path in folder.iterdir()} == {
        *("manifest.json", "model.onnx", manifest.shard.file),
        *(f"plan.{tier}.json" for tier in ("base", "subgroups", "f16")),
    }
    weights = 2 * manifest.parameters
    assert weights <= manifest.shard.bytes == told["bytes"] < weights + 256 * 40
    assert told["rank"] == 5
    assert folder.name == "made"
    assert (tmp_path / "made" / "manifest.json").read_bytes() == manifest.to_json()


def test_another_base_is_refused(
    tmp_path: Path, tiny_granite: Make, tiny_model: Make, artifact: Make, adapters: Make
) -> None:
    source = tiny_granite()
    base, peft = artifact(source, quantize="q8", context=512), adapters(source, GRANITE_TARGETS, r=5)
    made = make_adapter(base, peft, tmp_path / "adapter").folder
    for other in (artifact(source, quantize="q4", context=512), artifact(source, quantize="q8", context=64)):
        with pytest.raises(LoraError, match="was made for"):
            PlanPlayer(other, adapter=made)
    llama = artifact(tiny_model("llama-gqa-untied"), quantize="q8", context=256)
    with pytest.raises(LoraError, match=r"model\.layers\.0\."):
        make_adapter(llama, peft, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_what_the_artifact_cannot_take_is_refused_by_name(
    tmp_path: Path, tiny_granite: Make, artifact: Make, adapters: Make
) -> None:
    source = tiny_granite()
    base, peft = artifact(source, quantize="q8", context=512), adapters(source, GRANITE_TARGETS, r=5)
    up = "base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight"
    wide = changed_adapter(peft, tmp_path / "wide", tensors={up: np.ones((33, 5), np.float32)})
    with pytest.raises(LoraError, match=r"layers\.1\.self_attn\.v_proj"):
        make_adapter(base, wide, tmp_path / "made")
    table = {f"base_model.model.model.embed_tokens.lora_{k}.weight": np.ones(s, np.float32)
             for k, s in (("A", (5, 64)), ("B", (512, 5)))}  # fmt: skip
    tied = changed_adapter(peft, tmp_path / "tied", tensors=table)
    with pytest.raises(LoraError, match="embed_tokens"):
        make_adapter(base, tied, tmp_path / "made")


def test_a_head_that_is_the_embedding_is_refused_by_what_it_is(
    tmp_path: Path, tiny_granite: Make, artifact: Make, adapters: Make
) -> None:
    source = tiny_granite()
    base, peft = artifact(source, quantize="q8", context=512), adapters(source, ("lm_head", "q_proj"))
    with pytest.raises(LoraError, match=r'head "lm_head".* no weight of its own.*tie_word_embeddings'):
        make_adapter(base, peft, tmp_path / "made")


def test_a_base_of_another_name_is_taken_with_a_note(
    tmp_path: Path, tiny_granite: Make, artifact: Make, adapters: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tiny_granite()
    base, peft = artifact(source, quantize="q8", context=512), adapters(source, GRANITE_TARGETS, r=5)
    assert make_adapter(base, peft, tmp_path / "same").note == ""
    other = changed_adapter(peft, tmp_path / "poet", {"base_model_name_or_path": "acme/granite-base"})
    assert main(["adapter", str(base), str(other), "-o", str(tmp_path / "made")]) == 0
    told = capsys.readouterr().err
    assert told.startswith('note: poet was trained on "acme/granite-base"')
    assert f'"{source.name}"' in told


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", "thistledown"),
        ("version", True),
        ("name", "../x"),
        ("rank", 0),
        ("parameters", -1),
        ("base", {"name": "x", "weights": "0", "context": 1}),
        ("shard", {}),
        ("plans", {"base": {"file": "../plan.json"}}),
        ("files", [{}]),
        ("more", 1),
    ],
)
def test_a_damaged_manifest_is_refused(
    tmp_path: Path, tiny_granite: Make, artifact: Make, adapters: Make, key: str, value: object
) -> None:
    source = tiny_granite()
    base, peft = artifact(source, quantize="q8", context=512), adapters(source, GRANITE_TARGETS, r=5)
    made = make_adapter(base, peft, tmp_path / "adapter").folder
    damaged = json.loads((made / "manifest.json").read_text()) | {key: value}
    with pytest.raises(ArtifactError):
        parse_adapter_manifest(json.dumps(damaged).encode())


@pytest.mark.parametrize(("rank", "mixers", "linears"), [(4, 0.8, 1.8), (8, 1.6, 3.7), (16, 3.3, 7.4)])
def test_the_documented_sizes(rank: int, mixers: float, linears: float) -> None:
    """The table of docs/adapters.md: of Granite-4.0-H-350M as published, in percent of its q4 weights."""
    from exporter.calibration import bytes_in
    from exporter.front_ends import open_source
    from exporter.passes import weight_facts

    opened = open_source("tests/published/granite-4.0-h-350m", None, lambda _: None, values=False)
    built = opened.row.build(opened.checkpoint.config, opened.checkpoint, None)
    facts = weight_facts(built.model)
    base = sum(bytes_in(fact, "q4") for fact in facts)
    sizes = {fact.name: 2 * rank * (fact.rows + fact.inner) for fact in facts if fact.role != "tied"}
    of_mixers = sum(sizes[fact.name] for fact in facts if fact.role.startswith(("attention", "ssm")))
    found = [round(100 * size / base, 1) for size in (of_mixers, sum(sizes.values()))]
    assert found == [mixers, linears]
    page = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text(encoding="utf-8")
    assert f"| {rank} | {mixers} % | {linears} % |" in page
