"""What a model builder gives back, and the record that registers it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import onnx_ir as ir

from exporter.components import WeightSource
from exporter.models.labels import Labels

Task = Literal[
    "sentence-embedding", "text-generation", "text-classification", "token-classification", "fill-mask"
]


@dataclass(frozen=True)
class Built:
    """A float32 graph and the facts that the manifest needs; `labels` are a classifier's, `notes` for the user."""

    model: ir.Model
    context: int
    vocabulary: int
    dimensions: int | None = None
    labels: Labels | None = None
    notes: tuple[str, ...] = ()


Build = Callable[[Mapping[str, Any], WeightSource, int | None], Built]


@dataclass(frozen=True)
class Architecture:
    """One row of the catalog: `build(config, weights, context)` makes the graph for at most `context` tokens.

    `context` None means as many as the checkpoint allows (text generation: at most 4096).
    `tasks` are the builders of a model_type that serves several tasks; `task` and `build` are then the usual one.
    `float16_activations` False: activations pass 65504, so the artifact has no tier that keeps them in float16.
    """

    model_type: str
    task: Task
    build: Build
    float16_activations: bool = True
    tasks: Mapping[Task, Build] = field(default_factory=dict)
