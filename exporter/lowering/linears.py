"""Lowering of linears and embeddings, with the epilogues that are fused into them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import onnx_ir as ir

from exporter.lowering.activations import NONE, activation_code, gate_code
from exporter.lowering.experts import feeds_router
from exporter.lowering.heads import encoder_logits, lower_first_token
from exporter.lowering.low_rank import add_low_ranks, is_first_product, low_ranks_after
from exporter.lowering.program import Choice, Few, Target, Variant, View, value_name
from exporter.lowering.stored_weights import RowSlice, StoredMatrix, weight_format, weight_shape
from exporter.lowering.walk import Norm, Walk, integer, number, other_input, scalar_factor, stored_value
from wgsl_kernels import FORMATS, Format

_BLOCK = 32
_LINEARS = ("FusedMatMul", "MatMulNBits")
# A team of 32 lanes fills a subgroup of a GPU; an adapter made of software is best with lanes that share nothing.
_TEAMS = Choice(
    "gemv",
    "lanes-32",
    (Variant("lanes-32-teams-4", {"TEAMS": 4}), Variant("lanes-1-teams-16", {"LANES": 1, "TEAMS": 16})),
)


def _ways(shape: str, matrix: StoredMatrix, epilogue: str) -> Choice | None:
    """How else the device may multiply: what is without barriers is faster in software, and reads whole blocks only."""
    if shape.startswith("gemv_norm") or shape == "gemv":
        return _TEAMS
    if shape != "gemm" or matrix.inner % _BLOCK:
        return None
    return Choice("gemm", "tiled", (_direct(matrix, epilogue),))


def _direct(matrix: StoredMatrix, epilogue: str) -> Variant:
    return Variant("direct", kernel=f"gemm_direct_{matrix.fmt.name}_{epilogue}")


def _few(shape: str, matrix: StoredMatrix, epilogue: str) -> Few | None:
    """For few tokens a GEMV of several columns, which reads a weight once for all; a tile would be mostly empty."""
    if shape != "gemm" or matrix.inner % _BLOCK:
        return None
    columns = f"gemv_columns_{matrix.fmt.name}_{epilogue}"
    return Few(columns, Choice("gemm-few", "columns", (_direct(matrix, epilogue),)))


@dataclass
class Tail:
    """What follows a linear and is fused into it: act(alpha * acc + bias), residual + alpha * acc + bias, or a gate.

    What `low_ranks` add to acc is added to the result in place: so nothing is fused that is not a sum.
    """

    end: ir.Value
    nodes: list[ir.Node]
    alpha: float = 1.0
    bias: ir.Value | None = None
    activation: int = NONE
    cap: float = 0.0
    residual: View | None = None
    routes: bool = False
    gates: bool = False
    low_ranks: list[ir.Node] = field(default_factory=list)

    @property
    def makes_logits(self) -> bool:
        """Whether this is the model's last linear."""
        return self.end.name == "logits" and self.end.is_graph_output() and self.activation == NONE

    @property
    def epilogue(self) -> str:
        if self.gates:
            return "gate"
        if self.residual is not None:
            return "residual"
        if self.makes_logits or self.routes:
            return "logits"
        return "store" if self.bias is None else "bias"

    @property
    def constants(self) -> dict[str, float]:
        """The overrides of all epilogues."""
        has_bias = int(self.bias is not None)
        return {"alpha": self.alpha, "activation": self.activation, "has_bias": has_bias, "cap": self.cap}


def lower_linear(walk: Walk, node: ir.Node) -> None:
    """FusedMatMul(x, W, transB=1) and MatMulNBits: GEMM over many tokens, GEMV over one."""
    matrix = _matrix(walk, node)
    norm = walk.postponed(node.inputs[0])
    x = norm.x if norm is not None else walk.dense(node.inputs[0], node)
    tail = _tail(walk, node, matrix)
    if tail.makes_logits:
        x, out = _logits(walk, x, matrix.rows, node)
    else:
        width = matrix.rows // 2 if tail.gates else matrix.rows
        out = walk.program.scratch(x.rows, width, 4 if tail.routes else None)
    shape = _shape(walk, x, matrix, norm)
    for part in walk.program.store.matrix(matrix):
        constants = {
            "inner": matrix.inner,
            "rows": part.rows,
            "out_stride": matrix.rows,
            "column": part.start,
            "TEAMS": 1,
            "epsilon": norm.epsilon if norm is not None else 0.0,
            **tail.constants,
        }
        bindings = _bindings(walk, part, tail, node)
        if norm is not None:
            bindings["norm"] = norm.weight
        kernel = f"{shape}_{matrix.fmt.name}_{tail.epilogue}"
        rows = x.rows if isinstance(x.rows, str) else "tokens"
        walk.program.dispatch(
            kernel,
            {"x": x, "out": out, **bindings},
            constants,
            str(node.name),
            rows,
            _ways(shape, matrix, tail.epilogue),
            _few(shape, matrix, tail.epilogue),
        )
    add_low_ranks(walk, tail.low_ranks, out, tail.alpha)
    walk.define(tail.end, out, node, *tail.nodes)


