"""ONNX building blocks that models share."""

from exporter.components.activations import ACTIVATIONS, activation
from exporter.components.attention import (
    AttentionShape,
    CausalFrame,
    Rotary,
    causal_attention,
    causal_frame,
    packed_qkv,
    positions,
    self_attention,
    token_inputs,
)
from exporter.components.encoder import (
    EncoderFrame,
    EncoderNames,
    EncoderShape,
    encoder_frame,
    encoder_layer,
    encoder_norm,
    stored_name,
)
from exporter.components.experts import ExpertsShape, mixture_of_experts
from exporter.components.graph import IR_VERSION, MICROSOFT, OPSET, GraphBuilder, WeightSource
from exporter.components.language_model import embedding, head_weight, learned_positions, logits
from exporter.components.layers import (
    dense,
    dense_stack,
    layer_norm,
    linear,
    rms_norm,
    scaled,
    split,
)
from exporter.components.mamba2 import Mamba2Shape, mamba2_mixer
from exporter.components.mlp import MlpShape, gated_mlp, plain_mlp
from exporter.components.rearranged import rearranged

__all__ = [
    "ACTIVATIONS",
    "IR_VERSION",
    "MICROSOFT",
    "OPSET",
    "AttentionShape",
    "CausalFrame",
    "EncoderFrame",
    "EncoderNames",
    "EncoderShape",
    "ExpertsShape",
    "GraphBuilder",
    "Mamba2Shape",
    "MlpShape",
    "Rotary",
    "WeightSource",
    "activation",
    "causal_attention",
    "causal_frame",
    "dense",
    "dense_stack",
    "embedding",
    "encoder_frame",
    "encoder_layer",
    "encoder_norm",
    "gated_mlp",
    "head_weight",
    "layer_norm",
    "learned_positions",
    "linear",
    "logits",
    "mamba2_mixer",
    "mixture_of_experts",
    "packed_qkv",
    "plain_mlp",
    "positions",
    "rearranged",
    "rms_norm",
    "scaled",
    "self_attention",
    "split",
    "stored_name",
    "token_inputs",
]
