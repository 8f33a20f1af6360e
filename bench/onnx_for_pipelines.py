"""The layout that Transformers.js loads: onnx/model.onnx, or model_quantized.onnx as its own converter makes it."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

ALL_TOKENS = "last_hidden_state"
POOLINGS = frozenset({"MeanPool", "Gather"})
_NORMALIZES = "LpNormalization"
_TURNED = ".turned"
_BIAS = "bench_attention_bias"


def write_pipeline_folder(source: Path, folder: Path, quantize: bool) -> str:
    """Write into `folder`/onnx the f32 graph at `source`, quantized where wanted; returns what its dtype is called.

    Raises ValueError for a graph that is no sentence embedder in f32.
    """
    target = folder / "onnx"
    target.mkdir(parents=True, exist_ok=True)
    model = onnx.load(source)
    _end_before_pooling(model)
    for node in [node for node in model.graph.node if node.op_type == "FusedMatMul"]:
        _plain_product(model.graph, node)
    _mask_as_bias(model.graph)
    onnx.save(model, target / "model.onnx")
    if not quantize:
        return "fp32"
    _quantize(target / "model.onnx", target / "model_quantized.onnx")
    return "q8"


def _end_before_pooling(model: onnx.ModelProto) -> None:
    """The pipeline pools and normalizes by itself and wants the vectors of all tokens."""
    graph = model.graph
    makers = {output: node for node in graph.node for output in node.output}
    node = makers[graph.output[0].name]
    if node.op_type == _NORMALIZES:
        node = makers[node.input[0]]
    if node.op_type not in POOLINGS:
        raise ValueError(f"the graph ends in {node.op_type}, which is no pooling")
    tokens = makers[node.input[0]]
    kept = list(graph.node)[: list(graph.node).index(tokens) + 1]
    tokens.output[0] = ALL_TOKENS
    del graph.node[:]
    graph.node.extend(kept)
    width = graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    del graph.output[:]
    shape = ["batch", "tokens", width]
    graph.output.append(helper.make_tensor_value_info(ALL_TOKENS, onnx.TensorProto.FLOAT, shape))


def _plain_product(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
    """FusedMatMul(x, W, transB=1) as MatMul(x, W turned): what other exporters write, and quantization looks for."""
    weight = next(tensor for tensor in graph.initializer if tensor.name == node.input[1])
    turned = np.ascontiguousarray(numpy_helper.to_array(weight).T)
    node.input[1] = weight.name + _TURNED
    weight.CopyFrom(numpy_helper.from_array(turned, node.input[1]))
    node.op_type, node.domain = "MatMul", ""
    del node.attribute[:]


def _mask_as_bias(graph: onnx.GraphProto) -> None:
    """The padding mask of attention as numbers to add: onnxruntime's WebGPU provider does not take the mask itself."""
    attentions = [node for node in graph.node if node.op_type == "MultiHeadAttention"]
    for node in attentions:
        linears = [*node.input, ""][:4]  # query, key, value, and their bias
        del node.input[:]
        node.input.extend([*linears, "", _BIAS])
    constants: dict[str, np.ndarray[Any, Any]] = {
        "one": np.array(1, np.float32),
        "far": np.array(-1e9, np.float32),
        "axes": np.array([1, 2], np.int64),
        "unit": np.array([1], np.int64),
    }
    for name, value in constants.items():
        graph.initializer.append(numpy_helper.from_array(value, f"{_BIAS}.{name}"))
    for place, node in enumerate(_bias_nodes()):
        graph.node.insert(place, node)


def _bias_nodes() -> list[onnx.NodeProto]:
    """(1 - mask) * -1e9 for every pair of tokens: (batch, 1, tokens, tokens)."""
    chain: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Cast", ["attention_mask"], "kept", {"to": onnx.TensorProto.FLOAT}),
        ("Sub", [f"{_BIAS}.one", f"{_BIAS}.kept"], "left", {}),
        ("Mul", [f"{_BIAS}.left", f"{_BIAS}.far"], "row", {}),
        ("Unsqueeze", [f"{_BIAS}.row", f"{_BIAS}.axes"], "rows", {}),
        ("Shape", ["attention_mask"], "batch", {"start": 0, "end": 1}),
        ("Shape", ["attention_mask"], "length", {"start": 1, "end": 2}),
        (
            "Concat",
            [f"{_BIAS}.{part}" for part in ("batch", "unit", "length", "length")],
            "shape",
            {"axis": 0},
        ),
        ("Expand", [f"{_BIAS}.rows", f"{_BIAS}.shape"], "", {}),
    ]
    return [
        helper.make_node(kind, inputs, [f"{_BIAS}.{name}" if name else _BIAS], **attributes)
        for kind, inputs, name, attributes in chain
    ]


def _quantize(source: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # The outputs of contrib operators, whose types it cannot infer, are floats.
    options = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    logging.disable(logging.WARNING)  # advice for people who quantize models of their own
    try:
        quantize_dynamic(source, target, per_channel=True, weight_type=QuantType.QInt8, extra_options=options)
    finally:
        logging.disable(logging.NOTSET)
