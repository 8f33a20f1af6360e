"""Handlers of what reshapes activations into heads and back, and of attention in its spellings."""

from collections.abc import Mapping
from dataclasses import replace

import onnx_ir as ir

from exporter.components import MICROSOFT, AttentionShape, CausalFrame, EncoderFrame, causal_attention
from exporter.components import split as cut
from exporter.foreign.sources import Linear, Made, Part, Scores, Stream
from exporter.foreign.translation import Handler, Translation, input_of, integer, number

_TRANSPOSED = {("bthd", (0, 2, 1, 3)), ("bhtd", (0, 2, 1, 3)), ("bhtd", (0, 1, 3, 2)), ("bthd", (0, 2, 3, 1))}


def split(t: Translation, node: ir.Node) -> None:
    """Cuts of the last axis; those of a linear may get biases of their own."""
    x = t.stream(node.inputs[0], node)
    rank = t.of(node.inputs[0]).ndim
    if integer(node, "axis", 0) not in (-1, rank - 1) or x.axes not in ("btw", "nw"):
        raise t.refuse(node, "only the last axis of rows")
    widths = [int(t.of(output).shape[-1]) for output in node.outputs]
    source = x.source
    if not isinstance(source, Linear) or (source.widths and list(source.widths) != widths):
        pieces = cut(t.g, source.value(), widths)
        for output, piece, width in zip(node.outputs, pieces, widths, strict=True):
            t.define(output, x.lies(x.axes, source=Made(piece, width)))
        return
    source.widths = widths
    for index, output in enumerate(node.outputs):
        t.define(output, x.lies(x.axes, source=Part(source, index)))


def reshape(t: Translation, node: ir.Node) -> None:
    """Rows into heads, heads into rows, batches into one run of tokens, and all back."""
    value = node.inputs[0]
    if value in t.scores:
        raise t.refuse(node, "scores are reshaped")
    x, shape = t.stream(value, node), t.of(node.outputs[0]).shape
    lies = _reshaped(t, x, shape)
    if lies is None:
        raise t.refuse(node, f"what lies as {x.axes} becomes {list(shape)} on the probe")
    t.define(node.outputs[0], lies)


