"""Lowering of mixtures of experts: routing, then gated experts; many tokens are grouped by expert on the GPU first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import onnx_ir as ir

from exporter.lowering.expert_weights import expert_matrices
from exporter.lowering.program import Target, View
from exporter.lowering.stored_weights import StoredMatrix
from exporter.lowering.walk import Walk, integer, number

# What the kernel `top_experts` keeps in workgroup memory.
MOST_EXPERTS = 256
MOST_SLOTS = 16

# Which inputs of a mixture are used: x, router logits, two matrices, and for blocks their scales and zero points.
_INPUTS: Mapping[str, frozenset[int]] = {
    "MoE": frozenset({0, 1, 2, 4}),
    "QMoE": frozenset({0, 1, 2, 3, 5, 6, 11, 12}),
}
_ROUTER = 1


@dataclass(frozen=True)
class _Mixture:
    """The sizes of a mixture and its matrices: up (experts * 2 * width, hidden), down (experts * hidden, width)."""

    node: ir.Node
    experts: int
    slots: int
    up: StoredMatrix
    down: StoredMatrix

    @property
    def hidden(self) -> int:
        return self.up.inner

    @property
    def width(self) -> int:
        return self.down.inner


@dataclass(frozen=True)
class _Routes:
    """For each token its experts' indices and weights: u32 and f32 [tokens][slots]."""

    experts: View
    routing: View


def feeds_router(walk: Walk, value: ir.Value) -> bool:
    """Whether `value` is what a mixture chooses its experts by, as it is or reshaped."""
    reshape = walk.follower(value, "Reshape")
    end = value if reshape is None else reshape.outputs[0]
    user = walk.only_user(end)
    return user is not None and user.op_type in _INPUTS and user.inputs[_ROUTER] is end


def lower_experts(walk: Walk, node: ir.Node) -> None:
    """MoE and QMoE with gated experts (swiglu, gate and up rows interleaved), softmax over the k that are chosen."""
    _require_form(walk, node)
    x, logits = walk.dense(node.inputs[0], node), walk.dense(node.inputs[_ROUTER], node)
    mixture = _mixture(walk, node, x, logits)
    play = _many_tokens if x.rows == "tokens" else _few_tokens
    walk.define(node.outputs[0], play(walk, mixture, x, logits))


def _few_tokens(walk: Walk, mixture: _Mixture, x: View, logits: View) -> View:
    """Two dispatches for each cut of the matrices, which choose the experts and read the chosen ones only."""
    program, name = walk.program, str(mixture.node.name)
    routes = program.scratch(x.rows, mixture.slots * 2, 4)
    hidden = program.scratch(x.rows, mixture.slots * mixture.width)
    out = program.scratch(x.rows, mixture.hidden)
    for weight, cut in _cuts(walk, mixture, mixture.up):
        bound: dict[str, View | Target] = {
            "x": x,
            "out": hidden,
            "routes": routes,
            "logits": logits,
            **weight,
        }
        constants = {**cut, "expert_total": mixture.experts}
        program.dispatch(f"experts_up_gemv_{mixture.up.fmt.name}", bound, constants, name)
    for weight, cut in _cuts(walk, mixture, mixture.down):
        bound = {"x": hidden, "out": out, "routes": routes, **weight}
        constants = {**cut, "accumulate": int(cut["first_expert"] > 0)}
        program.dispatch(f"experts_down_gemv_{mixture.down.fmt.name}", bound, constants, name)
    return out


def _routes(walk: Walk, mixture: _Mixture, x: View, logits: View) -> _Routes:
    routes = _Routes(*(walk.program.scratch(x.rows, mixture.slots, 4) for _ in range(2)))
    sizes = {"expert_total": mixture.experts, "slots": mixture.slots}
    chosen: dict[str, View | Target] = {"experts": routes.experts, "routing": routes.routing}
    walk.program.dispatch("top_experts", {"logits": logits, **chosen}, sizes, str(mixture.node.name))
    return routes


