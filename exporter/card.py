"""The model card of an artifact."""

from collections.abc import Sequence

from exporter.artifact import Manifest
from exporter.errors import printable
from exporter.sizes import human

_USES = {
    "sentence-embedding": 'const [{ data }] = await model.embed(["a sentence"]); // Float32Array({dimensions})',
    "text-generation": 'for await (const { text } of model.generate("Once")) console.info(text);',
    "text-classification": 'const [{ label, score }] = await model.classify("a text"); // best first',
    "token-classification": 'const [{ text, label, score }] = await model.classifyTokens("a text"); // a word each',
    "fill-mask": "const [{ token, score }] = await model.fillMask(`a ${model.info.maskToken} text`); // best first",
}
_TASKS = {
    "sentence-embedding": "sentence embeddings",
    "text-generation": "text generation",
    "text-classification": "text classification",
    "token-classification": "token classification",
    "fill-mask": "filling in masked words",
}


def model_card(manifest: Manifest, folder: str, schemes: str = "") -> str:
    """README.md of an artifact that is served as models/`folder`/: what it is, what it costs, how to use it.

    `schemes` is a table in Markdown of what other schemes cost and keep, if somebody measured it.
    """
    use = _USES[manifest.task].replace("{dimensions}", str(manifest.dimensions))
    title, source = printable(manifest.title, 120), printable(manifest.source, 120)
    weight_bytes = sum(shard.bytes for shard in manifest.fetched)
    bits = 8 * weight_bytes / max(1, manifest.parameters)
    return f"""---
license: {manifest.license or "unknown"}
language: [{", ".join(manifest.languages)}]
base_model: {source}
library_name: thistledown
---

# {title} for the browser

{source}, compiled by Thistledown for {_TASKS[manifest.task]} on the visitor's own GPU.

| | |
|---|---|
| architecture | {manifest.architecture} |
| weights | {manifest.quantization}, {human(weight_bytes)} ({bits:.2f} bits per weight) |
| parameters | {manifest.parameters:,} |
| context | {manifest.context} tokens |
| licence | {manifest.license or "not stated by the checkpoint"} |
| languages | {_listed(manifest.languages)} |

```js
import {{ load }} from '/engine/index.js';
const model = await load('/models/{folder}/');
{use}
```

`model.onnx` is the same model for onnxruntime, on the same weight files.
{_what_if(schemes)}"""


def _what_if(schemes: str) -> str:
    return f"\n## What other schemes would cost and keep\n\n{schemes}\n" if schemes else ""


def _listed(languages: Sequence[str]) -> str:
    return ", ".join(languages) or "not stated by the checkpoint"
