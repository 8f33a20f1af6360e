"""BERT encoders: words, positions and types added up, then layers with their norms after the sums."""

from collections.abc import Mapping
from typing import Any

import onnx_ir as ir

from exporter.components import (
    ACTIVATIONS,
    EncoderFrame,
    EncoderNames,
    EncoderShape,
    GraphBuilder,
    WeightSource,
    encoder_frame,
    encoder_layer,
    encoder_norm,
)
from exporter.models.config import Config
from exporter.models.encoders import Encoder, HeadNames, body_prefix, encoder_architecture

_LAYER = EncoderNames(
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    attention_out="attention.output.dense",
    attention_norm="attention.output.LayerNorm",
    up="intermediate.dense",
    down="output.dense",
    norm="output.LayerNorm",
)


def _shape(c: Config) -> EncoderShape:
    c.choice("position_embedding_type", ["absolute"], "absolute")
    for key in ("is_decoder", "add_cross_attention"):
        if c.flag(key, False):
            raise c.bad(key, "false, as in an encoder")
    shape = EncoderShape(
        hidden=c.integer("hidden_size"),
        heads=c.integer("num_attention_heads"),
        inner=c.integer("intermediate_size"),
        activation=c.choice("hidden_act", list(ACTIVATIONS), "gelu"),
        epsilon=c.positive("layer_norm_eps", 1e-12),
    )
    if shape.hidden % shape.heads:
        raise c.bad("num_attention_heads", f"a divisor of hidden_size {shape.hidden}")
    return shape


def _begin(config: Mapping[str, Any], weights: WeightSource) -> Encoder:
    c = Config(config)
    s = _shape(c)
    vocabulary, positions = c.integer("vocab_size"), c.integer("max_position_embeddings")
    layers, types = c.integer("num_hidden_layers", high=1000), c.integer("type_vocab_size", 2)
    prefix = body_prefix(config, weights, "bert")
    g = GraphBuilder("bert", weights)
    frame = encoder_frame(g)
    words = g.weight(f"{prefix}embeddings.word_embeddings.weight", shape=(vocabulary, s.hidden))
    table = _positions(g, f"{prefix}embeddings", positions, types, s.hidden)
    x = _embeddings(g, frame, words, table)
    x = encoder_norm(g, weights, x, f"{prefix}embeddings.LayerNorm", s.hidden, s.epsilon)
    for layer in range(layers):
        with g.scope(f"layer.{layer}"):
            name = f"{prefix}encoder.layer.{layer}"
            x = encoder_layer(g, weights, x, frame.padding, name, _LAYER, s)
    return Encoder(
        g, weights, frame.mask, x, words, s.hidden, vocabulary, positions, s.activation, s.epsilon,
        names=_heads(prefix),
    )  # fmt: skip


def _embeddings(g: GraphBuilder, frame: EncoderFrame, words: ir.Value, table: ir.Value) -> ir.Value:
    return g.op(
        "Add", g.op("Gather", words, frame.ids, axis=0), g.op("Gather", table, frame.positions, axis=0)
    )


def _positions(g: GraphBuilder, prefix: str, positions: int, types: int, hidden: int) -> ir.Value:
    """The table of positions. All tokens are of type 0, whose row is folded into it."""
    position_name = f"{prefix}.position_embeddings.weight"
    type_name = f"{prefix}.token_type_embeddings.weight"
    g.require(position_name, (positions, hidden))
    g.require(type_name, (types, hidden))
    return g.derived(
        position_name, (positions, hidden), lambda: g.read(position_name) + g.read(type_name)[:1]
    )


def _heads(prefix: str) -> HeadNames:
    return HeadNames(
        pooler=f"{prefix}pooler.dense",
        pooler_activation="tanh",
        classifier="classifier",
        transform="cls.predictions.transform.dense",
        transform_norm="cls.predictions.transform.LayerNorm",
        decoder="cls.predictions.decoder.weight",
        decoder_bias=("cls.predictions.decoder.bias", "cls.predictions.bias"),
    )


ARCHITECTURE = encoder_architecture("bert", _begin)