def _many_tokens(walk: Walk, mixture: _Mixture, x: View, logits: View) -> View:
    """The pairs of tokens and experts, grouped so that a tile is of one expert; then the sum over each token's."""
    routes = _routes(walk, mixture, x, logits)
    program, name, slots = walk.program, str(mixture.node.name), mixture.slots
    bounds, pairs = program.scratch(1, mixture.experts + 1, 4), program.scratch(x.rows, slots, 4)
    grouped: dict[str, View | Target] = {"bounds": bounds, "pairs": pairs}
    sizes = {"expert_total": mixture.experts, "slots": slots}
    program.dispatch("group_by_expert", {"experts": routes.experts, **grouped}, sizes, name)
    hidden = program.scratch(x.rows, slots * mixture.width)
    parts = program.scratch(x.rows, slots * mixture.hidden)
    for weight, cut in _cuts(walk, mixture, mixture.up):
        bound = {"x": x, "out": hidden, **grouped, **weight}
        program.dispatch(f"experts_up_gemm_{mixture.up.fmt.name}", bound, cut, name)
    for weight, cut in _cuts(walk, mixture, mixture.down):
        bound = {"x": hidden, "out": parts, **grouped, **weight}
        program.dispatch(f"experts_down_gemm_{mixture.down.fmt.name}", bound, cut, name)
    out = program.scratch(x.rows, mixture.hidden)
    bound = {"x": parts, "out": out, "routing": routes.routing}
    program.dispatch("sum_experts", bound, {"width": mixture.hidden, "slots": slots}, name)
    return out


def _cuts(
    walk: Walk, mixture: _Mixture, matrix: StoredMatrix
) -> Iterator[tuple[dict[str, Target], dict[str, float]]]:
    """The bindings and overrides of each cut of a matrix; an expert is never cut."""
    rows = matrix.rows // mixture.experts
    for part in walk.program.store.matrix(matrix, rows):
        overrides: dict[str, float] = {
            "inner": matrix.inner,
            "rows": rows,
            "slots": mixture.slots,
            "first_expert": part.start // rows,
            "expert_count": part.rows // rows,
        }
        yield walk.program.bound(part), overrides


def _require_form(walk: Walk, node: ir.Node) -> None:
    activation = node.attributes.get("activation_type")
    wanted = {"activation_alpha": 1.0, "activation_beta": 0.0}
    if activation is None or activation.as_string() != "swiglu" or integer(node, "swiglu_fusion", 0) != 1:
        raise walk.refuse(node, "only swiglu with gate and up rows interleaved (swiglu_fusion=1)")
    if any(number(node, name, value) != value for name, value in wanted.items()):
        raise walk.refuse(node, "only silu(gate) * up: alpha 1, beta 0")
    if "swiglu_limit" in node.attributes or integer(node, "use_sparse_mixer", 0):
        raise walk.refuse(node, "no limit on swiglu and no sparse mixer")
    if not integer(node, "normalize_routing_weights", 0):
        raise walk.refuse(node, "only routing weights that are normalized over the chosen experts")
    if any(value is not None and i not in _INPUTS[node.op_type] for i, value in enumerate(node.inputs)):
        raise walk.refuse(node, "no biases and no third matrix")


def _mixture(walk: Walk, node: ir.Node, x: View, logits: View) -> _Mixture:
    up, down = expert_matrices(walk, node)
    experts, slots = logits.width, integer(node, "k", 1)
    if logits.elem_bytes != 4 or logits.rows != x.rows:
        raise walk.refuse(
            node, "the router must be a linear of the same tokens whose output nothing else reads"
        )
    if not 0 < slots <= min(experts, MOST_SLOTS) or experts > MOST_EXPERTS:
        why = (
            f"{slots} of {experts} experts; the kernels choose at most {MOST_SLOTS} of at most {MOST_EXPERTS}"
        )
        raise walk.refuse(node, why)
    if (up.rows, up.inner, down.rows) != (experts * 2 * down.inner, x.width, experts * x.width):
        raise walk.refuse(node, "the experts' matrices do not fit the input and the router")
    return _Mixture(node, experts, slots, up, down)
