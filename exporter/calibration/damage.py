"""How far a model with rounded weights is from the float model, on texts."""

from collections.abc import Mapping, Sequence

import numpy as np

from exporter.calibration.float_graph import FloatGraph, Floats

# Values of the float model's outputs that are kept; of longer texts or larger vocabularies fewer tokens are compared.
_KEPT_VALUES = 1 << 24


class Yardstick:
    """The outputs of the float model `graph` on `texts` of token ids, and the distance of others from them."""

    def __init__(self, graph: FloatGraph, texts: Sequence[Sequence[int]]) -> None:
        self._graph, self._texts = graph, texts
        self._exact: list[Floats] = []
        for ids in texts:
            self._exact.append(self._outputs(ids))

    @property
    def texts(self) -> int:
        """How many texts it measures on."""
        return len(self._texts)

    @property
    def unit(self) -> str:
        """What `damage` counts."""
        return "KL" if self._gives_logits else "1 - cosine"

    @property
    def _gives_logits(self) -> bool:
        return self._graph.output == "logits"

    def damage(self, replaced: Mapping[str, Floats] | None = None) -> float:
        """The mean over tokens of KL(float || rounded) in nats; for embeddings the mean over texts of 1 - cosine.

        `replaced` are weights to use instead of the graph's own.
        """
        distance = _divergence if self._gives_logits else _angle
        found = [
            distance(exact, self._outputs(ids, replaced))
            for ids, exact in zip(self._texts, self._exact, strict=True)
        ]
        return float(np.concatenate(found).mean())

    def _outputs(self, ids: Sequence[int], replaced: Mapping[str, Floats] | None = None) -> Floats:
        output = self._graph.run(ids, [self._graph.output], replaced)[0]
        rows = output.reshape(-1, output.shape[-1])
        most = max(1, _KEPT_VALUES // (len(self._texts) * rows.shape[1]))
        return rows[:: -(-len(rows) // most)].copy()  # a view would keep all rows


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
