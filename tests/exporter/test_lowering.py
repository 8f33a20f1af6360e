"""Lowering: memory never shared by two that live, what cannot be lowered is named, plans are small and exact."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.components import GraphBuilder
from exporter.errors import LoweringError
from exporter.lowering import lower
from exporter.lowering.memory import Scratch, assign
from exporter.ops import DOMAIN
from wgsl_kernels import TIERS

Make = Callable[..., Path]

LIVES = st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 30), st.integers(0, 10)), max_size=40)


@given(LIVES)
def test_two_that_live_at_once_never_share_a_slab(lives: list[tuple[int, int, int]]) -> None:
    scratches = [Scratch(size, first, first + length) for size, first, length in lives]
    slabs, where = assign(scratches)
    for a in scratches:
        assert slabs[where[a]].bytes >= a.bytes
        for b in scratches:
            assert a is b or where[a] != where[b] or not a.overlaps(b)
    most_at_once = max((sum(s.first <= t <= s.last for s in scratches) for t in range(42)), default=0)
    assert len(slabs) >= most_at_once


class Ones:
    """Weights that are all one."""

    def __init__(self) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}

    @property
    def tensors(self) -> dict[str, tuple[int, ...]]:
        return self.shapes

    def require(self, name: str, shape: tuple[int, ...]) -> None:
        self.shapes[name] = shape

    def read(self, name: str) -> np.ndarray:
        return np.ones(self.shapes[name], np.float32)

    def read_rows(self, name: str, start: int, stop: int) -> np.ndarray:
        return np.ones((stop - start, self.shapes[name][-1]), np.float32)


def _embedding_graph(op_type: str, domain: str = "", **attributes: float) -> ir.Model:
    g = GraphBuilder("test", Ones())
    ids = g.input("input_ids", ir.DataType.INT64, ["batch", "tokens"])
    x = g.op("Gather", g.weight("table", shape=(10, 8)), ids, axis=0)
    y = g.op(op_type, x, domain=domain, **attributes)
    g.output(y, "y", ir.DataType.FLOAT, ["batch", "tokens", 8])
    return g.finish()


class Everywhere(dict[str, "Everywhere"]):
    """Each weight lies at the start of the only shard."""

    shard_index, offset, bytes = 0, 0, 320

    def __missing__(self, key: str) -> "Everywhere":
        return self


def test_an_operator_that_has_no_kernel_is_named_with_its_node() -> None:
    with pytest.raises(LoweringError) as error:
        lower(
            _embedding_graph("Einsum", equation="abc->abc"),
            "sentence-embedding",
            TIERS["base"],
            8,
            Everywhere(),
            [320],
        )
    assert "ai.onnx::Einsum" in str(error.value)
    assert "Einsum#1" in str(error.value)
    assert "RMSNorm" in str(error.value)


def test_an_unfit_attribute_is_refused() -> None:
    model = _embedding_graph("SiluGate", domain=DOMAIN)
    node = next(node for node in model.graph if node.op_type == "SiluGate")
    node.op_type, node.domain = "Mul", ""
    with pytest.raises(LoweringError, match="scalar"):
        lower(model, "sentence-embedding", TIERS["base"], 8, Everywhere(), [320])


@pytest.fixture(scope="module")
def folder(tiny_granite: Make, artifact: Make) -> Path:
    return artifact(tiny_granite(groups=2, position="rope"), quantize="q4", context=512)


def test_model_onnx_passes_the_checker_and_names_its_functions(folder: Path) -> None:
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    assert model.ir_version == 10
    assert {(o.domain, o.version) for o in model.opset_import} == {
        ("", 21),
        ("com.microsoft", 1),
        (DOMAIN, 1),
    }
    assert "SSMScan" in {function.name for function in model.functions}
    assert {node.op_type for node in model.graph.node}.isdisjoint({"Loop", "Scan", "If"})


def test_onnx_and_plan_point_at_the_same_bytes(folder: Path) -> None:
    """The tied table is stored once: embedding, head and plan read one range."""
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    places = {
        tensor.name: tuple(sorted((e.key, e.value) for e in tensor.external_data))
        for tensor in model.graph.initializer
        if tensor.external_data
    }
    rows, blocks = (places[f"model.embed_tokens.weight.{part}"] for part in ("rows", "blocks"))
    assert rows == blocks
    stored = sum({place: int(dict(place)["length"]) for place in places.values()}.values())
    shards = sum(path.stat().st_size for path in folder.glob("*.bin"))
    assert stored <= shards < stored + 256 * len(places)


@pytest.mark.parametrize("tier", TIERS)
def test_plans_fit_webgpu_default_limits(folder: Path, tier: str) -> None:
    plan = json.loads((folder / f"plan.{tier}.json").read_text())
    assert plan["limits"]["maxStorageBuffersPerShaderStage"] <= 8
    assert plan["limits"]["maxStorageBufferBindingSize"] <= 128 << 20
    assert plan["limits"]["maxBufferSize"] <= 256 << 20
    assert sum(buffer["bytes"] for buffer in plan["buffers"]) == plan["memory"]["total"]
    for phase in plan["phases"].values():
        for dispatch in phase:
            for _, buffer, offset, size in dispatch["bind"]:
                assert offset % 256 == 0
                assert offset + size <= plan["buffers"][buffer]["bytes"]


def test_prefill_scans_in_chunks_and_decode_by_the_token(folder: Path) -> None:
    plan = json.loads((folder / "plan.base.json").read_text())
    played = {
        name: [plan["kernels"][dispatch["kernel"]]["shader"] for dispatch in phase]
        for name, phase in plan["phases"].items()
    }
    scans = {
        name: [kernel for kernel in kernels if kernel.startswith(("ss", "mamba", "causal_conv"))]
        for name, kernels in played.items()
    }
    layers = len(scans["decode"])
    assert layers > 0
    assert scans["decode"] == ["mamba_step_plain"] * layers
    chunked = ["causal_conv", "ssd_decay", "ssd_scores", "ssd_states", "ssd_out"]
    assert scans["prefill"] == chunked * layers
    chunks = {
        str(dispatch["grid"][1])
        for dispatch, kernel in zip(plan["phases"]["prefill"], played["prefill"], strict=True)
        if kernel in ("ssd_decay", "ssd_scores", "ssd_out")
    }
    assert chunks == {str({"of": "tokens", "times": 1, "per": 64})}


def test_what_cannot_be_cut_back_has_a_snapshot_and_is_counted(folder: Path) -> None:
    plan = json.loads((folder / "plan.base.json").read_text())
    states = {i: buffer for i, buffer in enumerate(plan["buffers"]) if buffer["kind"] == "state"}
    snapshots = [buffer for buffer in plan["buffers"] if buffer["kind"] == "snapshot"]
    fixed = {i for i, state in states.items() if state["role"] in ("conv", "ssm")}
    assert fixed == {buffer["of"] for buffer in snapshots} != set()
    assert all(buffer["bytes"] == states[buffer["of"]]["bytes"] for buffer in snapshots)
    counted = sum(buffer["bytes"] for buffer in [*states.values(), *snapshots])
    assert plan["memory"]["states"] == counted


def test_decode_offers_teams_of_lanes_for_its_linears(folder: Path) -> None:
    plan = json.loads((folder / "plan.base.json").read_text())
    assert plan["choices"]["gemv"] == ["lanes-32", "lanes-32-teams-4", "lanes-1-teams-16"]
    offered = [dispatch for dispatch in plan["phases"]["decode"] if dispatch.get("choice") == "gemv"]
    assert len(offered) > 10
    for dispatch in offered:
        default, *others = (plan["kernels"][call["kernel"]] for call in (dispatch, *dispatch["or"]))
        teams = [{"TEAMS": 4}, {"LANES": 1, "TEAMS": 16}]
        for other, team, call in zip(others, teams, dispatch["or"], strict=True):
            assert other == {"shader": default["shader"], "constants": {**default["constants"], **team}}
            assert call["grid"] == [-(-dispatch["grid"][0] // team["TEAMS"]), *dispatch["grid"][1:]]


def test_few_tokens_have_kernels_of_their_own_for_every_linear_of_a_prompt(folder: Path) -> None:
    plan = json.loads((folder / "plan.base.json").read_text())
    assert plan["choices"]["gemm-few"] == ["columns", "direct"]
    shaders = [kernel["shader"] for kernel in plan["kernels"]]
    linears = [each for each in plan["phases"]["prefill"] if shaders[each["kernel"]].startswith("gemm")]
    assert len(linears) > 10
    for dispatch in linears:
        usual, columns = shaders[dispatch["kernel"]], shaders[dispatch["few"]["kernel"]]
        assert columns == usual.replace("gemm", "gemv_columns")
        assert dispatch["few"]["or"] == dispatch["or"]


def test_the_head_reads_one_token_with_the_kernel_for_one(folder: Path) -> None:
    """GEMM counts rows by the step, which has all of the prompt's."""
    plan = json.loads((folder / "plan.base.json").read_text())
    shaders = [plan["kernels"][dispatch["kernel"]]["shader"] for dispatch in plan["phases"]["head"]]
    assert shaders[0] == "take_last"
    assert all(shader.startswith("gemv") for shader in shaders[1:])


def test_decode_grids_do_not_depend_on_the_past(folder: Path) -> None:
    """So the same commands play every token."""
    plan = json.loads((folder / "plan.base.json").read_text())
    grids = [dispatch["grid"] for name in ("decode", "sample", "head") for dispatch in plan["phases"][name]]
    assert all(isinstance(size, int) for grid in grids for size in grid)
