"""A checkpoint of any architecture as an ONNX graph, by transformers' own exporter; needs torch and transformers."""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import onnx_ir as ir

from exporter.errors import GraphError
from exporter.foreign.graph_reading import simplified

_CLASSES = {
    "text-generation": "AutoModelForCausalLM",
    "text-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
    "fill-mask": "AutoModelForMaskedLM",
    "sentence-embedding": "AutoModel",
}
_ENDINGS = {
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForMaskedLM": "fill-mask",
    "Model": "sentence-embedding",
}
_SAMPLE = (2, 7)


def traced_task(config: Mapping[str, Any]) -> str | None:
    """The task that the class in config.json was made for; None if none of ours."""
    classes = config.get("architectures")
    first = str(classes[0]) if isinstance(classes, list) and classes else ""
    return next((task for ending, task in _ENDINGS.items() if first.endswith(ending)), None)


def trace(folder: Path, config: Mapping[str, Any], task: str | None) -> tuple[ir.Model, str]:
    """The graph of the checkpoint in `folder`, in float32, and its task. Code from the checkpoint is never run.

    Raises GraphError without torch and transformers, or if they cannot export it.
    """
    wanted = task or traced_task(config)
    if wanted is None:
        raise GraphError(
            f"the class {config.get('architectures')!r} has no task", "config.json", "Give --task."
        )
    missing = [name for name in ("torch", "transformers", "onnxscript") if find_spec(name) is None]
    if missing:
        what = f"a model without a builder needs {', '.join(missing)}"
        raise GraphError(what, str(config.get("model_type")), "Run `make setup`, or install them.")
    try:
        with _quiet():
            return simplified(_traced(folder, wanted), "the traced graph"), wanted
    except GraphError:
        raise
    except Exception as problem:  # torch.export raises whatever the model raises
        what = f"transformers' exporter cannot trace it: {str(problem).splitlines()[0] if str(problem) else problem!r}"
        raise GraphError(what, str(config.get("model_type")), "It needs a builder of its own.") from None


def _traced(folder: Path, task: str) -> ir.Model:
    import torch
    import transformers
    from transformers.exporters.configs import OnnxConfig
    from transformers.exporters.exporter_onnx import OnnxExporter

    cls = getattr(transformers, _CLASSES[task])
    model = cls.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, trust_remote_code=False
    ).eval()
    ids = torch.arange(4, 4 + _SAMPLE[0] * _SAMPLE[1]).reshape(_SAMPLE)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    options = OnnxConfig(dynamic=True, ort_fusions="webgpu")
    exporter = OnnxExporter()
    if task == "text-generation":
        parts = exporter.export_for_generation(model, inputs, config=options, multi_token_decode=True)
        # The graph of the first pass returns a wrong state for short prompts; this one serves prompts, too.
        program = parts.components["decode"].program
    else:
        program = exporter.export(model, inputs, config=options).program
    assert isinstance(program, ir.Model)
    return program


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what torch prints while it traces from the user's terminal."""
    logging.disable(logging.WARNING)
    try:
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # closed by the line below
        with nowhere, redirect_stdout(nowhere), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
