"""The float graph in onnxruntime, with the weights that can be quantized as inputs: a run may replace any of them."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import onnxruntime as ort

from exporter.errors import CalibrationError
from exporter.passes import linears_of, weight_facts
from exporter.quantization import TensorFacts
from exporter.row_tensor import RowTensor
from exporter.sizes import human

Floats = npt.NDArray[np.float32]

# Runs, moments and rounding take about as much again (measured: docs/quantization.md): together less than 2 GiB.
LARGEST = 800_000_000


class FloatGraph:
    """`model` ready to run on one text at a time; its weights are in memory as float32.

    `sources` names the value that each linear's weight is multiplied with. Raises CalibrationError for a model whose
    weights take more than `LARGEST` bytes.
    """

    def __init__(self, model: ir.Model) -> None:
        copy = model.clone()
        self.facts: Sequence[TensorFacts] = weight_facts(copy)
        _check_size(self.facts)
        self.sources = _sources(copy, self.facts)
        self.output = answer_of([str(value.name) for value in copy.graph.outputs])
        self._stored = {fact.name: _make_input(copy.graph, fact) for fact in self.facts}
        self.weights: Mapping[str, Floats] = {
            name: np.empty(tensor.shape.numpy(), np.float32) for name, tensor in self._stored.items()
        }
        for name in self.weights:
            self.restore(name)
        _watch(copy.graph, set(self.sources.values()))
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # it would keep what a run took, beside what rounding takes
        content = ir.to_proto(copy).SerializeToString()
        self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._frame = [value for value in self._session.get_inputs() if value.name not in self.weights]

    def restore(self, name: str) -> None:
        """Read a weight that was changed in place anew: there is no room for copies."""
        _read_into(self.weights[name], self._stored[name])

    def run(
        self, ids: Sequence[int], wanted: Sequence[str], replaced: Mapping[str, Floats] | None = None
    ) -> list[Floats]:
        """The values `wanted` for the tokens `ids`, from empty states, with some weights `replaced` by name."""
        feeds = {**frame_of(self._frame, ids), **self.weights, **(replaced or {})}
        outputs = self._session.run(list(wanted), feeds)
        return [np.asarray(value, np.float32) for value in outputs]


def _check_size(facts: Sequence[TensorFacts]) -> None:
    size = 4 * sum(fact.rows * fact.inner for fact in facts)
    if size > LARGEST:
        raise CalibrationError(
            f"The weights take {human(size)} in float32, and only models up to {human(LARGEST)} are run on texts",
            "calibration",
            "Use --rounding search or hqq and a --quantize other than auto.",
        )


def _sources(model: ir.Model, facts: Sequence[TensorFacts]) -> Mapping[str, str]:
    """For each weight of linears that all read the same value, that value's name."""
    sources = {}
    for fact in facts:
        names = {
            str(node.inputs[0].name)
            for node in linears_of(model.graph.initializers[fact.name])
            if node.inputs[0]
        }
        if len(names) == 1:
            sources[fact.name] = names.pop()
    return sources


def _read_into(target: Floats, tensor: ir.TensorProtocol) -> None:
    """Fill `target` with the values of `tensor`, by slabs where it has them."""
    if not isinstance(tensor, RowTensor):
        target[...] = tensor.numpy()
        return
    rows = target.reshape(tensor.rows, tensor.width)
    for start, stop in tensor.spans():
        rows[start:stop] = tensor.read(start, stop).reshape(-1, tensor.width)


def _make_input(graph: ir.Graph, fact: TensorFacts) -> ir.TensorProtocol:
    value = graph.initializers.pop(fact.name)
    tensor = value.const_value
    if tensor is None:
        raise CalibrationError("A weight has no values", fact.name, "Export from a checkpoint with weights.")
    value.const_value = None
    graph.inputs.append(value)
    return tensor


def _watch(graph: ir.Graph, names: set[str]) -> None:
    known = {value.name for value in graph.outputs}
    for node in graph:
        for value in node.outputs:
            if value.name in names - known:
                value.type = ir.TensorType(ir.DataType.FLOAT)
                graph.outputs.append(value)


def answer_of(outputs: Sequence[str]) -> str:
    """The output that is the model's answer: logits, else the first."""
    return "logits" if "logits" in outputs else outputs[0]


def frame_of(
    inputs: Sequence[ort.NodeArg], ids: Sequence[int]
) -> Mapping[str, npt.NDArray[np.int64] | Floats]:
    """What the graph's `inputs` are for the tokens `ids`, read from empty states."""
    return {value.name: _frame_value(value, ids) for value in inputs}


def _frame_value(value: ort.NodeArg, ids: Sequence[int]) -> npt.NDArray[np.int64] | Floats:
    if value.name == "input_ids":
        return np.array([ids], np.int64)
    if value.name == "attention_mask":
        return np.ones((1, len(ids)), np.int64)
    sizes = [dim if isinstance(dim, int) else int(dim == "batch") for dim in value.shape]
    return np.zeros(sizes, np.float32)
