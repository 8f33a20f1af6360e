"""An artifact's model.onnx in onnxruntime, run on one text at a time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from exporter.calibration.float_graph import Floats, answer_of, frame_of


class StoredGraph:
    """The model in `folder` as it was exported; onnxruntime reads its weights from the shards."""

    def __init__(self, folder: Path) -> None:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False
        file = str(folder / "model.onnx")
        self._session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.output = answer_of([value.name for value in self._session.get_outputs()])

    def run(self, ids: Sequence[int], wanted: Sequence[str]) -> list[Floats]:
        """The values `wanted` for the tokens `ids`, from empty states."""
        outputs = self._session.run(list(wanted), frame_of(self._session.get_inputs(), ids))
        return [np.asarray(value, np.float32) for value in outputs]
