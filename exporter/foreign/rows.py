"""Handlers of what treats tokens alone: embeddings, linears, norms, sums and elementwise functions."""

from collections.abc import Callable, Mapping

import numpy as np
import onnx_ir as ir

from exporter.foreign.heads import multiply_heads
from exporter.foreign.sources import Embeddings, Function, Linear, Made, Part, Scores, Source, Stream, product
from exporter.foreign.translation import Array, Handler, Translation, input_of, integer, number
from exporter.ops import DOMAIN


def gather(t: Translation, node: ir.Node) -> None:
    """Rows of a table, or the first token of each sequence."""
    table, index = t.constant(node.inputs[0]), node.inputs[1]
    if table is None:
        _first_token(t, node)
        return
    if integer(node, "axis", 0) != 0 or not t.is_frame(index):
        raise t.refuse(node, "only rows of a table by ids or positions")
    made = Embeddings(t.g, t.frame.ids, t.positions)
    made.width = table.shape[1]
    rows, asked = np.asarray(table, np.float32), _by_token(t, node, t.of(index))
    name = str(node.inputs[0].name if node.inputs[0] is not None else "")
    first = int(asked[0, 0])
    if np.array_equal(asked, t.values["input_ids"]):
        made.words = (name, rows)
    elif (asked == first).all():
        made.constant = rows[first]
    elif (asked == first + np.arange(t.probe.tokens)).all():
        made.places = (name, rows[first - _past(t) :])
        t.positions_limit = min(t.positions_limit, len(made.places[1]))
    else:
        raise t.refuse(node, "a table is read by something that is neither id nor position")
    t.define(node.outputs[0], Stream(made))


def _by_token(t: Translation, node: ir.Node, index: Array) -> Array:
    """An index for each token of the probe: (batch, tokens)."""
    try:
        return np.broadcast_to(index, (t.probe.batch, t.probe.tokens))
    except ValueError:
        raise t.refuse(node, f"a table is read by an index of shape {list(index.shape)}") from None


def _past(t: Translation) -> int:
    return t.probe.past if any(t.is_cache(value) for value in t.model.graph.inputs) else 0


def _first_token(t: Translation, node: ir.Node) -> None:
    x = t.stream(node.inputs[0], node)
    if integer(node, "axis", 0) != 1 or t.scalar(node.inputs[1]) != 0 or x.axes != "btw":
        raise t.refuse(node, "only the first token of an activation")
    first = t.g.op("Gather", x.source.value(), t.g.constant("first", np.array(0, np.int64)), axis=1)
    t.define(node.outputs[0], Stream(Made(first, x.source.width), "bw"))


def mat_mul(t: Translation, node: ir.Node) -> None:
    """An activation times a constant; or queries times keys, or weights times values."""
    weight = t.constant(node.inputs[1])
    if weight is not None and weight.ndim == 2:
        _linear(t, node, weight, transposed=False)
        return
    multiply_heads(t, node)


def gemm(t: Translation, node: ir.Node) -> None:
    """alpha * x @ W + beta * bias."""
    weight = t.constant(node.inputs[1])
    if weight is None or integer(node, "transA", 0) or number(node, "alpha", 1.0) != 1.0:
        raise t.refuse(node, "only x @ W + bias with a constant W")
    made = _linear(t, node, weight, transposed=bool(integer(node, "transB", 0)))
    bias = t.constant(input_of(node, 2))
    if bias is not None:
        made.add_bias(number(node, "beta", 1.0) * bias)


def _linear(t: Translation, node: ir.Node, weight: Array, *, transposed: bool) -> Linear:
    x = t.stream(node.inputs[0], node)
    rows = weight if transposed else weight.T

    def read(start: int, stop: int) -> Array:
        return np.ascontiguousarray(rows[start:stop], np.float32)

    name = _weight_name(node.inputs[1], transposed)
    made = Linear(t.g, t.dense(node.inputs[0], node), name, read, rows.shape[0])
    t.define(node.outputs[0], Stream(made, x.axes))
    return made


def _weight_name(value: ir.Value | None, transposed: bool) -> str:
    """The name of the constant whose rows these are, so that a head that is an embedding's table is stored once."""
    producer = value.producer() if value is not None else None
    if producer is not None and producer.op_type == "Transpose" and not transposed:
        return _weight_name(producer.inputs[0], True)
    name = "" if value is None else str(value.name)
    return name if transposed else f"{name}.T"


