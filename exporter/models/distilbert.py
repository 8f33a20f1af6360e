"""DistilBERT encoders (Sanh et al., arXiv 1910.01108): BERT without types and pooler."""

from collections.abc import Mapping
from typing import Any

from exporter.components import (
    ACTIVATIONS,
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

_EPSILON = 1e-12
_LAYER = EncoderNames(
    query="attention.q_lin",
    key="attention.k_lin",
    value="attention.v_lin",
    attention_out="attention.out_lin",
    attention_norm="sa_layer_norm",
    up="ffn.lin1",
    down="ffn.lin2",
    norm="output_layer_norm",
)
_HEADS = HeadNames(
    pooler="pre_classifier",
    pooler_activation="relu",
    classifier="classifier",
    transform="vocab_transform",
    transform_norm="vocab_layer_norm",
    decoder="vocab_projector.weight",
    decoder_bias=("vocab_projector.bias",),
)


def _shape(c: Config) -> EncoderShape:
    shape = EncoderShape(
        hidden=c.integer("dim", 768),
        heads=c.integer("n_heads", 12),
        inner=c.integer("hidden_dim", 3072),
        activation=c.choice("activation", list(ACTIVATIONS), "gelu"),
        epsilon=_EPSILON,
    )
    if shape.hidden % shape.heads:
        raise c.bad("n_heads", f"a divisor of dim {shape.hidden}")
    return shape


def _begin(config: Mapping[str, Any], weights: WeightSource) -> Encoder:
    c = Config(config)
    s = _shape(c)
    vocabulary, positions = c.integer("vocab_size", 30522), c.integer("max_position_embeddings", 512)
    prefix = body_prefix(config, weights, "distilbert")
    g = GraphBuilder("distilbert", weights)
    frame = encoder_frame(g)
    words = g.weight(f"{prefix}embeddings.word_embeddings.weight", shape=(vocabulary, s.hidden))
    # Sinusoidal positions are stored like learned ones.
    table = g.weight(f"{prefix}embeddings.position_embeddings.weight", shape=(positions, s.hidden))
    x = g.op("Add", g.op("Gather", words, frame.ids, axis=0), g.op("Gather", table, frame.positions, axis=0))
    x = encoder_norm(g, weights, x, f"{prefix}embeddings.LayerNorm", s.hidden, s.epsilon)
    for layer in range(c.integer("n_layers", 6, high=1000)):
        with g.scope(f"layer.{layer}"):
            name = f"{prefix}transformer.layer.{layer}"
            x = encoder_layer(g, weights, x, frame.padding, name, _LAYER, s)
    return Encoder(
        g,
        weights,
        frame.mask,
        x,
        words,
        s.hidden,
        vocabulary,
        positions,
        s.activation,
        s.epsilon,
        names=_HEADS,
    )


ARCHITECTURE = encoder_architecture("distilbert", _begin)