def _reshaped(t: Translation, x: Stream, shape: tuple[int, ...]) -> Stream | None:
    b, width = t.probe.batch, x.source.width
    rows = t.probe.total if x.cache else t.probe.tokens
    wide = width * x.repeat
    if x.axes == "bw":
        return x if shape == (b, width) else None
    if x.axes == "bhrtd":
        heads = x.heads * x.repeat
        return x.lies("bhtd") if shape == (b, heads, rows, width // x.heads) else None
    if x.axes not in ("btw", "nw", "bthd"):
        return None
    if shape == (b, rows, wide):
        return x.lies("btw")
    if shape == (b * rows, wide):
        return x.lies("nw")
    if len(shape) == 4 and shape[:2] == (b, rows) and shape[2] * shape[3] == wide:
        return x.lies("bthd", heads=shape[2] // x.repeat)
    return None


def transpose(t: Translation, node: ir.Node) -> None:
    """Tokens and heads change places."""
    x = t.stream(node.inputs[0], node)
    order = tuple(node.attributes["perm"].as_ints())
    if (x.axes, order) not in _TRANSPOSED:
        raise t.refuse(node, f"what lies as {x.axes} is transposed by {list(order)}")
    t.define(node.outputs[0], x.lies("".join(x.axes[i] for i in order)))


def unsqueeze(t: Translation, node: ir.Node) -> None:
    """An axis for repeated heads."""
    x, shape = t.stream(node.inputs[0], node), t.of(node.outputs[0]).shape
    if x.axes != "bhtd" or len(shape) != 5 or shape[2] != 1:
        raise t.refuse(node, "only an axis behind the heads")
    t.define(node.outputs[0], x.lies("bh1td"))


def expand(t: Translation, node: ir.Node) -> None:
    """Heads of keys and values, repeated for the queries that share them."""
    x, shape = t.stream(node.inputs[0], node), t.of(node.outputs[0]).shape
    if x.axes != "bh1td":
        raise t.refuse(node, "only heads are repeated")
    t.define(node.outputs[0], x.lies("bhrtd", repeat=int(shape[2])))


def concat(t: Translation, node: ir.Node) -> None:
    """The cache and what is new."""
    old, new = (node.inputs[0], input_of(node, 1)) if len(node.inputs) == 2 else (None, None)
    x = t.stream(new, node)
    if old is None or not t.is_cache(old) or x.axes != "bhtd":
        raise t.refuse(node, "only a cache and the new keys or values")
    t.define(node.outputs[0], x.lies("bhtd", cache=str(old.name)))


def where(t: Translation, node: ir.Node) -> None:
    """What a mask leaves of scores, or of rows that see nothing: the proof shows whether masks are what ours are."""
    for index in (1, 2):
        value = node.inputs[index]
        if value in t.scores and t.is_frame(node.inputs[0]):
            t.scores[node.outputs[0]] = t.scores[value]
            return
        if value in t.streams and t.is_frame(node.inputs[0]):
            t.define(node.outputs[0], t.streams[value])
            return
    raise t.refuse(node, "only a mask on scores or on attention")


def same(t: Translation, node: ir.Node) -> None:
    """Identity, Dropout, and casts among floats."""
    value = node.inputs[0]
    if value in t.scores:
        t.scores[node.outputs[0]] = t.scores[value]
    else:
        t.define(node.outputs[0], t.stream(value, node))


def rotary_embedding(t: Translation, node: ir.Node) -> None:
    """Queries or keys turned by the tables of the frame."""
    x = t.stream(node.inputs[0], node)
    if integer(node, "interleaved", 0) or not isinstance(t.frame, CausalFrame):
        raise t.refuse(node, "only half-split, in a text generator")
    t.define(node.outputs[0], x.lies(x.axes, turned=True))


def softmax(t: Translation, node: ir.Node) -> None:
    """Scores to weights."""
    value = node.inputs[0]
    if value not in t.scores or integer(node, "axis", -1) not in (-1, 3):
        raise t.refuse(node, "only over the keys of attention")
    t.scores[node.outputs[0]] = replace(t.scores[value], normalized=True)


def multiply_heads(t: Translation, node: ir.Node) -> None:
    """Queries times keys, or weights times values."""
    a, b = node.inputs[:2]
    if a in t.scores and t.scores[a].normalized:
        scores, v = t.scores[a], t.stream(b, node)
        if v.axes != "bhtd":
            raise t.refuse(node, f"values lie as {v.axes}")
        _attend(t, node, scores.query, scores.key, v, scores.scale, "bhtd")
        return
    q, k = t.stream(a, node), t.stream(b, node)
    if (q.axes, k.axes) != ("bhtd", "bhdt"):
        raise t.refuse(node, f"what lies as {q.axes} times what lies as {k.axes}")
    t.scores[node.outputs[0]] = Scores(q, k, 1.0, where=str(node.name))


def multi_head_attention(t: Translation, node: ir.Node) -> None:
    """MultiHeadAttention over rows; the mask is the frame's own."""
    q, k, v = (t.stream(value, node) for value in node.inputs[:3])
    heads = integer(node, "num_heads", 1)
    if any(stream.axes != "btw" for stream in (q, k, v)) or input_of(node, 3) is not None:
        raise t.refuse(node, "only queries, keys and values as rows")
    scale = number(node, "scale", 0.0) or float(q.source.width // heads) ** -0.5
    kv_heads = heads // k.repeat
    q, k, v = q.lies("btw", heads=heads), k.lies("btw", heads=kv_heads), v.lies("btw", heads=kv_heads)
    _attend(t, node, q, k, v, scale, "btw")


def group_query_attention(t: Translation, node: ir.Node) -> None:
    """GroupQueryAttention as other exporters write it, with caches that are inputs of the graph."""
    q, k, v = (t.stream(value, node) for value in node.inputs[:3])
    heads, kv_heads = integer(node, "num_heads", 1), integer(node, "kv_num_heads", 1)
    caches = [value for value in node.inputs[3:5] if value is not None and t.is_cache(value)]
    if len(caches) != 2 or integer(node, "rotary_interleaved", 0):
        raise t.refuse(node, "only with a key and a value cache, and half-split rotary")
    turned = bool(integer(node, "do_rotary", 0))
    scale = number(node, "scale", 0.0) or float(q.source.width // heads) ** -0.5
    q = q.lies("btw", heads=heads, turned=turned)
    k = k.lies("btw", heads=kv_heads, turned=turned, cache=str(caches[0].name))
    v = v.lies("btw", heads=kv_heads, cache=str(caches[1].name))
    window, cap = integer(node, "local_window_size", -1), number(node, "softcap", 0.0)
    _attend(t, node, q, k, v, scale, "btw", window=max(window, 0), softcap=cap)


def _attend(
    t: Translation,
    node: ir.Node,
    q: Stream,
    k: Stream,
    v: Stream,
    scale: float,
    axes: str,
    window: int = 0,
    softcap: float = 0.0,
) -> None:
    width = q.source.width
    if isinstance(t.frame, EncoderFrame):
        y = t.g.op(
            "MultiHeadAttention",
            *(part.source.value() for part in (q, k, v)),
            None,
            t.frame.padding,
            domain=MICROSOFT,
            num_heads=q.heads,
            scale=scale,
        )
        t.define(node.outputs[0], Stream(Made(y, width), axes, heads=q.heads))
        return
    if not k.cache or not v.cache or q.turned != k.turned:
        raise t.refuse(node, "attention of a text generator without a cache, or with half of it turned")
    frame = t.frame if q.turned else replace(t.frame, cos=None, sin=None)
    shape = AttentionShape(
        hidden=width,
        heads=q.heads,
        kv_heads=k.heads,
        head_dim=width // q.heads,
        scale=scale,
        softcap=softcap,
        window=window,
    )
    parts = [part.source.value() for part in (q, k, v)]
    y = causal_attention(t.g, parts, t.layer_of(k.cache), shape, frame)
    t.define(node.outputs[0], Stream(Made(y, width), axes, heads=q.heads))


HEAD_HANDLERS: Mapping[str, Handler] = {
    "Cast": same,
    "Concat": concat,
    "Dropout": same,
    "Expand": expand,
    "GroupQueryAttention": group_query_attention,
    "Identity": same,
    "MultiHeadAttention": multi_head_attention,
    "Reshape": reshape,
    "RotaryEmbedding": rotary_embedding,
    "Softmax": softmax,
    "Split": split,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
    "Where": where,
}