def add(t: Translation, node: ir.Node) -> None:
    """A bias, a residual, a sum of embeddings, a mask on scores, or part of an elementwise function."""
    for this, other in ((0, 1), (1, 0)):
        value, more = node.inputs[this], node.inputs[other]
        if value in t.scores and t.is_frame(more):
            t.scores[node.outputs[0]] = t.scores[value]
            return
        shift = t.scalar(more)
        if value in t.streams and shift is not None and not _is_row(t, more, value):
            t.function(node, t.streams[value], _bound(np.add, shift, False))
            return
        if value in t.streams and t.constant(more) is not None:
            _add_row(t, node, t.streams[value], np.asarray(t.constant(more), np.float32))
            return
    a, b = (t.stream(value, node) for value in node.inputs)
    if _same_root(a.source, b.source):
        _combine(t, node, a, b, np.add)
        return
    t.define(node.outputs[0], a.lies(a.axes, source=_sum(t, a.source, b.source)))


def _is_row(t: Translation, constant: ir.Value | None, value: ir.Value | None) -> bool:
    return value is not None and t.streams[value].source.width == 1 and t.constant(constant) is not None


def _add_row(t: Translation, node: ir.Node, x: Stream, row: Array) -> None:
    """A constant row is a bias of the linear before it, or belongs to the embeddings."""
    source = x.source
    if row.size != source.width:
        raise t.refuse(node, f"a constant of shape {list(row.shape)} is added")
    if isinstance(source, Linear):
        source.add_bias(row)
    elif isinstance(source, Part):
        source.whole.add_bias(row, source.start)
    elif isinstance(source, Embeddings):
        more = Embeddings(t.g, t.frame.ids, t.positions)
        more.width, more.constant = source.width, row.reshape(-1)
        source = source.plus(more)
    else:
        raise t.refuse(node, "a constant is added to what is neither a linear nor an embedding")
    t.define(node.outputs[0], x.lies(x.axes, source=source))


def _sum(t: Translation, a: Source, b: Source) -> Source:
    if isinstance(a, Embeddings) and isinstance(b, Embeddings) and not (a.is_made or b.is_made):
        return a.plus(b)
    return Made(t.g.op("Add", a.value(), b.value(), name="residual"), a.width)


def _root(source: Source) -> Source:
    return source.base if isinstance(source, Function) else source


def _same_root(a: Source, b: Source) -> bool:
    return _root(a) is _root(b) and (isinstance(a, Function) or isinstance(b, Function))


def _combine(t: Translation, node: ir.Node, a: Stream, b: Stream, f: Callable[[Array, Array], Array]) -> None:
    """Two functions of one source are a function of it."""

    def of(source: Source) -> Callable[[Array], Array]:
        return source.f if isinstance(source, Function) else lambda x: x

    first, second = of(a.source), of(b.source)
    made = Function(t.g, _root(a.source), lambda x: f(first(x), second(x)), str(node.name))
    t.define(node.outputs[0], a.lies(a.axes, source=made))


def _binary(f: Callable[[Array, Array], Array]) -> Handler:
    def handle(t: Translation, node: ir.Node) -> None:
        left, right = node.inputs[:2]
        for value, other, flipped in ((left, right, False), (right, left, True)):
            factor = t.scalar(other)
            if factor is None or value is None:
                continue
            if value in t.scores:
                old = t.scores[value]
                scale = float(f(np.array(old.scale), np.array(factor)))
                t.scores[node.outputs[0]] = Scores(old.query, old.key, scale)
                return
            if value in t.streams:
                number_ = factor
                t.function(node, t.streams[value], _bound(f, number_, flipped))
                return
        a, b = (t.stream(value, node) for value in (left, right))
        if _same_root(a.source, b.source):
            _combine(t, node, a, b, f)
        elif f is np.multiply:
            t.define(node.outputs[0], a.lies(a.axes, source=product(t.g, a.source, b.source)))
        else:
            raise t.refuse(node, "only with a number, or of two functions of one value")

    return handle


def _bound(f: Callable[[Array, Array], Array], factor: float, flipped: bool) -> Callable[[Array], Array]:
    constant = np.array(factor)
    return (lambda x: f(constant, x)) if flipped else (lambda x: f(x, constant))


def _unary(f: Callable[[Array], Array]) -> Handler:
    def handle(t: Translation, node: ir.Node) -> None:
        t.function(node, t.stream(node.inputs[0], node), f)

    return handle


def _erf(x: Array) -> Array:
    from math import erf

    return np.array([erf(v) for v in np.ravel(x)]).reshape(np.shape(x))


def _sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(x, np.float64))))


