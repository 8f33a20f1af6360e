"""What each weight is for, told from the graph: checkpoints name the same thing in many ways.

A linear is known by where its output goes (attention, a scan, an activation) or, when that is only a sum, by where
its input comes from. Nodes that pass a value on unchanged in meaning are looked through.
"""

from collections.abc import Callable, Iterator

import onnx_ir as ir

from exporter.passes.weights import shape_of, weights
from exporter.quantization import Role, TensorFacts

_ATTENTION = frozenset({"GroupQueryAttention", "MultiHeadAttention"})
_GATES = frozenset({"SiluGate", "GeluGate"})
_ACTIVATIONS = frozenset({"Gelu", "Relu", "Silu"})
_MIXTURES = frozenset({"MoE", "QMoE"})
_PASSED = frozenset({"Cast", "Split", "Reshape", "HeadRMSNorm", "SoftCap"})
_EXPERT_INPUTS: dict[int, Role] = {2: "experts_in", 4: "experts_out"}
_SCAN_DT = 1


def weight_facts(model: ir.Model) -> list[TensorFacts]:
    """The weights that can be quantized, in the order of the graph: those of linears, embeddings and experts only."""
    found = []
    for value in weights(model):
        role = _role(value)
        if role is not None:
            *rows, inner = shape_of(value)
            count = 1
            for size in rows:
                count *= size
            found.append(TensorFacts(str(value.name), role, count, inner))
    return found


def linears_of(value: ir.Value) -> list[ir.Node]:
    """The linears whose matrix `value` is; none if it is used otherwise, too."""
    return _users_if_all_known(value, _is_linear)


def gathers_of(value: ir.Value) -> list[ir.Node]:
    """The nodes that take rows of `value`; none if it is used otherwise, too."""
    return _users_if_all_known(value, _is_gather)


def _users_if_all_known(value: ir.Value, wanted: Callable[[ir.Node, int], bool]) -> list[ir.Node]:
    usages = [(usage.node, usage.idx) for usage in value.uses()]
    if not all(_is_linear(*usage) or _is_gather(*usage) for usage in usages):
        return []
    return [usage[0] for usage in usages if wanted(*usage)]


def _is_linear(node: ir.Node, index: int) -> bool:
    return bool(node.op_type == "FusedMatMul" and index == 1)


def _is_gather(node: ir.Node, index: int) -> bool:
    return bool(node.op_type == "Gather" and index == 0)


def _role(value: ir.Value) -> Role | None:
    usages = list(value.uses())
    experts = {usage.idx for usage in usages if usage.node.op_type in _MIXTURES}
    if experts:
        return _EXPERT_INPUTS.get(min(experts)) if len(usages) == 1 else None
    linears, gathers = linears_of(value), gathers_of(value)
    if linears and gathers:
        return "tied"
    if gathers:
        index = gathers[0].inputs[1]
        return "position" if index is not None and index.name == "position_ids" else "embedding"
    return _linear_role(linears[0]) if linears else None


def _linear_role(node: ir.Node) -> Role:
    sinks = set(_sinks(node.outputs[0]))
    for role in _BY_SINK:
        if role in sinks:
            return role
    return _role_by_source(node.inputs[0])


# Where the output of one linear goes to several places, the first of these is what it is for.
_BY_SINK: tuple[Role, ...] = ("head", "router", "attention_in", "ssm_in", "ssm_dt", "mlp_in")


def _sinks(value: ir.Value) -> Iterator[Role]:
    if value.is_graph_output():
        yield "head"
    for usage in value.uses():
        node = usage.node
        if node.op_type in _PASSED or _only_activation(node):
            for output in node.outputs:
                yield from _sinks(output)
        elif (role := _sink(node, usage.idx)) is not None:
            yield role


def _sink(node: ir.Node, index: int) -> Role | None:
    if node.op_type in _ATTENTION:
        return "attention_in"
    if node.op_type in _MIXTURES:
        return "router" if index == 1 else None
    if node.op_type == "CausalConvWithState":
        return "ssm_in"
    if node.op_type == "SSMScan":
        return "ssm_dt" if index == _SCAN_DT else "ssm_in"
    if node.op_type in _GATES or node.op_type in _ACTIVATIONS or node.op_type == "Mul":
        return "mlp_in"
    return None


def _only_activation(node: ir.Node) -> bool:
    """Whether a sum or product has one activation among its inputs: a bias or a factor is the other."""
    made = [value for value in node.inputs if value is not None and not value.is_initializer()]
    return node.op_type in ("Add", "Mul") and len(made) == 1


def _role_by_source(value: ir.Value | None) -> Role:
    node = value.producer() if value is not None else None
    while node is not None and (node.op_type in _PASSED or _only_activation(node)):
        source = next((v for v in node.inputs if v is not None and not v.is_initializer()), None)
        node = source.producer() if source is not None else None
    if node is None:
        return "linear"
    if node.op_type in _ATTENTION:
        return "attention_out"
    if node.op_type in ("GatedRMSNorm", "SSMScan"):
        return "ssm_out"
    if node.op_type in _GATES or node.op_type in _ACTIVATIONS or node.op_type == "Mul":
        return "mlp_out"
    return "linear"
