"""What encoders do with their last hidden states: one ending of the graph for each task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.components import (
    GraphBuilder,
    WeightSource,
    activation,
    dense,
    encoder_norm,
    linear,
    stored_name,
)
from exporter.errors import WeightsError
from exporter.models.architecture import Architecture, Build, Built, Task
from exporter.models.config import Config
from exporter.models.labels import Labels, text_labels, token_labels
from exporter.ops import DOMAIN


@dataclass(frozen=True)
class HeadNames:
    """Where a checkpoint keeps its heads; `decoder_bias` is a choice of spellings, that of an untied decoder first.

    `pooler` is the linear over the first token, `pooler_activation` what follows it.
    """

    pooler: str
    pooler_activation: str
    classifier: str
    transform: str
    transform_norm: str
    decoder: str
    decoder_bias: tuple[str, ...]


@dataclass(frozen=True)
class Encoder:
    """An encoder up to its last hidden states `x` (batch, tokens, hidden), the graph still open."""

    g: GraphBuilder
    weights: WeightSource
    mask: ir.Value
    x: ir.Value
    words: ir.Value
    hidden: int
    vocabulary: int
    positions: int
    activation: str
    epsilon: float
    names: HeadNames


Begin = Callable[[Mapping[str, Any], WeightSource], Encoder]


def encoder_architecture(model_type: str, begin: Begin) -> Architecture:
    """The catalog row of an encoder that does every task of encoders."""

    def builder(task: Task) -> Build:
        return lambda config, weights, context: _build(begin(config, weights), task, config, context)

    builders = {task: builder(task) for task in _ENDS}
    usual: Task = "sentence-embedding"
    return Architecture(model_type, usual, builders[usual], tasks=builders)


def body_prefix(config: Mapping[str, Any], weights: WeightSource, name: str) -> str:
    """`name.`, or nothing, as the tensors of the encoder's body are called.

    Where no tensor is known yet, as transformers writes them: bare for a model without a head.
    """
    if weights.tensors:
        return f"{name}." if f"{name}.embeddings.word_embeddings.weight" in weights.tensors else ""
    classes = config.get("architectures")
    bare = not isinstance(classes, list) or not classes or str(classes[0]).endswith("Model")
    return "" if bare else f"{name}."


def _build(e: Encoder, task: Task, config: Mapping[str, Any], context: int | None) -> Built:
    try:
        labels = _ENDS[task](e, config)
    except WeightsError as problem:
        remedy = f"The checkpoint was not made for {task}: give another --task, or fetch it again."
        raise WeightsError(problem.what, problem.where, remedy) from problem
    dimensions = e.hidden if task == "sentence-embedding" else None
    return Built(e.g.finish(), min(context or e.positions, e.positions), e.vocabulary, dimensions, labels)


def _sentence_embedding(e: Encoder, _config: Mapping[str, Any]) -> None:
    """Output sentence_embedding (batch, hidden): the mean of the tokens, of length 1."""
    pooled = e.g.op("MeanPool", e.x, e.mask, domain=DOMAIN)
    embedding = e.g.op("LpNormalization", pooled, axis=-1, p=2)
    e.g.output(embedding, "sentence_embedding", ir.DataType.FLOAT, ["batch", e.hidden])


def _text_classification(e: Encoder, config: Mapping[str, Any]) -> Labels:
    """Output logits (batch, labels), from the first token."""
    labels = text_labels(config)
    with e.g.scope("head"):
        first = e.g.op("Gather", e.x, e.g.constant("first", np.array(0, np.int64)), axis=1)
        pooled = dense(e.g, first, e.names.pooler, e.hidden, e.hidden)
        pooled = activation(e.g, pooled, e.names.pooler_activation)
        logits = dense(e.g, pooled, e.names.classifier, len(labels.names), e.hidden)
    e.g.output(logits, "logits", ir.DataType.FLOAT, ["batch", len(labels.names)])
    return labels


def _token_classification(e: Encoder, config: Mapping[str, Any]) -> Labels:
    """Output logits (batch, tokens, labels)."""
    labels = token_labels(config)
    with e.g.scope("head"):
        logits = dense(e.g, e.x, e.names.classifier, len(labels.names), e.hidden)
    e.g.output(logits, "logits", ir.DataType.FLOAT, ["batch", "tokens", len(labels.names)])
    return labels


def _fill_mask(e: Encoder, config: Mapping[str, Any]) -> None:
    """Output logits (batch, tokens, vocabulary). A decoder that is tied and not stored is the table of words."""
    g, names = e.g, e.names
    with g.scope("head"):
        x = activation(g, dense(g, e.x, names.transform, e.hidden, e.hidden), e.activation)
        x = encoder_norm(g, e.weights, x, names.transform_norm, e.hidden, e.epsilon)
        shape = (e.vocabulary, e.hidden)
        own = names.decoder in e.weights.tensors or not Config(config).flag("tie_word_embeddings", True)
        decoder = g.weight(names.decoder, shape=shape) if own else e.words
        spellings = names.decoder_bias if own else reversed(names.decoder_bias)
        bias = g.weight(stored_name(e.weights, *spellings), shape=(e.vocabulary,))
        logits = linear(g, x, decoder, bias)
    g.output(logits, "logits", ir.DataType.FLOAT, ["batch", "tokens", e.vocabulary])


_ENDS: Mapping[Task, Callable[[Encoder, Mapping[str, Any]], Labels | None]] = {
    "sentence-embedding": _sentence_embedding,
    "text-classification": _text_classification,
    "token-classification": _token_classification,
    "fill-mask": _fill_mask,
}
