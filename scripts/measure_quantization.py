"""Measures what each scheme and way of rounding does to the embeddings of all-MiniLM-L6-v2; prints a Markdown table.

The 1,000 pairs are sentences that follow each other in docstrings of Python's standard library: texts that were not
seen in calibration. Run it as `python -m scripts.measure_quantization`; it takes some minutes.
"""

import ast
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exporter.calibration import FloatGraph, Moments, bytes_in, read_texts, tokens_of
from exporter.checkpoints import open_checkpoint
from exporter.coding import Span, coded_chunks
from exporter.models import architecture
from exporter.quantization import SCHEMES, Curvature, Recipe, TensorFacts, dequantize, quantize, to_float16

PAIRS = 1000
_LIMIT = 24
WAYS = (
    ("f16", "nearest"),
    ("q8", "nearest"),
    ("q8", "search"),
    ("q8z", "search"),
    *((scheme, method) for scheme in ("q4", "q4z") for method in ("nearest", "search", "hqq", "gptq")),
    *((scheme, method) for scheme in ("q2", "q2z") for method in ("nearest", "search", "hqq", "gptq")),
    *((name, method) for name, scheme in SCHEMES.items() if scheme.step for method in ("nearest", "gptq")),
)


def sentence_pairs() -> Sequence[str]:
    """2,000 sentences, each even one followed by its neighbour."""
    found: list[str] = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        for text in _docstrings(path):
            sentences = [
                s for s in re.split(r"(?<=[.!?])\s+", " ".join(text.split())) if 5 <= len(s.split()) <= 20
            ]
            found += sentences[: len(sentences) // 2 * 2]
    step = len(found) // 2 // PAIRS
    return [found[2 * step * pair + side] for pair in range(PAIRS) for side in (0, 1)]


def _docstrings(path: Path) -> Iterator[str]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, documented):
            yield ast.get_docstring(node) or ""


def _embed(
    graph: FloatGraph, texts: Sequence[Sequence[int]], replaced: Mapping[str, np.ndarray]
) -> np.ndarray:
    return np.concatenate([graph.run(ids, [graph.output], replaced)[0] for ids in texts])


def _similarity(vectors: np.ndarray) -> np.ndarray:
    similarity: np.ndarray = (vectors[0::2] * vectors[1::2]).sum(axis=1)
    return similarity


@dataclass(frozen=True)
class _Stored:
    """A weight as a scheme keeps it, made float32 again, and the bytes that it takes entropy-coded."""

    weight: np.ndarray
    coded: int


def _recipe(fact: TensorFacts, scheme: str, method: str) -> Recipe:
    return Recipe("f16") if fact.role == "position" else Recipe(scheme, method)


def _stored(fact: TensorFacts, weight: np.ndarray, recipe: Recipe, curvature: Curvature | None) -> _Stored:
    scheme, rows = SCHEMES[recipe.scheme], weight.reshape(fact.rows, fact.inner)
    if not scheme.block:
        half = to_float16(rows, fact.name)
        return _Stored(half.astype(np.float32).reshape(weight.shape), _coded_bytes([half]))
    packed = quantize(scheme, rows, fact.name, recipe.method, curvature)
    arrays: list[np.ndarray] = [packed.b, packed.scales]
    if packed.zeros is not None:
        arrays.append(packed.zeros)
    return _Stored(dequantize(packed, fact.inner).reshape(weight.shape), _coded_bytes(arrays))


def _coded_bytes(arrays: Sequence[np.ndarray]) -> int:
    data = np.concatenate([array.reshape(-1).view(np.uint8) for array in arrays])
    starts = np.cumsum([0, *(array.nbytes for array in arrays)])
    spans = [
        Span(int(start), array.nbytes, array.itemsize) for start, array in zip(starts, arrays, strict=False)
    ]
    return sum(len(chunk) for chunk in coded_chunks(data, spans))


def main() -> int:
    """Print the table."""
    checkpoint = open_checkpoint("minilm")
    row = architecture(checkpoint.config, "sentence-embedding")
    built = row.build(checkpoint.config, checkpoint, checkpoint.max_sequence_length)
    graph, tokenizer = FloatGraph(built.model), checkpoint.tokenizer()["tokenizer.json"]
    moments = Moments(graph, tokens_of(read_texts(), tokenizer, built.context))
    curvatures = {name: Curvature(read(), name) for name, read in moments.readers().items()}
    texts = tokens_of(sentence_pairs(), tokenizer, _LIMIT)
    exact = _embed(graph, texts, {})
    print("| scheme | rounding | bytes | coded | mean cosine | lowest | change of a pair's similarity |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for scheme, method in WAYS:
        known = curvatures if method == "gptq" else {}
        recipes = {fact: _recipe(fact, scheme, method) for fact in graph.facts}
        made = {
            fact.name: _stored(fact, graph.weights[fact.name], recipe, known.get(fact.name))
            for fact, recipe in recipes.items()
        }
        changed = {fact.name: made[fact.name].weight for fact in graph.facts if fact.role != "position"}
        found = _embed(graph, texts, changed)
        cosine = (found * exact).sum(axis=1)
        apart = float(np.sqrt(np.mean(np.square(_similarity(found) - _similarity(exact)))))
        size = sum(bytes_in(fact, recipe.scheme) for fact, recipe in recipes.items())
        coded = sum(stored.coded for stored in made.values())
        print(
            f"| {scheme} | {method} | {size:,} | {coded:,} | {cosine.mean():.5f} | {cosine.min():.4f} | {apart:.4f} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
