"""From a source to a graph: by a builder of ours, or, without one, by way of an ONNX graph that somebody else made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import onnx_ir as ir

from exporter.checkpoints import Checkpoint, open_checkpoint
from exporter.errors import CheckpointError, UnsupportedModelError
from exporter.foreign import read_graph, trace, translate
from exporter.models import Architecture, Built, architecture
from exporter.models.architecture import Task

Say = Callable[[str], None]


@dataclass(frozen=True)
class Opened:
    """A source, opened: its files, what it is, and how its float graph is built for at most some tokens."""

    checkpoint: Checkpoint
    row: Architecture


def open_source(source: str, task: str | None, say: Say, *, values: bool) -> Opened:
    """Open a checkpoint or an .onnx file, for `task` or what it was made for; without `values` only its facts.

    Raises ThistledownError: UnsupportedModelError where only a builder would do and there is none.
    """
    if source.endswith(".onnx"):
        return _open_graph(Path(source), task, say)
    checkpoint = open_checkpoint(source, values=values)
    if checkpoint.note:
        say(checkpoint.note)
    stated = task or ("sentence-embedding" if checkpoint.is_sentence_embedder else None)
    try:
        return Opened(checkpoint, architecture(checkpoint.config, stated))
    except UnsupportedModelError:
        if not values:
            raise
    name = checkpoint.config.get("model_type")
    say(f"no builder for {name}: transformers' own exporter traces it, which takes longer and more memory")
    model, found = trace(checkpoint.folder, checkpoint.config, stated)
    return Opened(checkpoint, _foreign(model, checkpoint.config, found, str(name)))


def _open_graph(path: Path, task: str | None, say: Say) -> Opened:
    """An .onnx file; its config.json and tokenizer lie beside it, or one folder up, as in `onnx/model.onnx`."""
    if not path.is_file():
        raise CheckpointError("There is no such file", str(path), "Give an .onnx file.")
    homes = [
        folder for folder in (path.parent, path.resolve().parent.parent) if (folder / "config.json").is_file()
    ]
    if not homes:
        what = "config.json is missing beside the .onnx file"
        raise CheckpointError(what, path.name, "Put config.json and tokenizer.json into its folder.")
    checkpoint = open_checkpoint(str(homes[0]), values=False)
    say(f"{path.name}: somebody else's graph, told again in our operators")
    stated = task or ("sentence-embedding" if checkpoint.is_sentence_embedder else None)
    name = str(checkpoint.config.get("model_type", "onnx"))
    return Opened(checkpoint, _foreign(read_graph(path), checkpoint.config, stated, name))


def _foreign(model: ir.Model, config: Mapping[str, Any], task: str | None, name: str) -> Architecture:
    """A row for one graph: whether its activations fit float16 is not known."""
    first, found = translate(model, config, None, task)

    def build(config: Mapping[str, Any], _weights: object, context: int | None) -> Built:
        if context is None or context == first.context:
            return first
        return translate(model, config, context, found)[0]

    return Architecture(name, cast(Task, found), build, float16_activations=False)
