"""How far a model with rounded weights is from the float model, on texts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from exporter.calibration.float_graph import FloatGraph, Floats

# Values of the float model's outputs that are kept; of longer texts or larger vocabularies fewer tokens are compared.
_KEPT_VALUES = 1 << 24


class Graph(Protocol):
    """A model that runs on one text at a time; `output` names its answer."""

    output: str

    def run(self, ids: Sequence[int], wanted: Sequence[str]) -> list[Floats]:
        """The values `wanted` for the tokens `ids`."""


class Distances:
    """The outputs of the float model `graph` on `texts` of token ids, and the distance of other graphs from them."""

    def __init__(self, graph: Graph, texts: Sequence[Sequence[int]]) -> None:
        self._gives_logits, self._texts = graph.output == "logits", texts
        self._exact = [self._rows(graph.run(ids, [graph.output])[0]) for ids in texts]

    @property
    def texts(self) -> int:
        """How many texts it measures on."""
        return len(self._texts)

    @property
    def unit(self) -> str:
        """What `of` counts."""
        return "KL" if self._gives_logits else "1 - cosine"

    def of(self, graph: Graph) -> float:
        """The mean over tokens of KL(float || `graph`) in nats; for embeddings the mean over texts of 1 - cosine."""
        return self._mean(graph.run(ids, [graph.output])[0] for ids in self._texts)

    def _mean(self, outputs: Iterable[Floats]) -> float:
        distance = _divergence if self._gives_logits else _angle
        found = [
            distance(exact, self._rows(output)) for exact, output in zip(self._exact, outputs, strict=True)
        ]
        return float(np.concatenate(found).mean())

    def _rows(self, output: Floats) -> Floats:
        rows = output.reshape(-1, output.shape[-1])
        most = max(1, _KEPT_VALUES // (len(self._texts) * rows.shape[1]))
        return rows[:: -(-len(rows) // most)].copy()  # a view would keep all rows


class Yardstick(Distances):
    """The same for one graph whose weights are rounded in place, or replaced."""

    def __init__(self, graph: FloatGraph, texts: Sequence[Sequence[int]]) -> None:
        super().__init__(graph, texts)
        self._graph = graph

    def damage(self, replaced: Mapping[str, Floats] | None = None) -> float:
        """The distance of the graph as its weights are now; `replaced` are weights to use instead of its own."""
        wanted = [self._graph.output]
        return self._mean(self._graph.run(ids, wanted, replaced)[0] for ids in self._texts)


def _divergence(exact: Floats, found: Floats) -> np.ndarray:
    p, q = _log_softmax(exact), _log_softmax(found)
    divergence: np.ndarray = (np.exp(p) * (p - q)).sum(axis=-1)
    return divergence


def _log_softmax(logits: Floats) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    scores: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return scores


def _angle(exact: Floats, found: Floats) -> np.ndarray:
    a, b = exact.astype(np.float64), found.astype(np.float64)
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    angle: np.ndarray = 1 - (a * b).sum(axis=-1) / np.maximum(lengths, 1e-30)
    return angle
