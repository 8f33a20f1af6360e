"""Models of one `ai.thistledown` node, and their run in stock onnxruntime."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime

from exporter.ops import DOMAIN, OPSET_IMPORTS, VERSION, functions_for

Inputs = Mapping[str, np.ndarray | None]
Attributes = Mapping[str, int | float]
Ranks = Mapping[str, int]


def one_node_model(
    op: str, inputs: Inputs, outputs: Ranks, attributes: Attributes | None = None
) -> onnx.ModelProto:
    """A model with the static shapes of `inputs`; a None input is absent."""
    values = [value if value is None else _input(name, value) for name, value in inputs.items()]
    node = ir.node(op, values, attributes or {}, domain=DOMAIN, num_outputs=len(outputs))
    for (name, rank), output in zip(outputs.items(), node.outputs, strict=True):
        output.name = name
        output.dtype = _output_type(inputs)
        output.shape = ir.Shape(f"{name}_{axis}" for axis in range(rank))
    graph = ir.Graph(
        [value for value in values if value is not None],
        node.outputs,
        nodes=[node],
        opset_imports={**OPSET_IMPORTS, DOMAIN: VERSION},
        name=op,
    )
    return ir.to_proto(ir.Model(graph, ir_version=10, functions=functions_for([op])))


def _output_type(inputs: Inputs) -> ir.DataType:
    """That of the first input, as with every operator here."""
    first = next(value for value in inputs.values() if value is not None)
    return ir.DataType.from_numpy(first.dtype)


def _input(name: str, value: np.ndarray) -> ir.Value:
    return ir.val(name, ir.DataType.from_numpy(value.dtype), value.shape)


def run(model: onnx.ModelProto, inputs: Inputs) -> list[np.ndarray]:
    """Run on the CPU with no custom library."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {name: value for name, value in inputs.items() if value is not None})


def run_operator(
    op: str, inputs: Inputs, outputs: Ranks, attributes: Attributes | None = None
) -> list[np.ndarray]:
    return run(one_node_model(op, inputs, outputs, attributes), inputs)


def optimized_op_types(model: onnx.ModelProto, folder: Path) -> list[str]:
    """The node types that onnxruntime is left with after its hardware-independent optimisations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node]
