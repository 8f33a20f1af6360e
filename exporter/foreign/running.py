"""Runs foreign graphs in onnxruntime: once with every value shown, and beside ours for the proof."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort

from exporter.errors import GraphError
from exporter.foreign.translation import Array, Probe

_SMALLEST_ID, _IDS = 4, 96

Feeds = dict[str, Array]


def is_cache(value: ir.Value) -> bool:
    """Whether a graph input or output is a cache of keys or values: (batch, heads, tokens, head_dim)."""
    return value.shape is not None and value.shape.rank() == 4


def probe_feeds(model: ir.Model, probe: Probe, past: int) -> Feeds:
    """Inputs of `model` for the probe's batch and tokens after `past`; raises GraphError for one of unknown meaning."""
    random = np.random.default_rng(20261124)
    ids = random.integers(_SMALLEST_ID, _SMALLEST_ID + _IDS, (probe.batch, probe.tokens))
    mask = np.ones((probe.batch, past + probe.tokens), np.int64)
    return feeds_for(model, ids, mask, {}, past)


def feeds_for(model: ir.Model, ids: Array, mask: Array, caches: Mapping[str, Array], past: int) -> Feeds:
    """Inputs by name for ids (batch, tokens) and mask (batch, past + tokens); absent caches are empty or noise."""
    counted = np.broadcast_to(np.arange(past, past + ids.shape[1]), ids.shape).astype(np.int64)
    known = {
        "input_ids": ids.astype(np.int64),
        "attention_mask": mask.astype(np.int64),
        "position_ids": counted,
        "token_type_ids": np.zeros_like(ids, dtype=np.int64),
        "cache_position": np.arange(past, past + ids.shape[1], dtype=np.int64),
    }
    feeds: Feeds = {}
    for value in model.graph.inputs:
        name = str(value.name)
        if is_cache(value):
            feeds[name] = caches.get(name, _cache(value, len(ids), past))
        elif name in known:
            feeds[name] = known[name].astype(_dtype(value))
        else:
            raise GraphError(
                f"an input {name} of unknown meaning",
                "the graph's inputs",
                f"Understood are {', '.join(known)} and caches of keys and values.",
            )
    return feeds


def _cache(value: ir.Value, batch: int, past: int) -> Array:
    # torch's exporter writes fixed sizes as symbols that are called "4" and "16".
    sizes = [str(dim.value if isinstance(dim, ir.SymbolicDim) else dim) for dim in tuple(value.shape or ())]
    _, heads, _, width = (int(size) if size.isdigit() else 1 for size in sizes)
    return np.random.default_rng(past).standard_normal((batch, heads, past, width)).astype(np.float32)


def _dtype(value: ir.Value) -> np.dtype:
    return np.dtype(np.int64) if value.dtype is None else value.dtype.numpy()


@contextmanager
def _refusals(what: str) -> Iterator[None]:
    """Turns what onnxruntime raises, whose errors have no common base, into GraphError."""
    try:
        yield
    except Exception as problem:
        raise GraphError(
            f"onnxruntime refuses {what}: {problem}", "model.onnx", "Export the model again."
        ) from None


def session(model: onnx.ModelProto, *, plain: bool = False) -> ort.InferenceSession:
    """A session on the CPU; `plain` leaves every node as it is."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if plain:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    with _refusals("the graph"):
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def all_values(model: ir.Model, feeds: Feeds) -> Mapping[str, Array]:
    """Every value of the graph's run on `feeds`, by name."""
    proto = ir.to_proto(model)
    shown = {output.name for output in proto.graph.output}
    names = [name for node in proto.graph.node for name in node.output if name and name not in shown]
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    running = session(proto, plain=True)
    with _refusals("the probe"):
        found = running.run(None, feeds)
    wanted = [output.name for output in running.get_outputs()]
    return {**dict(zip(wanted, found, strict=True)), **feeds}


class Player:
    """One graph in onnxruntime, its caches handed from call to call."""

    def __init__(self, model: ir.Model) -> None:
        self._model, self._session = model, session(ir.to_proto(model))
        self._caches: dict[str, Array] = {}
        self._past = 0

    def run(self, ids: Array, mask: Array) -> list[Array]:
        """The outputs that are no caches, for ids (batch, tokens) and mask (batch, tokens so far)."""
        feeds = feeds_for(self._model, ids, mask, self._caches, self._past)
        with _refusals("an input"):
            found = dict(zip(self._outputs(), self._session.run(None, feeds), strict=True))
        self._past += ids.shape[1]
        past = [str(value.name) for value in self._model.graph.inputs if is_cache(value)]
        present = [str(value.name) for value in self._model.graph.outputs if found[str(value.name)].ndim == 4]
        self._caches = {name: found[new] for name, new in zip(past, present, strict=True)}
        return [value for name, value in found.items() if name not in present]

    def _outputs(self) -> list[str]:
        return [output.name for output in self._session.get_outputs()]
