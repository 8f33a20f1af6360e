"""The graphs that peers are given compute what the artifact's own does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from bench.onnx_for_pipelines import write_pipeline_folder
from bench.onnx_last_logits import output_names, write_last_logits

IDS = np.array([[3, 5, 7, 11, 2], [9, 4, 6, 0, 0]])
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def run(model: Path, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model)
    for given in session.get_inputs():
        if given.name not in feeds:
            shape = [
                size if isinstance(size, int) else int(axis == 0) for axis, size in enumerate(given.shape)
            ]
            feeds = {**feeds, given.name: np.zeros(shape, np.float32)}
    found: list[np.ndarray] = session.run(None, feeds)
    return found


def test_last_logits_are_the_last_of_all_logits(
    tiny_granite: Callable[..., Path], artifact: Callable[..., Path]
) -> None:
    folder = artifact(tiny_granite(), quantize="q4", context=64)
    target = folder / "last.onnx"
    write_last_logits(folder / "model.onnx", target)
    feeds = {"input_ids": IDS[:1], "attention_mask": MASK[:1]}
    place = output_names(target).index("logits")
    every, last = run(folder / "model.onnx", feeds), run(target, feeds)
    target.unlink()
    assert last[place].shape[1] == 1
    np.testing.assert_allclose(last[place][:, 0], every[place][:, -1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("quantize", "least"), [(False, 0.99999), (True, 0.95)])
def test_a_pipelines_vectors_pool_to_the_artifacts_embedding(
    artifact: Callable[..., Path], tmp_path: Path, quantize: bool, least: float
) -> None:
    folder = artifact("minilm", quantize="f32")
    dtype = write_pipeline_folder(folder / "model.onnx", tmp_path, quantize)
    name = {"fp32": "model.onnx", "q8": "model_quantized.onnx"}[dtype]
    feeds = {"input_ids": IDS + 2000, "attention_mask": MASK}
    [wanted] = run(folder / "model.onnx", feeds)
    [vectors] = run(tmp_path / "onnx" / name, feeds)
    pooled = (vectors * MASK[..., None]).sum(1) / MASK.sum(1, keepdims=True)
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    assert (pooled * wanted).sum(1).min() > least
