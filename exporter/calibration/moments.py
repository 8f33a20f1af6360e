"""Second moments of the inputs of linears over calibration texts: what GPTQ rounds by."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock

import numpy as np

from exporter.calibration.float_graph import FloatGraph, Floats

# Moments kept at once. More linears than fit are done in several passes over the texts.
_GROUP_BYTES = 256 << 20
_BATCH_TOKENS = 512


class Moments:
    """X^T X (K, K) for the inputs X of each linear of `graph`, over `texts` of token ids.

    They are computed when first asked for, for a group of neighbouring linears at a time, and then forgotten.
    """

    def __init__(
        self, graph: FloatGraph, texts: Sequence[Sequence[int]], group_bytes: int = _GROUP_BYTES
    ) -> None:
        self._graph, self._texts = graph, texts
        self._groups = _groups(graph, group_bytes)
        self._lock = Lock()
        self._held: Mapping[str, Floats] = {}

    def readers(self) -> Mapping[str, Callable[[], Floats]]:
        """A function for each weight with moments, by the weight's name."""
        return {name: lambda name=name: self.of(name) for name in self._graph.sources}  # type: ignore[misc]

    def of(self, weight: str) -> Floats:
        """The moments (K, K) of the inputs of `weight`."""
        source = self._graph.sources[weight]
        with self._lock:
            if source not in self._held:
                self._held = {}
                self._held = self._measure(next(group for group in self._groups if source in group))
            return self._held[source]

    def _measure(self, group: Mapping[str, int]) -> Mapping[str, Floats]:
        sums = {source: np.zeros((inner, inner), np.float32) for source, inner in group.items()}
        for batch in _batches(self._texts):
            runs = [self._graph.run(ids, list(group)) for ids in batch]
            for (source, inner), parts in zip(group.items(), zip(*runs, strict=True), strict=True):
                x = np.concatenate([part.reshape(-1, inner) for part in parts])
                sums[source] += x.T @ x
            del runs, parts, x  # before the next are made
        return sums


def _batches(texts: Sequence[Sequence[int]]) -> Iterator[Sequence[Sequence[int]]]:
    """`texts` in order, in runs of at least `_BATCH_TOKENS`: products of short matrices are slow."""
    batch: list[Sequence[int]] = []
    for ids in texts:
        batch.append(ids)
        if sum(map(len, batch)) >= _BATCH_TOKENS:
            yield batch
            batch = []
    if batch:
        yield batch


def _groups(graph: FloatGraph, group_bytes: int) -> Sequence[Mapping[str, int]]:
    """Values to watch and their widths, in the order of the weights."""
    groups: list[dict[str, int]] = [{}]
    for fact in graph.facts:
        source = graph.sources.get(fact.name)
        if source is None or any(source in group for group in groups):
            continue
        if groups[-1] and 4 * (fact.inner**2 + sum(width**2 for width in groups[-1].values())) > group_bytes:
            groups.append({})
        groups[-1][source] = fact.inner
    return groups