def _shape(walk: Walk, x: View, matrix: StoredMatrix, norm: Norm | None) -> str:
    """The kernels to multiply with: GEMV over few rows reads whole blocks where the length has only such."""
    if x.rows == "tokens":
        return "gemm"
    if matrix.inner % _BLOCK:
        return "gemv_ragged"
    if norm is None:
        return "gemv"
    return "gemv_norm" if x.elem_bytes == walk.program.tier.elem_bytes else "gemv_norm_f32"


def takes_norm(
    walk: Walk, value: ir.Value, width: int, epilogues: Sequence[str] = ("store", "bias", "residual", "gate")
) -> bool:
    """Whether the only reader of `value`, an RMSNorm of `width`, is a linear that works it out on the way.

    So it is for one token, except before the head: each of its many workgroups would work out the same again. An
    adapter's first product reads the same, and has few rows to work it out for.
    """
    node = _main_reader(value)
    if walk.mode != "decode" or width % _BLOCK or node is None or node.op_type not in _LINEARS:
        return False
    return node.inputs[0] is value and _tail(walk, node, _matrix(walk, node)).epilogue in epilogues


def _main_reader(value: ir.Value) -> ir.Node | None:
    """The node that reads `value`, if there is only one beside an adapter's."""
    usages = list(value.uses())
    readers = [usage.node for usage in usages if len(usages) == 1 or not is_first_product(usage.node)]
    return readers[0] if len(readers) == 1 and not value.is_graph_output() else None


def _logits(walk: Walk, x: View, vocabulary: int, node: ir.Node) -> tuple[View, View]:
    """Generation wants the last token's logits only: in prefill they are a phase of their own."""
    program = walk.program
    if walk.mode == "encode":
        return encoder_logits(walk, x, vocabulary, node)
    if walk.mode == "prefill":
        program.begin("head", "prefill", {"tokens": 1})
        last = program.scratch(1, x.width)
        program.dispatch("take_last", {"x": x, "out": last}, {"width": x.width}, str(node.name))
        x = last
    index = program.buffer("logits", "output", vocabulary * 4)
    return x, View(index, 1, vocabulary, vocabulary, 0, 4)


def _bindings(walk: Walk, part: RowSlice, tail: Tail, node: ir.Node) -> dict[str, Target | View]:
    program = walk.program
    bound: dict[str, Target | View] = {**program.bound(part)}
    bound["bias"] = bound["weight"]
    if tail.bias is not None:
        whole = program.weight(walk.weight(tail.bias, node))
        bound["bias"] = Target(whole.buffer, whole.offset + part.start * 4, part.rows * 4)
    if tail.residual is not None:
        bound["residual"] = tail.residual
    return bound


def _matrix(walk: Walk, node: ir.Node) -> StoredMatrix:
    weight = stored_value(node.inputs[1])
    if weight is None:
        raise walk.refuse(node, "the second input must be a weight")
    if node.op_type == "MatMulNBits":
        rows, inner = (integer(node, key, 0) for key in ("N", "K"))
        return _blocks(walk, node, StoredMatrix(_block_format(walk, node), rows, inner, weight))
    if not integer(node, "transB", 0) or integer(node, "transA", 0) or len(weight_shape(weight)) != 2:
        raise walk.refuse(node, "only x @ W.T with W of two axes")
    rows, inner = weight_shape(weight)
    return StoredMatrix(weight_format(weight), rows, inner, weight)


def _block_format(walk: Walk, node: ir.Node) -> Format:
    """The format of blocks with scales at input 2 and, where there are some, zero points at input 3."""
    zeros = "z" if len(node.inputs) > 3 and node.inputs[3] is not None else ""
    fmt = FORMATS.get(f"q{integer(node, 'bits', 4)}{zeros}")
    if fmt is None or integer(node, "block_size", 0) != fmt.block:
        raise walk.refuse(node, "only 2, 4 or 8 bits in blocks of 32")
    return fmt


def _blocks(walk: Walk, node: ir.Node, matrix: StoredMatrix) -> StoredMatrix:
    scales = stored_value(node.inputs[2])
    zeros = stored_value(node.inputs[3]) if matrix.fmt.zeros else None
    if scales is None or (matrix.fmt.zeros and zeros is None):
        raise walk.refuse(node, "scales and zero points must be weights")
    return replace(matrix, scales=scales, zeros=zeros)


def _tail(walk: Walk, node: ir.Node, matrix: StoredMatrix) -> Tail:
    tail = Tail(node.outputs[0], [])
    tail.low_ranks = low_ranks_after(walk, tail.end)
    if tail.low_ranks:
        tail.nodes += tail.low_ranks
        tail.end = tail.low_ranks[-1].outputs[0]
    elif _fuse_gate(walk, tail, matrix):
        return tail
    mul = walk.follower(tail.end, "Mul")
    factor = scalar_factor(mul) if mul is not None else None
    if mul is not None and factor is not None:
        tail.alpha, tail.end = factor, mul.outputs[0]
        tail.nodes.append(mul)
    add = walk.follower(tail.end, "Add")
    other = other_input(add, tail.end) if add is not None else None
    if add is not None and other is not None and other.is_initializer():
        tail.bias, tail.end = other, add.outputs[0]
        tail.nodes.append(add)
        if not tail.low_ranks:
            _fuse_activation(walk, tail)
    if tail.activation == NONE:
        _fuse_residual(walk, tail)
        if not tail.low_ranks:
            _fuse_cap(walk, tail)
        tail.routes = tail.residual is None and feeds_router(walk, tail.end)
    return tail


