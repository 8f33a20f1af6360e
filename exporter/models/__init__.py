"""The supported architectures: one file and one row each."""

from collections.abc import Mapping
from typing import Any

from exporter.errors import ConfigError, UnsupportedModelError
from exporter.models import (
    bamba,
    bert,
    distilbert,
    gemma,
    gemma2,
    gpt_neox,
    granitemoehybrid,
    llama,
    mamba2,
    mistral,
    opt,
    phi,
    qwen2,
    qwen3,
)
from exporter.models.architecture import Architecture, Built
from exporter.models.labels import Labels, text_labels, token_labels
from exporter.models.tasks import for_task

CATALOG: Mapping[str, Architecture] = {
    model.ARCHITECTURE.model_type: model.ARCHITECTURE
    for model in (
        bamba,
        bert,
        distilbert,
        gemma,
        gemma2,
        gpt_neox,
        granitemoehybrid,
        llama,
        mamba2,
        mistral,
        opt,
        phi,
        qwen2,
        qwen3,
    )
}


def architecture(config: Mapping[str, Any], task: str | None = None) -> Architecture:
    """The row for a config's `model_type`, for `task` or what the config's class was made for.

    Raises UnsupportedModelError naming the nearest model_type; ConfigError for a task that it does not serve.
    """
    name = config.get("model_type")
    if not isinstance(name, str):
        raise ConfigError(
            "config.json has no 'model_type'", "config.json", "use a Hugging Face checkpoint folder"
        )
    if name not in CATALOG:
        raise UnsupportedModelError(name, sorted(CATALOG))
    return for_task(CATALOG[name], config, task)


__all__ = ["CATALOG", "Architecture", "Built", "Labels", "architecture", "text_labels", "token_labels"]
