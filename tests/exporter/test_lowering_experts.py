"""Mixtures of experts in plans: equal to onnxruntime, in any cuts, and only the chosen experts are read."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from exporter.artifact import Generation, Location, Manifest, ShardWriter, compact_json, plan_entry
from exporter.components import MICROSOFT, ExpertsShape, GraphBuilder, mixture_of_experts
from exporter.errors import LoweringError
from exporter.lowering import MAX_BINDING, lower, weights_read
from exporter.parity.onnx_runner import OnnxDecoder
from exporter.parity.plan_player import PlanPlayer
from exporter.passes import point_at_shards, quantize_weights, store_weights, weight_facts
from exporter.quantization import mixture
from tests.tiny_models import random_ids
from wgsl_kernels import TIERS

VOCABULARY = 61
SHAPE = ExpertsShape(hidden=64, inner=64, experts=6, top=2)
EXPERT_VALUES = 3 * SHAPE.inner * SHAPE.hidden
LIMIT = 1e-4
# Two experts' rows up, four experts' rows down.
CUT = {"max_binding": 70_000}


class Noise:
    """Weights drawn by name; those of the `inactive` experts are NaN."""

    def __init__(self, inactive: tuple[int, ...] = ()) -> None:
        self._arrays: dict[str, np.ndarray] = {}
        self._inactive = list(inactive)

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        return self._arrays

    def require(self, name: str, shape: tuple[int, ...]) -> None:
        made = np.random.default_rng(len(name)).normal(0, 0.5, shape).astype(np.float32)
        if name in ("up", "down"):
            made[self._inactive] = np.nan
        self._arrays[name] = made

    def read(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def read_rows(self, name: str, start: int, stop: int) -> np.ndarray:
        array = self._arrays[name]
        return array.reshape(-1, array.shape[-1])[start:stop]


def _graph(weights: Noise) -> ir.Model:
    g = GraphBuilder("mixture", weights)
    ids = g.input("input_ids", ir.DataType.INT64, ["batch", "tokens"])
    g.input("attention_mask", ir.DataType.INT64, ["batch", "total"])
    x = g.op("Gather", g.weight("table", shape=(VOCABULARY, SHAPE.hidden)), ids, axis=0)
    y = mixture_of_experts(g, x, "router", "up", "down", SHAPE)
    head = g.weight("the head", shape=(VOCABULARY, SHAPE.hidden))
    scores = g.op("FusedMatMul", y, head, domain=MICROSOFT, transB=1)
    g.output(scores, "logits", ir.DataType.FLOAT, ["batch", "tokens", VOCABULARY])
    return g.finish()


def _write(folder: Path, weights: Noise, scheme: str = "f32", max_binding: int = MAX_BINDING) -> Path:
    folder.mkdir(exist_ok=True)
    model = _graph(weights)
    quantize_weights(model, mixture(scheme, weight_facts(model)))
    with ShardWriter(folder, 40_000_000) as writer:
        places = store_weights(model, writer.add)
        shards = writer.close()
    point_at_shards(model, places, [shard.file for shard in shards])
    (folder / "model.onnx").write_bytes(ir.to_proto(model).SerializeToString())
    sizes = [shard.bytes for shard in shards]
    plan = lower(model, "text-generation", TIERS["base"], 128, places, sizes, max_binding)
    path = folder / "plan.base.json"
    path.write_bytes(compact_json(plan.to_json()))
    manifest = Manifest(
        name="mixture",
        title="mixture",
        task="text-generation",
        architecture="mixture",
        source="test",
        license=None,
        languages=(),
        quantization=scheme,
        parameters=1,
        context=128,
        dimensions=None,
        vocabulary=VOCABULARY,
        generation=Generation((), None, 0.0, 0, 1.0),
        shards=tuple(shards),
        plans={"base": plan_entry(path, (), plan.memory, plan.limits)},
        files=(),
    )
    (folder / "manifest.json").write_bytes(manifest.to_json())
    return folder


def _decoded(player: PlanPlayer, token: int) -> np.ndarray:
    player.write("ids", np.array([token], np.uint32))
    player.step(1)
    player.play("decode")
    return player.read("logits", np.float32, VOCABULARY)


@pytest.mark.gpu
@pytest.mark.parametrize(("scheme", "cut"), [("f32", {}), ("f32", CUT), ("q4", {})])
def test_the_plan_gives_onnxruntimes_logits(scheme: str, cut: dict[str, int], tmp_path: Path) -> None:
    folder = _write(tmp_path / "mixture", Noise(), scheme, **cut)
    decoder, player = OnnxDecoder(folder), PlanPlayer(folder)
    used = [player.plan["kernels"][d["kernel"]]["shader"] for d in player.plan["phases"]["decode"]]
    assert sum("experts_up" in name for name in used) == (3 if cut else 1)
    for length in (1, 7, 70):
        ids = random_ids(length, VOCABULARY)
        expected = decoder.logits(ids)[-1]
        assert np.abs(expected).max() > 0.5
        assert np.abs(player.logits(ids) - expected).max() < LIMIT, length
        assert np.abs(_decoded(player, ids[-1]) - expected).max() < LIMIT


@pytest.mark.gpu
def test_experts_that_no_token_goes_to_are_not_read(tmp_path: Path) -> None:
    token, weights = 7, Noise()
    clean = PlanPlayer(_write(tmp_path / "clean", weights, **CUT))
    scores = weights.read("router") @ weights.read("table")[token]
    inactive = tuple(int(expert) for expert in np.argsort(-scores)[SHAPE.top :])
    poisoned = PlanPlayer(_write(tmp_path / "poisoned", Noise(inactive), **CUT))
    expected = _decoded(clean, token)
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(_decoded(poisoned, token), expected)
    np.testing.assert_array_equal(poisoned.logits([token]), clean.logits([token]))
    others = [other for other in range(VOCABULARY) if np.isnan(_decoded(poisoned, other)).any()]
    assert others, "the test sees an expert that is read"
    plan = clean.plan
    dense = SHAPE.hidden * (1 + SHAPE.experts + VOCABULARY)
    assert weights_read(plan) == 4 * (SHAPE.top * EXPERT_VALUES + dense)


@pytest.mark.parametrize(
    ("attribute", "why"),
    [
        (ir.AttrInt64("swiglu_fusion", 2), "interleaved"),
        (ir.AttrFloat32("activation_alpha", 1.7), "alpha 1"),
        (ir.AttrFloat32("swiglu_limit", 7.0), "limit"),
        (ir.AttrInt64("normalize_routing_weights", 0), "normalized"),
        (ir.AttrInt64("k", SHAPE.experts + 1), "experts"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_mixture_of_another_form_is_refused(attribute: ir.Attr, why: str) -> None:
    model = _graph(Noise())
    node = next(node for node in model.graph if node.op_type == "MoE")
    node.attributes.add(attribute)
    places = {str(name): Location(0, 0, 1024) for name in model.graph.initializers}
    with pytest.raises(LoweringError, match=why):
        lower(model, "text-generation", TIERS["base"], 128, places, [1 << 20])