def _fuse_gate(walk: Walk, tail: Tail, matrix: StoredMatrix) -> bool:
    """A gate is fused for one token, where both halves of its rows are bound as one."""
    gate = walk.only_user(tail.end)
    code = None if gate is None else gate_code(gate)
    whole = matrix.inner % _BLOCK == 0 and len(walk.program.store.matrix(matrix)) == 1
    if walk.mode != "decode" or gate is None or code is None or not whole:
        return False
    tail.gates, tail.activation, tail.end = True, code, gate.outputs[0]
    tail.nodes.append(gate)
    return True


def _fuse_residual(walk: Walk, tail: Tail) -> None:
    add = walk.follower(tail.end, "Add")
    other = other_input(add, tail.end) if add is not None else None
    if add is not None and walk.known(other) and walk.view(other).contiguous:
        tail.residual, tail.end = walk.view(other), add.outputs[0]
        tail.nodes.append(add)


def _fuse_activation(walk: Walk, tail: Tail) -> None:
    follower = walk.only_user(tail.end)
    code = None if follower is None else activation_code(follower)
    if follower is not None and code is not None:
        tail.activation, tail.end = code, follower.outputs[0]
        tail.nodes.append(follower)


def _fuse_cap(walk: Walk, tail: Tail) -> None:
    """A soft cap is fused where it makes the logits; no other linear has one."""
    cap = walk.follower(tail.end, "SoftCap")
    if cap is not None and cap.outputs[0].is_graph_output() and tail.residual is None:
        tail.cap, tail.end = number(cap, "cap", 0.0), cap.outputs[0]
        tail.nodes.append(cap)


def lower_gather(walk: Walk, node: ir.Node) -> None:
    """Embedding rows of input_ids or position_ids, with a scalar factor or a sum of two tables fused in.

    Of an activation it is the first token of each sequence.
    """
    if walk.known(node.inputs[0]):
        return lower_first_token(walk, node)
    program = walk.program
    source = {"input_ids": "ids", "position_ids": "positions"}.get(value_name(node.inputs[1]))
    if source is None:
        raise walk.refuse(node, "only rows of input_ids or position_ids")
    matrix = _table(walk, node)
    counted = source == "positions" and walk.mode != "encode"
    if counted and matrix.fmt.block:
        raise walk.refuse(node, "a table of positions in blocks")
    end, nodes = node.outputs[0], [node]
    cast = walk.follower(end, "Cast")
    if cast is not None:
        end = cast.outputs[0]
        nodes.append(cast)
    scale, end = _gather_scale(walk, end, nodes)
    out, accumulate, end = _gather_sum(walk, end, nodes, matrix.inner)
    for part in program.store.matrix(matrix):
        bindings: dict[str, Target | View] = {"out": out, **program.bound(part)}
        if not counted:
            bindings["ids"] = program.named(source)
        constants = {
            "width": matrix.inner,
            "rows": part.rows,
            "row_start": part.start,
            "scale": scale,
            "accumulate": accumulate,
        }
        kernel = "gather_positions" if counted else "gather"
        program.dispatch(f"{kernel}_{matrix.fmt.name}", bindings, constants, str(node.name))
    walk.define(end, out, *nodes)


def _gather_scale(walk: Walk, end: ir.Value, nodes: list[ir.Node]) -> tuple[float, ir.Value]:
    mul = walk.follower(end, "Mul")
    factor = scalar_factor(mul) if mul is not None else None
    if mul is None or factor is None:
        return 1.0, end
    nodes.append(mul)
    return factor, mul.outputs[0]


def _gather_sum(walk: Walk, end: ir.Value, nodes: list[ir.Node], width: int) -> tuple[View, int, ir.Value]:
    add = walk.follower(end, "Add")
    other = other_input(add, end) if add is not None else None
    if add is not None and other is not None and walk.known(other) and walk.follower(other, "Add") is add:
        nodes.append(add)
        return walk.view(other), 1, add.outputs[0]
    return walk.program.scratch(walk.program.rows("tokens"), width), 0, end


def _table(walk: Walk, node: ir.Node) -> StoredMatrix:
    weight = node.inputs[0]
    if weight is None or not weight.is_initializer():
        raise walk.refuse(node, "the table must be a weight")
    rows, inner = weight_shape(weight)
    if node.op_type == "Gather":
        return StoredMatrix(weight_format(weight), rows, inner, weight)
    fmt = _block_format(walk, node)
    return _blocks(walk, node, StoredMatrix(fmt, rows, inner * 8 // fmt.bits, weight))
