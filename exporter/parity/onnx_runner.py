"""Runs an artifact's model.onnx in stock onnxruntime: no custom library, weights from the shards."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from exporter.errors import ArtifactError

Floats = npt.NDArray[np.float32]

_STATE_NAMES = (
    ("past_key_values.", "present."),
    ("past_conv.", "present_conv."),
    ("past_ssm.", "present_ssm."),
)
_MODEL, _REMEDY = "model.onnx", "Export the model again."


def _session(folder: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    with _refusals(folder):
        return ort.InferenceSession(str(folder / _MODEL), options, providers=["CPUExecutionProvider"])


@contextmanager
def _refusals(folder: Path) -> Iterator[None]:
    """Turns what onnxruntime raises, whose errors have no common base, into ArtifactError."""
    try:
        yield
    except Exception as problem:
        what = f"onnxruntime refuses {_MODEL}: {problem}"
        raise ArtifactError(what, str(folder), _REMEDY) from problem


class OnnxEncoder:
    """Sentence embeddings or logits from model.onnx. Raises ArtifactError for a file that onnxruntime refuses.

    `threads` 0: as many as onnxruntime likes.
    """

    def __init__(self, folder: Path, threads: int = 0) -> None:
        self._folder, self._session = folder, _session(folder, threads)

    def embed(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Embeddings (len(texts), dimensions) of token id lists."""
        return self._run(texts)

    def read_texts(self, texts: Sequence[Sequence[int]], rows: Sequence[Sequence[int]] = ()) -> list[Floats]:
        """Logits of each of the token id lists, as `PlanPlayer.read_texts` gives them; all tokens without `rows`."""
        logits = self._run(texts)
        if logits.ndim == 2:
            return list(logits[:, None])
        wanted = rows or [range(len(ids)) for ids in texts]
        return [found[list(some)] for found, some in zip(logits, wanted, strict=True)]

    def _run(self, texts: Sequence[Sequence[int]]) -> Floats:
        """The only output for one padded batch with its attention mask."""
        longest = max(len(ids) for ids in texts)
        ids = np.zeros((len(texts), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        with _refusals(self._folder):
            outputs = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return np.asarray(outputs[0], np.float32)


class OnnxDecoder:
    """Text generation from model.onnx, with its states handed from call to call.

    Raises ArtifactError for a file that onnxruntime refuses, or that gives no logits or states. `threads` 0: as many as
    onnxruntime likes.
    """

    def __init__(self, folder: Path, threads: int = 0) -> None:
        self._folder, self._session = folder, _session(folder, threads)
        self._outputs = [value.name for value in self._session.get_outputs()]
        self.reset()
        if missing := {"logits", *map(_present, self._states)} - set(self._outputs):
            raise ArtifactError(f"{_MODEL} has no output {min(missing)}", str(folder), _REMEDY)

    def reset(self) -> None:
        """Empty all states."""
        self._past = 0
        self._states: dict[str, npt.NDArray[Any]] = {
            value.name: np.zeros([_size(dim) for dim in value.shape], np.float32)
            for value in self._session.get_inputs()
            if value.name.startswith(tuple(past for past, _ in _STATE_NAMES))
        }

    def feed(self, ids: Sequence[int]) -> Floats:
        """Logits (len(ids), vocabulary) of further tokens."""
        self._past += len(ids)
        feeds: Mapping[str, npt.NDArray[Any]] = {
            "input_ids": np.array([ids], np.int64),
            "attention_mask": np.ones((1, self._past), np.int64),
            **self._states,
        }
        with _refusals(self._folder):
            values = dict(zip(self._outputs, self._session.run(None, feeds), strict=True))
        self._states = {name: values[_present(name)] for name in self._states}
        return np.asarray(values["logits"][0], np.float32)

    def logits(self, ids: Sequence[int], split: Sequence[int] = ()) -> Floats:
        """Logits (len(ids), vocabulary) from empty states, in pieces of the sizes in `split` or in one."""
        self.reset()
        ends = np.cumsum(split or [len(ids)])
        pieces = [
            self.feed(ids[int(end) - size : int(end)])
            for end, size in zip(ends, split or [len(ids)], strict=True)
        ]
        return np.concatenate(pieces)

    def generate(self, ids: Sequence[int], count: int) -> list[int]:
        """`count` greedy ids after `ids`."""
        made = [int(self.logits(ids)[-1].argmax())]
        while len(made) < count:
            made.append(int(self.feed(made[-1:])[-1].argmax()))
        return made


def _size(dim: int | str) -> int:
    if isinstance(dim, int):
        return dim
    return 1 if dim == "batch" else 0


def _present(name: str) -> str:
    old, new = next(pair for pair in _STATE_NAMES if name.startswith(pair[0]))
    return new + name.removeprefix(old)