def _gelu(x: Array) -> Array:
    return np.asarray(0.5 * x * (1 + _erf(np.asarray(x) / np.sqrt(2.0))))


def _gelu_tanh(x: Array) -> Array:
    return np.asarray(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))


def gelu(t: Translation, node: ir.Node) -> None:
    """Gelu and the forms with a bias: BiasGelu, FastGelu."""
    approximate = node.attributes.get("approximate")
    by_tanh = node.op_type == "FastGelu" or (approximate is not None and approximate.as_string() == "tanh")
    x = t.stream(node.inputs[0], node)
    bias = t.constant(input_of(node, 1))
    if bias is not None:
        _add_row(t, node, x, np.asarray(bias, np.float32))
        x = t.streams[node.outputs[0]]
    t.function(node, x, _gelu_tanh if by_tanh else _gelu)


def layer_norm(t: Translation, node: ir.Node) -> None:
    """LayerNormalization, and SkipLayerNormalization with the sum before it."""
    skips = node.op_type.startswith("Skip")
    x = _skip(t, node, bias=4) if skips else t.stream(node.inputs[0], node)
    weight, bias = (_row(t, node, index + skips) for index in (1, 2))
    if weight is None:
        raise t.refuse(node, "it has no weight")
    inputs = [x.source.value(), weight, *([bias] if bias is not None else [])]
    made = t.g.op("LayerNormalization", *inputs, axis=-1, epsilon=number(node, "epsilon", 1e-5))
    t.made(node.outputs[0], made, x)


def rms_norm(t: Translation, node: ir.Node) -> None:
    """SimplifiedLayerNormalization and RMSNormalization, by head where the activation lies in heads."""
    skips = node.op_type.startswith("Skip")
    x = _skip(t, node, bias=3) if skips else t.stream(node.inputs[0], node)
    weight = _row(t, node, 1 + skips)
    epsilon = number(node, "epsilon", 1e-5)
    if weight is None:
        raise t.refuse(node, "it has no weight")
    if x.axes in ("bthd", "bhtd"):
        made = t.g.op(
            "HeadRMSNorm", x.source.value(), weight, domain=DOMAIN, num_heads=x.heads, epsilon=epsilon
        )
        t.define(node.outputs[0], x.lies(x.axes, source=Made(made, x.source.width)))
        return
    t.made(node.outputs[0], t.g.op("RMSNorm", x.source.value(), weight, domain=DOMAIN, epsilon=epsilon), x)


def _row(t: Translation, node: ir.Node, index: int) -> ir.Value | None:
    """A constant row of `node` as an initializer of ours."""
    row = t.constant(input_of(node, index))
    if row is None:
        return None
    stored = np.asarray(row, np.float32).reshape(-1)
    t.norms += 1
    return t.g.derived(f"norm.{t.norms}.{index}", stored.shape, lambda: stored)


def _skip(t: Translation, node: ir.Node, bias: int) -> Stream:
    """The sum that a norm is taken of; it is the node's fourth output, too."""
    a, b = (t.stream(value, node) for value in node.inputs[:2])
    row = t.constant(input_of(node, bias))
    if row is not None:
        linear = next(
            (s.source for s in (a, b) if isinstance(s.source, Linear) and not s.source.is_made), None
        )
        if linear is None:
            raise t.refuse(node, "a bias, and no linear before it")
        linear.add_bias(np.asarray(row, np.float32))
    summed = a.lies(a.axes, source=_sum(t, a.source, b.source))
    if len(node.outputs) > 3:
        t.define(node.outputs[3], summed)
    return summed


ROW_HANDLERS: Mapping[str, Handler] = {
    "Add": add,
    "BiasGelu": gelu,
    "Div": _binary(np.divide),
    "Erf": _unary(_erf),
    "FastGelu": gelu,
    "Gather": gather,
    "Gelu": gelu,
    "Gemm": gemm,
    "LayerNormalization": layer_norm,
    "MatMul": mat_mul,
    "Mul": _binary(np.multiply),
    "Neg": _unary(np.negative),
    "Pow": _binary(np.power),
    "RMSNormalization": rms_norm,
    "Relu": _unary(lambda x: np.maximum(x, 0)),
    "Sigmoid": _unary(_sigmoid),
    "SimplifiedLayerNormalization": rms_norm,
    "SkipLayerNormalization": layer_norm,
    "SkipSimplifiedLayerNormalization": rms_norm,
    "Sub": _binary(np.subtract),
    "Tanh": _unary(np.tanh),
}
