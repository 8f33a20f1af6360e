"""What each stored tensor is for, told from model.onnx: checkpoints name the same thing in many ways.

A tensor is followed forwards through nodes that only change its form, to the node that computes with it. A linear is
known by where its output goes (attention, a scan, an activation), else by where its input comes from.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import onnx

EMBEDDING, ATTENTION, MIXER, MLP, EXPERT, NORM, HEAD, OTHER = (
    "embedding",
    "attention",
    "mixer",
    "mlp",
    "expert",
    "norm",
    "head",
    "other",
)

_UNPACKS = frozenset({"Cast", "DequantizeLinear", "Nibbles", "Octets", "Reshape", "Slice", "Transpose"})
_LINEARS = frozenset({"FusedMatMul", "MatMul", "MatMulNBits", "Gemm", "LowRank"})
_ATTENTION = frozenset({"GroupQueryAttention", "MultiHeadAttention"})
_MIXERS = frozenset({"CausalConvWithState", "SSMScan", "GatedRMSNorm"})
_MIXTURES = frozenset({"MoE", "QMoE"})
_ACTIVATIONS = frozenset({"SiluGate", "GeluGate", "Gelu", "Relu", "Silu", "Sigmoid"})
_PASSED = frozenset({"Cast", "Split", "Reshape", "HeadRMSNorm", "SoftCap", "Tanh"})
_GATHERS = frozenset({"Gather", "GatherBlockQuantized"})
_POOLINGS = frozenset({"MeanPool", "Gather"})
_ROLES = {
    "Gather": EMBEDDING,
    "GatherBlockQuantized": EMBEDDING,
    "LayerNormalization": NORM,
    "RMSNorm": NORM,
    "HeadRMSNorm": NORM,
    "GatedRMSNorm": NORM,
    "CausalConvWithState": MIXER,
    "SSMScan": MIXER,
    "MoE": EXPERT,
    "QMoE": EXPERT,
    "RotaryTable": ATTENTION,
    "GroupQueryAttention": ATTENTION,
    "MultiHeadAttention": ATTENTION,
}
# Where the output of one linear goes to several places, the first of these is what it is for.
_BY_SINK = (HEAD, EXPERT, ATTENTION, MIXER, MLP)
_ROUTER = 1


@dataclass(frozen=True)
class Use:
    """A node that computes with a tensor, and the index of the input that it comes by."""

    node: onnx.NodeProto
    index: int


class GraphUses:
    """The uses of the values of `graph`; raises ValueError unless each value is made once, before it is read.

    So that whoever follows values comes to an end.
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._uses: dict[str, list[Use]] = defaultdict(list)
        self._makers: dict[str, onnx.NodeProto] = {}
        self._outputs = {output.name for output in graph.output}
        self._constants = {tensor.name for tensor in graph.initializer}
        for node in graph.node:
            for index, name in enumerate(node.input):
                self._uses[name].append(Use(node, index))
            for name in filter(None, node.output):
                if name in self._makers or name in self._uses:
                    raise ValueError(f"{name} is made twice, or read before it is made")
                self._makers[name] = node

    def of(self, name: str, seen: set[str] | None = None) -> Iterator[Use]:
        """The nodes that compute with the tensor `name`; those that only change its form are followed, each once."""
        seen = set() if seen is None else seen
        if name in seen:
            return
        seen.add(name)
        for use in self._uses.get(name, ()):
            if use.node.op_type in _UNPACKS:
                yield from self.of(use.node.output[0], seen)
            else:
                yield use

    def stored(self, name: str) -> str:
        """The initializer that the value `name` is made of, by nodes that only change its form."""
        while (maker := self._makers.get(name)) is not None and maker.op_type in _UNPACKS:
            name = maker.input[0]
        return name

    def role(self, name: str) -> str:
        """The role of the tensor `name`; "other" where the graph does not tell."""
        roles = [self._role_of(use) for use in self.of(name)]
        return next((role for role in roles if role != OTHER), OTHER)

    def _role_of(self, use: Use) -> str:
        node = use.node
        if node.op_type in _ROLES:
            return _ROLES[node.op_type]
        if node.op_type not in _LINEARS and (maker := self._linear_before(node)) is not None:
            node = maker
        seen: set[str] = set()
        sinks = {sink for output in node.output for sink in self._sinks(output, seen)}
        return next((role for role in _BY_SINK if role in sinks), None) or self._role_by_source(node)

    def _linear_before(self, node: onnx.NodeProto) -> onnx.NodeProto | None:
        """The linear whose output `node` adds a bias to or scales."""
        maker = self._makers.get(self._activation(node) or "")
        return maker if maker is not None and maker.op_type in _LINEARS else None

    def _activation(self, node: onnx.NodeProto) -> str | None:
        """The input that is computed, where there is only one."""
        made = [name for name in node.input if name and self.stored(name) not in self._constants]
        return made[0] if len(made) == 1 else None

    def _passes(self, node: onnx.NodeProto) -> bool:
        only = node.op_type in ("Add", "Mul") and self._activation(node) is not None
        return only or node.op_type in _PASSED

    def _sinks(self, name: str, seen: set[str]) -> Iterator[str]:
        if name in seen:
            return
        seen.add(name)
        if name in self._outputs:
            yield HEAD
        for use in self._uses.get(name, ()):
            if self._passes(use.node):
                for output in use.node.output:
                    yield from self._sinks(output, seen)
            elif (role := _sink(use)) is not None:
                yield role

    def _role_by_source(self, node: onnx.NodeProto) -> str:
        maker = self._makers.get(node.input[0])
        while maker is not None and self._passes(maker):
            maker = self._makers.get(self._activation(maker) or maker.input[0])
        if maker is None:
            return OTHER
        reads_table = maker.op_type in _GATHERS and self.stored(maker.input[0]) in self._constants
        return EMBEDDING if reads_table else _source(maker)


def _sink(use: Use) -> str | None:
    kind = use.node.op_type
    if kind in _MIXTURES and use.index == _ROUTER:
        return EXPERT
    if kind in _ATTENTION:
        return ATTENTION
    if kind in _MIXERS:
        return MIXER
    return MLP if kind in _ACTIVATIONS or kind == "Mul" else None


def _source(maker: onnx.NodeProto) -> str:
    """What a linear is that reads the output of `maker`."""
    kind = maker.op_type
    if kind in _ATTENTION:
        return ATTENTION
    if kind in _MIXERS:
        return MIXER
    if kind in _ACTIVATIONS or kind == "Mul":
        return MLP
    return HEAD if kind in _POOLINGS else OTHER
