"""A model of one node: the first Mamba-2 scan of an artifact's model.onnx, by the artifact's own function."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SCAN = "SSMScan"
INPUTS = ("x", "dt", "B", "C", "A_log", "D", "dt_bias", "past_state")
OUTPUTS = ("y", "present_state")
# As in the artifact these are weights, so that a runtime may compute beforehand what depends on them alone.
WEIGHTS = ("A_log", "D", "dt_bias")

Array = NDArray[Any]


def write_scan_model(source: Path, target: Path, values: Mapping[str, Array]) -> None:
    """Write to `target` the scan of the model at `source`, for inputs of the shapes of `values`, by their names.

    Raises ValueError where the model has no scan.
    """
    model = onnx.load(source, load_external_data=False)
    node = next((node for node in model.graph.node if node.op_type == SCAN), None)
    if node is None:
        raise ValueError(f"the model has no {SCAN}")
    given = [name if wired else "" for name, wired in zip(INPUTS, node.input, strict=True)]
    fed = [name for name in given if name and name not in WEIGHTS]
    weights = [name for name in given if name in WEIGHTS]
    del node.input[:], node.output[:]
    node.input.extend(given)
    node.output.extend(OUTPUTS)
    graph = helper.make_graph(
        [node],
        "scan",
        [_value(name, values[name].shape) for name in fed],
        [_value("y", values["x"].shape), _value("present_state", values["past_state"].shape)],
        [numpy_helper.from_array(values[name].astype(np.float32), name) for name in weights],
    )
    functions = list(_needed(node, {(one.domain, one.name): one for one in model.functions}))
    small = helper.make_model(
        graph, opset_imports=model.opset_import, functions=functions, ir_version=model.ir_version
    )
    onnx.save(small, target)


def _value(name: str, shape: Iterable[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def _needed(
    node: onnx.NodeProto, functions: Mapping[tuple[str, str], onnx.FunctionProto]
) -> Iterable[onnx.FunctionProto]:
    """The functions that the node calls, and those that these call; ONNX has no recursion."""
    function = functions.get((node.domain, node.op_type))
    if function is not None:
        yield function
        found = {(one.domain, one.name): one for part in function.node for one in _needed(part, functions)}
        yield from found.values()
