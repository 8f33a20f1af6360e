"""The scan that is measured for itself: one input for all, rows as the plan has them, the artifact's own node."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from bench.errors import BenchError
from bench.made_files import Made
from bench.model_folder import ModelFolder
from bench.scan import LIMITS, Scan, builds, measure_scans
from bench.scan_job import Chain
from bench.scan_values import rows_of, scan_values
from bench.settings import OURS, BenchSettings
from wgsl_kernels import CATALOG, TIERS

# A block and a part of one, in a plan whose context is one block.
BLOCK = 64
TOKENS = 108
PEER = "onnxruntime-web"


@pytest.fixture(scope="module", params=[1, 2])
def model(
    request: pytest.FixtureRequest, tiny_granite: Callable[..., Path], artifact: Callable[..., Path]
) -> ModelFolder:
    return ModelFolder.read(artifact(tiny_granite(groups=request.param), quantize="q4", context=BLOCK))


def chain_of(model: ModelFolder, tier: str = "base") -> Chain:
    chain = Chain.of(model.plan(tier))
    assert chain is not None
    return chain


def recurrence(values: Mapping[str, np.ndarray], groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Token by token as the operator's definition reads, in float64."""
    wide = {name: array.astype(np.float64) for name, array in values.items()}
    state = wide["past_state"][0].copy()
    heads, state_size, head_dim = state.shape
    x = wide["x"][0].reshape(-1, heads, head_dim)
    key, query = (
        wide[name][0].reshape(-1, groups, state_size).repeat(heads // groups, axis=1) for name in ("B", "C")
    )
    step = np.logaddexp(0, wide["dt"][0] + wide["dt_bias"])
    kept = np.exp(-step * np.exp(wide["A_log"]))
    y = np.empty_like(x)
    for t in range(len(x)):
        update = key[t][:, :, None] * (step[t][:, None] * x[t])[:, None, :]
        state = kept[t][:, None, None] * state + update
        y[t] = np.einsum("hn,hnp->hp", query[t], state) + wide["D"][:, None] * x[t]
    return y.reshape(1, len(x), -1), state[None]


def test_the_peers_model_is_the_artifacts_node_and_computes_the_recurrence(
    model: ModelFolder, tmp_path: Path
) -> None:
    chain = chain_of(model)
    jobs = Made(tmp_path, model).scan(chain, TOKENS, {PEER: "asyncify"})
    file = tmp_path / jobs[PEER]["onnx"].rpartition("/")[2]
    small = onnx.load(file)
    onnx.checker.check_model(small)
    assert [(node.op_type, node.domain) for node in small.graph.node] == [("SSMScan", "ai.thistledown")]
    data = (tmp_path / jobs[PEER]["data"].rpartition("/")[2]).read_bytes()
    feeds = {
        name: np.frombuffer(data, np.float32, given["place"][1] // 4, given["place"][0]).reshape(
            given["dims"]
        )
        for name, given in jobs[PEER]["inputs"].items()
    }
    got = onnxruntime.InferenceSession(file).run(["y", "present_state"], feeds)
    values = scan_values(chain.constants, TOKENS, chain.tier)
    wanted = recurrence(values, int(chain.constants["groups"]))
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize("tier", TIERS)
def test_each_dispatch_binds_what_its_kernel_names_at_the_plans_size(
    model: ModelFolder, tmp_path: Path, tier: str
) -> None:
    chain = chain_of(model, tier)
    job = Made(tmp_path, model).scan(chain, TOKENS, {})[OURS]
    blocks = list(chain.blocks(TOKENS))
    assert blocks == [(0, BLOCK), (BLOCK, TOKENS)]
    assert len(job["blocks"]) == len(job["y"]) == len(blocks)
    for dispatches in job["blocks"]:
        for dispatch, played, shader in zip(chain.dispatches, dispatches, chain.shaders(), strict=True):
            assert {bound[0] for bound in played["bound"]} == {
                each.index for each in CATALOG[shader].bindings
            }
            assert [bound[3] for bound in played["bound"]] == [size for *_, size in dispatch["bind"]]
            for _, buffer, offset, size in played["bound"]:
                assert offset % 256 == 0
                assert offset + size <= job["buffers"][buffer]["bytes"]
    # The state is carried on in place; the rows and the answers of a block are its own.
    assert {
        bound[1] for dispatches in job["blocks"] for bound in dispatches[2]["bound"] if bound[0] == 3
    } == {job["state"][0]}
    assert job["y"][0][0] != job["y"][1][0]


def test_buffers_hold_the_rows_of_their_block_the_step_and_the_state(
    model: ModelFolder, tmp_path: Path
) -> None:
    chain = chain_of(model)
    job = Made(tmp_path, model).scan(chain, TOKENS, {})[OURS]
    data = (tmp_path / job["data"].rpartition("/")[2]).read_bytes()

    def held(bound: Any, dtype: Any) -> np.ndarray:
        _, buffer, offset, size = bound
        begin, count = job["buffers"][buffer]["filled"]
        assert offset + size <= count
        return np.frombuffer(data, dtype, size // 4, begin + offset)

    values = scan_values(chain.constants, TOKENS, chain.tier)
    rows = rows_of(values, chain.constants, chain.tier)
    step, dt, a_log = (job["blocks"][1][0]["bound"][i] for i in range(3))
    assert held(step, np.uint32)[:3].tolist() == [44, BLOCK, 1]
    width = rows["dt"].shape[1]
    np.testing.assert_array_equal(held(dt, np.float32).reshape(-1, width)[:44], rows["dt"][BLOCK:])
    assert not held(dt, np.float32).reshape(-1, width)[44:].any()
    np.testing.assert_array_equal(held(a_log, np.float32), values["A_log"])
    state = next(bound for bound in job["blocks"][0][2]["bound"] if bound[0] == 3)
    np.testing.assert_array_equal(held(state, np.float32), values["past_state"].ravel())


def test_rows_are_read_back_from_where_the_plan_says_they_lie() -> None:
    sizes = {"heads": 3, "head_dim": 4, "groups": 1, "state_size": 5}
    places = {"stride": 31, "x_offset": 2, "b_offset": 15, "c_offset": 25, "dt_stride": 7, "dt_offset": 3}
    values = scan_values(sizes, 6, TIERS["f16"])
    rows = rows_of(values, places, TIERS["f16"])
    assert {array.dtype for array in rows.values()} == {np.dtype(np.float16)}
    for name, first, width in (("x", 2, 12), ("B", 15, 5), ("C", 25, 5)):
        np.testing.assert_array_equal(rows["xbc"][:, first : first + width], values[name][0])
    np.testing.assert_array_equal(rows["dt"][:, 3:6], values["dt"][0])
    assert not rows["xbc"][:, [0, 1, 14, 20, 24, 30]].any()


def test_rows_that_are_aligned_first_are_laid_out_as_before_that() -> None:
    align, decay = (
        {"shader": shader, "constants": {"stride": stride, **more}}
        for shader, stride, more in (("ssd_align", 9, {}), ("ssd_decay", 12, {"dt_stride": 3}))
    )
    plan = {"kernels": [align, decay], "tier": "base"}
    assert Chain(plan, [{"kernel": 0}, {"kernel": 1}]).constants == {"stride": 9, "dt_stride": 3}


def test_an_encoder_is_left_out_with_the_reason(artifact: Callable[..., Path]) -> None:
    model = ModelFolder.read(artifact("minilm", quantize="f32"))
    found = measure_scans(Tab(), Chain.of(model.plan("base")), (64, 512), unasked, unasked)
    reason = "the model has no Mamba-2 layer"
    assert found.left_out == [{"name": f"scan {tokens}", "reason": reason} for tokens in (64, 512)]
    assert found.rows == found.checks == []


def unasked(*arguments: object) -> Any:
    raise AssertionError(arguments)


class Tab:
    """Engines that answer with the differences and faults that a test names."""

    def __init__(self, differences: float = 0.0, broken: str = "") -> None:
        self.differences, self.broken = differences, broken
        self.asked: list[str] = []

    def call_of(self, module: str, name: str, *args: object) -> Any:
        assert module == "scan.js"
        self.asked.append(name)
        if self.broken in args:
            raise BenchError("The browser failed", "out of memory", "Measure less.")
        return {"y": self.differences, "state": 0.0}


def test_a_scan_that_answers_otherwise_does_not_agree() -> None:
    scan = Scan(Tab(2 * LIMITS["f32"]), 512, LIMITS["f32"])
    scan.open({OURS: {}, PEER: {}})
    assert [check["agrees"] for check in scan.checks] == [False, True]
    assert scan.names == [OURS, PEER]


def test_a_peer_that_cannot_run_it_is_left_out_and_ours_is_measured() -> None:
    scan = Scan(Tab(broken=PEER), 512, LIMITS["f32"])
    scan.open({OURS: {}, PEER: {}})
    assert (scan.names, scan.checks) == ([OURS], [])
    assert scan.left_out == [{"name": f"scan 512 by {PEER}", "reason": "out of memory"}]


def test_onnxruntime_is_asked_only_where_it_is_a_peer() -> None:
    settings = BenchSettings(onnxruntime_build="jspi")
    assert builds(settings, [OURS, "wllama"]) == {}
    assert builds(settings, [OURS, PEER]) == {PEER: "jspi", "onnxruntime-web-wasm": "wasm"}
