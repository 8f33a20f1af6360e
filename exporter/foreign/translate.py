"""From a foreign graph to one of ours, with the proof that both compute the same."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.components import EncoderFrame, GraphBuilder, causal_frame, encoder_frame, positions
from exporter.errors import GraphError
from exporter.foreign.graph_reading import check_size
from exporter.foreign.heads import HEAD_HANDLERS
from exporter.foreign.rotary_tables import find_rotary
from exporter.foreign.rows import ROW_HANDLERS
from exporter.foreign.running import Player, all_values, is_cache, probe_feeds
from exporter.foreign.translation import Array, Probe, Translation
from exporter.models import Built, Labels, text_labels, token_labels
from exporter.ops import DOMAIN

_HANDLERS = {**ROW_HANDLERS, **HEAD_HANDLERS}
_USUAL_CONTEXT = {True: 2048, False: 512}
_TOLERANCE = 1e-3


class _NoWeights:
    """A foreign graph brings its own weights."""

    tensors: Mapping[str, object] = {}

    def require(self, name: str, shape: tuple[int, ...]) -> object:
        raise KeyError(name)

    def read(self, name: str) -> Array:
        raise KeyError(name)

    def read_rows(self, name: str, start: int, stop: int) -> Array:
        raise KeyError(name)


def translate(
    model: ir.Model, config: Mapping[str, Any], context: int | None, task: str | None
) -> tuple[Built, str]:
    """The graph in our vocabulary, and its task: `task`, or what inputs and outputs tell.

    `config` is the checkpoint's config.json, or empty: it limits the context and names labels.
    Raises GraphError naming the node that is not understood, or the output that came out otherwise.
    """
    check_size(model)
    generates = any(is_cache(value) for value in model.graph.inputs)
    probe = Probe(past=Probe.past if generates else 0)
    values = all_values(model, probe_feeds(model, probe, probe.past))
    g = GraphBuilder("foreign", _NoWeights())
    length = _context(config, context, generates)
    t = _translation(model, values, probe, g, length)
    t.run(_HANDLERS)
    found = task or _task(t, generates)
    labels = _finish(t, found, config)
    built = Built(
        g.finish(),
        min(length, t.positions_limit),
        _vocabulary(t),
        _width(t) if found == "sentence-embedding" else None,
        labels,
        notes=("the graph was told again in our operators, and gave the same outputs",),
    )
    _prove(model, built.model, found)
    return built, found


def _translation(
    model: ir.Model, values: Mapping[str, Array], probe: Probe, g: GraphBuilder, length: int
) -> Translation:
    if not probe.past:
        frame = encoder_frame(g)
        return Translation(model, values, probe, g, frame, lambda: frame.positions)
    blank = Translation(model, values, probe, g, None, lambda: None)  # type: ignore[arg-type, return-value]
    causal = causal_frame(g, find_rotary(blank), length)
    return Translation(model, values, probe, g, causal, lambda: positions(g, causal))


def _context(config: Mapping[str, Any], asked: int | None, generates: bool) -> int:
    """The longest text: what the configuration allows, and no more than a sliding window, which masks hide."""
    keys = ["max_position_embeddings", "n_positions"]
    if config.get("use_sliding_window", True):
        keys.append("sliding_window")
    limits = [config[key] for key in keys if type(config.get(key)) is int and config[key] > 1]
    longest = min(limits, default=_USUAL_CONTEXT[generates])
    usual = 4096 if generates else longest
    return min(asked or usual, longest)


def _task(t: Translation, generates: bool) -> str:
    if generates:
        return "text-generation"
    name, value = _result(t)
    if name != "logits":
        return "sentence-embedding"
    if value.ndim == 2:
        return "text-classification"
    return "fill-mask" if value.shape[-1] == _vocabulary(t) else "token-classification"


def _result(t: Translation) -> tuple[str, Array]:
    """The output that counts, by name, and its value on the probe."""
    outputs = [str(value.name) for value in t.model.graph.outputs if t.of(value).ndim < 4]
    if not outputs:
        raise GraphError(
            "the graph has no output but caches", "the graph's outputs", "This is no language model."
        )
    name = "logits" if "logits" in outputs else outputs[0]
    return name, t.values[name]


def _vocabulary(t: Translation) -> int:
    tables = [
        t.of(node.inputs[0]).shape[0]
        for node in t.model.graph
        if node.op_type == "Gather"
        and node.inputs[0] is not None
        and node.inputs[0].is_initializer()
        and t.of(node.inputs[0]).ndim == 2
        and t.of(node.inputs[1]).size == t.probe.batch * t.probe.tokens
        and np.array_equal(np.ravel(t.of(node.inputs[1])), np.ravel(t.values["input_ids"]))
    ]
    if not tables:
        raise GraphError("no table is read by input_ids", "the graph", "This is no language model.")
    return int(tables[0])


def _width(t: Translation) -> int:
    return int(_result(t)[1].shape[-1])


def _finish(t: Translation, task: str, config: Mapping[str, Any]) -> Any:
    name, value = _result(t)
    output = next(each for each in t.model.graph.outputs if each.name == name)
    source = t.streams[output].source if output in t.streams else None
    if source is None:
        raise GraphError(f"the output {name} is nothing that was understood", "the graph's outputs", "")
    made = source.value()
    if task == "sentence-embedding":
        assert isinstance(t.frame, EncoderFrame)
        pooled = t.g.op("MeanPool", made, t.frame.mask, domain=DOMAIN)
        made = t.g.op("LpNormalization", pooled, axis=-1, p=2)
        t.g.output(made, "sentence_embedding", ir.DataType.FLOAT, ["batch", value.shape[-1]])
        return None
    shape: list[int | str] = (
        ["batch", "tokens", value.shape[-1]] if value.ndim == 3 else ["batch", value.shape[-1]]
    )
    t.g.output(made, "logits", ir.DataType.FLOAT, shape)
    return _labels(task, int(value.shape[-1]), config)


def _labels(task: str, outputs: int, config: Mapping[str, Any]) -> Labels | None:
    """The labels of a classifier of so many outputs; raises GraphError if the configuration names others."""
    readers = {"text-classification": text_labels, "token-classification": token_labels}
    if task not in readers:
        return None
    labels = readers[task]({"num_labels": outputs, **config})
    if len(labels.names) != outputs:
        raise GraphError(
            f"the graph gives {outputs} values, and config.json names {len(labels.names)} labels",
            "config.json",
            "Name as many in id2label.",
        )
    return labels


def _prove(foreign: ir.Model, ours: ir.Model, task: str) -> None:
    """Raises GraphError unless both graphs give the same for texts of several lengths, padded, whole and in pieces."""
    theirs, mine = Player(foreign), Player(ours)
    random = np.random.default_rng(7)
    pieces = (9, 1, 4) if task == "text-generation" else (12,)
    lengths = np.array([sum(pieces)]) if task == "text-generation" else np.array([12, 5, 1, 9])
    so_far = 0
    for count in pieces:
        so_far += count
        ids = random.integers(4, 100, (len(lengths), count))
        mask = (np.arange(so_far)[None] < np.maximum(lengths, 1)[:, None]).astype(np.int64)
        a, b = theirs.run(ids, mask), mine.run(ids, mask)
        _compare(a[0], b[0], mask[:, so_far - count :], task)


def _compare(theirs: Array, ours: Array, mask: Array, task: str) -> None:
    if task == "sentence-embedding":
        summed = (theirs * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        theirs = summed / np.maximum(np.linalg.norm(summed, axis=-1, keepdims=True), 1e-12)
    elif theirs.ndim == 3:
        theirs, ours = theirs[mask != 0], ours[mask != 0]
    if theirs.shape != ours.shape:
        raise GraphError(
            f"the output has shape {list(ours.shape)}", "the proof", f"It should be {list(theirs.shape)}."
        )
    error = float(np.abs(theirs - ours).max() / max(1.0, float(np.abs(theirs).max())))
    if not error <= _TOLERANCE:
        raise GraphError(
            f"the translated graph differs by {error:.3g} from the foreign one",
            "the proof in onnxruntime",
            "Something in its masks or positions is not understood: it needs a builder of its own.",
        )
