"""A model.onnx whose head sees the last token only: what a peer that generates would rather be given.

The artifact's own computes the logits of every token, as other users of it expect. One Gather before the head saves
that work; the weights stay those of the artifact.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

HEADS = frozenset({"MatMulNBits", "FusedMatMul", "MatMul", "Gemm"})
LOGITS = "logits"
LAST = "bench_last_token"


def output_names(source: Path) -> list[str]:
    """The outputs of the model at `source`."""
    return [output.name for output in _load(source).graph.output]


def write_last_logits(source: Path, target: Path) -> None:
    """Write to `target` the model at `source` with logits of the last token; raises ValueError for an unknown head."""
    model = _load(source)
    graph = model.graph
    head = _head(graph)
    place = list(graph.node).index(head)
    gather = helper.make_node("Gather", [head.input[0], LAST], [f"{LAST}_hidden"], name=LAST, axis=1)
    head.input[0] = f"{LAST}_hidden"
    graph.node.insert(place, gather)
    graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), LAST))
    onnx.save(model, target)


def _load(source: Path) -> onnx.ModelProto:
    return onnx.load(source, load_external_data=False)


def _head(graph: onnx.GraphProto) -> onnx.NodeProto:
    makers: dict[str, onnx.NodeProto] = {output: node for node in graph.node for output in node.output}
    name = LOGITS
    while name in makers:
        if makers[name].op_type in HEADS:
            return makers[name]
        name = next((given for given in makers[name].input if given in makers), "")
    raise ValueError("the model's logits come from no linear that this knows")
