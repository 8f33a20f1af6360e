"""Hand-made artifacts of the tasks that read texts: each logit is a number of the table of words, and can be told."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.site.engine_artifacts import (
    STEP,
    Artifact,
    Json,
    _add,
    _buffer,
    _manifest,
    _plan,
    special,
    word_tokenizer,
)

Task = Literal["text-classification", "token-classification", "fill-mask"]

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "thistle", "down", "floats", "far", "##s", "wind", "!", "[MASK]"]
LABELS = ["calm", "stormy", "dry"]
TOKENS, SEQUENCES, CONTEXT = 12, 3, 8

# Row r of the output is the table's row of a token: of token r, of the one that rows[r] names, or of the first word.
PICK = (
    STEP
    + """
override width: u32;
override words: u32;
override skip: u32;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read> index: array<u32>;
@compute @workgroup_size(16) fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= width) { return; }
  let token = select(at.y, index[at.y] + skip, words == 0u);
  out[at.y * width + at.x] = table[ids[token] * width + at.x];
}
"""
)


def table(width: int) -> NDArray[np.float32]:
    """f32 [words][width]."""
    return np.random.default_rng(width).standard_normal((len(WORDS), width), dtype=np.float32)


def reader_artifact(task: Task, **facts: object) -> Artifact:
    """A model of `task` whose logits are rows of `table`."""
    width = len(WORDS) if task == "fill-mask" else len(LABELS)
    by_token = task == "token-classification"
    rows = TOKENS if by_token else SEQUENCES
    weights = table(width).tobytes()
    buffers = [
        _buffer("table", "weight", len(weights), shard=0, offset=0),
        *(_buffer(name, "input", TOKENS * 4) for name in ("ids", "positions", "sequence_of")),
        _buffer("bounds", "input", (SEQUENCES + 1) * 4), _buffer("rows", "input", SEQUENCES * 4),
        _buffer("logits", "output", rows * width * 4), _buffer("step", "step", 32),
    ]  # fmt: skip
    plan = _plan(task, {"tokens": TOKENS, "past": 0, "sequences": SEQUENCES}, buffers, {"pick": PICK})
    index = "rows" if task == "fill-mask" else "bounds"
    constants = {"width": width, "words": int(by_token), "skip": int(task == "text-classification")}
    grid = [1, {"of": "tokens" if by_token else "sequences", "times": 1, "per": 1}, 1]
    _add(plan, ["encode"], "pick", constants, {1: "ids", 2: "logits", 3: "table", 4: index}, grid)
    usual: Json = {"context": CONTEXT, "vocabulary": len(WORDS)}
    if task == "fill-mask":
        usual["mask_token"] = "[MASK]"
    else:
        usual |= {"labels": LABELS, "score_function": "softmax"}
    return Artifact(_manifest(task, **usual | facts), plan, [weights], _tokenizer())


def _tokenizer() -> Json:
    tokenizer = word_tokenizer()
    tokenizer["added_tokens"].append(special("[MASK]", WORDS.index("[MASK]")))
    tokenizer["model"]["vocab"] = {word: i for i, word in enumerate(WORDS)}
    return tokenizer


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(powers / powers.sum())


def row_of(word: str, width: int) -> NDArray[np.float32]:
    return table(width)[WORDS.index(word)]
