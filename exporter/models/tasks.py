"""Which task a checkpoint is exported for, where its model_type serves several."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from exporter.errors import ConfigError
from exporter.models.architecture import Architecture, Task

# How transformers' classes end, and what they are for.
_TASK_OF_ENDING: Mapping[str, Task] = {
    "Model": "sentence-embedding",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForMaskedLM": "fill-mask",
    "ForPreTraining": "fill-mask",
}


def for_task(row: Architecture, config: Mapping[str, Any], asked: str | None) -> Architecture:
    """The row with the builder for the task `asked`, or for the one that the config's `architectures` tell.

    Raises ConfigError for a task or a class that the row does not serve.
    """
    known = row.tasks or {row.task: row.build}
    for task, build in known.items():
        if task == (asked or _stated(row, config)):
            return replace(row, task=task, build=build)
    names = ", ".join(known)
    if asked is not None:
        raise ConfigError(f"a {row.model_type} checkpoint does not do {asked}", "--task", f"Give {names}.")
    raise ConfigError(
        f"the class {config['architectures']!r} is not supported",
        "architectures in config.json",
        f"Give --task, one of {names}, if the checkpoint holds the weights for it.",
    )


def _stated(row: Architecture, config: Mapping[str, Any]) -> Task | None:
    """The task of the first of the config's classes; the usual one where it names none.

    A text generator may also be stored as the model without its head, whose class ends in Model.
    """
    classes = config.get("architectures")
    if not classes:
        return row.task
    first = str(classes[0]) if isinstance(classes, list) else str(classes)
    task = next((task for ending, task in _TASK_OF_ENDING.items() if first.endswith(ending)), None)
    generates = not row.tasks and (task is None or first.endswith("Model"))
    return row.task if generates else task
