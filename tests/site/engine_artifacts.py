"""Hand-made artifacts of a few hundred bytes, with shaders a reader can check by eye, for the engine's tests.

They hold to exporter/artifact/FORMAT.md without any of the exporter's code, so that reader and writer are proved apart.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Json = dict[str, Any]

STEP = """
struct Step { tokens: u32, past: u32, sequences: u32, done: u32, generated: u32, limit: u32, a: u32, b: u32 }
"""

# --- sentence embedding: mean of table rows plus the cosine of the position in column 0, plus a bias ---

WIDTH = 4
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "thistle", "down", "floats", "far", "##s", "wind"]
EMBED_TOKENS = 12
EMBED_SEQUENCES = 3
EMBED_CONTEXT = 8

GATHER = (
    STEP
    + """
override width: u32;
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;
@group(0) @binding(5) var<storage, read> rope: array<f32>;
@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= width || at.y >= step.tokens) { return; }
  var value = table[ids[at.y] * width + at.x];
  if (at.x == 0u) { value += rope[positions[at.y] * 2u]; }
  out[at.y * width + at.x] = value;
}
"""
)
POOL = """
override width: u32;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= width) { return; }
  let first = bounds[at.y];
  let end = bounds[at.y + 1u];
  var sum = 0.0;
  for (var t = first; t < end; t++) { sum += x[t * width + at.x]; }
  out[at.y * width + at.x] = sum / f32(end - first) + bias[at.x];
}
"""

# --- text generation: a script of ids, and a state that mixes every id it has seen ---

PIECES = ["<end>", "<s>", "a", "b", "Ġ", "Ã", "©", "â", "Ĥ", "¬", "<role>", "c"]
END, BEGIN, A, B, SPACE, E1, E2, EURO1, EURO2, EURO3, ROLE, C = range(len(PIECES))
BLOCK = 4
CONTEXT = 32
RING = 4
MODULUS = 997

CONSUME = (
    STEP
    + """
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> mix: array<u32>;
@compute @workgroup_size(1) fn main() {
  if (step.done != 0u) { return; }
  for (var t = 0u; t < step.tokens; t++) {
    mix[0] = (mix[0] * 31u + ids[t] + 1u) % 997u;
    mix[1] += 1u;
  }
}
"""
)
HEAD = """
override vocabulary: u32;
@group(0) @binding(1) var<storage, read_write> mix: array<u32>;
@group(0) @binding(2) var<storage, read_write> logits: array<f32>;
@group(0) @binding(3) var<storage, read> script: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= vocabulary) { return; }
  let next = script[min(mix[1] - 1u, arrayLength(&script) - 1u)];
  logits[at.x] = f32(mix[0]) + select(0.0, 1000.0, at.x == next);
}
"""
SAMPLE = (
    STEP
    + """
struct Sampling { temperature: f32, top_p: f32, top_k: u32, seed: u32 }
override vocabulary: u32;
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<uniform> sampling: Sampling;
@group(0) @binding(3) var<storage, read_write> token: array<u32>;
@compute @workgroup_size(1) fn main() {
  var best = vocabulary;
  for (var v = 0u; v < vocabulary; v++) {
    let is_number = (bitcast<u32>(logits[v]) & 0x7fffffffu) <= 0x7f800000u;
    if (is_number && (best == vocabulary || logits[v] > logits[best])) { best = v; }
  }
  if (sampling.temperature > 0.0) {
    best = 2u + (sampling.seed + step.past + step.tokens + sampling.top_k + u32(sampling.top_p * 4.0)) % 3u;
  }
  token[0] = best;
}
"""
)
ADVANCE = (
    STEP
    + """
override ring_length: u32;
@group(0) @binding(0) var<storage, read_write> step: Step;
@group(0) @binding(1) var<storage, read> token: array<u32>;
@group(0) @binding(2) var<storage, read_write> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> ring: array<u32>;
@group(0) @binding(4) var<storage, read> stops: array<u32>;
@compute @workgroup_size(1) fn main() {
  if (step.done != 0u) { return; }
  step.past += step.tokens;
  step.tokens = 1u;
  ids[0] = token[0];
  ring[step.generated % ring_length] = token[0];
  step.generated += 1u;
  var done = step.generated >= step.limit;
  for (var i = 0u; i < stops[0]; i++) { done = done || stops[1u + i] == token[0]; }
  step.done = u32(done);
}
"""
)


@dataclass
class Artifact:
    """An artifact that a test may bend before it is served: `manifest` and `plan` are plain JSON values."""

    manifest: Json
    plan: Json
    shards: list[bytes]
    tokenizer: Json
    extra_plans: dict[str, Json] = field(default_factory=dict)
    texts: dict[str, Json] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """The new `folder` with every file in it."""
        folder.mkdir()
        for name, content in self.files().items():
            (folder / name).write_bytes(content)
        return folder

    def files(self, chunk_bytes: int = 64) -> dict[str, bytes]:
        """Every file by name, with the manifest's hashes made true."""
        manifest = dict(self.manifest)
        manifest["shards"] = [_shard_record(shard, chunk_bytes) for shard in self.shards]
        files = {f"{_sha(shard)}.bin": shard for shard in self.shards}
        manifest["plans"] = {}
        for tier, plan in {"base": self.plan, **self.extra_plans}.items():
            name = f"plan.{tier}.json"
            files[name] = _dump(plan)
            needs = {key: plan[key] for key in ("features", "memory", "limits")}
            manifest["plans"][tier] = {**_record(name, files[name]), **needs}
        files["tokenizer.json"] = _dump(self.tokenizer)
        files["tokenizer_config.json"] = _dump({"clean_up_tokenization_spaces": False})
        files |= {name: _dump(text) for name, text in self.texts.items()}
        manifest["files"] = [
            {**_record(name, files[name]), "role": "tokenizer"}
            for name in ("tokenizer.json", "tokenizer_config.json", *self.texts)
        ]
        return {**files, "manifest.json": _dump(manifest)}

    def download_bytes(self) -> int:
        return sum(len(content) for name, content in self.files().items() if name != "manifest.json")


def _dump(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _record(name: str, content: bytes) -> Json:
    return {"file": name, "bytes": len(content), "sha256": _sha(content)}


def _shard_record(shard: bytes, chunk_bytes: int) -> Json:
    chunks = [_sha(shard[i : i + chunk_bytes]) for i in range(0, len(shard), chunk_bytes)]
    return {**_record(f"{_sha(shard)}.bin", shard), "chunk_bytes": chunk_bytes, "chunks": chunks}


def _buffer(name: str, kind: str, size: int, **more: object) -> Json:
    return {"name": name, "kind": kind, "bytes": size, **more}


def _plan(task: str, symbols: Mapping[str, int], buffers: Sequence[Json], shaders: Mapping[str, str]) -> Json:
    """A plan whose memory adds up; kernels and phases are still to come."""
    use = {"weight": "weights", "activation": "activations", "table": "tables"}
    use |= dict.fromkeys(("state", "snapshot"), "states")
    memory = dict.fromkeys([*use.values(), "io"], 0)
    for buffer in buffers:
        memory[use.get(buffer["kind"], "io")] += buffer["bytes"]
    largest = max(buffer["bytes"] for buffer in buffers)
    return {
        "format": "thistledown-plan", "version": 1, "tier": "base", "task": task, "features": [],
        "limits": {
            "maxBufferSize": largest, "maxStorageBufferBindingSize": largest,
            "maxStorageBuffersPerShaderStage": 5, "maxComputeWorkgroupStorageSize": 0,
            "maxComputeInvocationsPerWorkgroup": 64,
        },
        "symbols": dict(symbols), "memory": {**memory, "total": sum(memory.values())},
        "shaders": dict(shaders), "buffers": list(buffers), "kernels": [], "phases": {},
    }  # fmt: skip


def _manifest(task: str, **facts: object) -> Json:
    return {
        "format": "thistledown", "version": 1, "name": "tiny", "title": "Tiny", "task": task,
        "architecture": "none", "source": "hand-made", "license": "apache-2.0", "languages": ["en"],
        "quantization": "f32", "parameters": 40, "dimensions": None, "generation": None, **facts,
    }  # fmt: skip


def _bindings(plan: Json, names: Mapping[int, str]) -> list[list[int]]:
    index = {buffer["name"]: i for i, buffer in enumerate(plan["buffers"])}
    return [[n, index[name], 0, plan["buffers"][index[name]]["bytes"]] for n, name in names.items()]


def _add(
    plan: Json, phases: Sequence[str], shader: str, constants: Mapping[str, float], names: Mapping[int, str],
    grid: Sequence[object] = (1, 1, 1),
) -> None:  # fmt: skip
    """One kernel, dispatched once in each of `phases`."""
    plan["kernels"].append({"shader": shader, "constants": dict(constants)})
    dispatch = {"kernel": len(plan["kernels"]) - 1, "bind": _bindings(plan, names), "grid": list(grid)}
    for phase in phases:
        plan["phases"].setdefault(phase, []).append(dispatch)


def embedding_table() -> NDArray[np.float32]:
    """f32 [words][width] that no two rows share."""
    return np.random.default_rng(7).standard_normal((len(WORDS), WIDTH), dtype=np.float32)


EMBED_BIAS = np.array([0.5, -1.0, 2.0, 0.25], dtype=np.float32)


def embedding_artifact() -> Artifact:
    """Two shards; the first holds the table and the bias, so that chunks straddle buffers."""
    table, spare = embedding_table().tobytes(), np.arange(32, dtype=np.float32).tobytes()
    padding = bytes(256 - len(table) % 256)
    ids = EMBED_TOKENS * 4
    buffers = [
        _buffer("table", "weight", len(table), shard=0, offset=0),
        _buffer("bias", "weight", 16, shard=0, offset=256),
        _buffer("spare", "weight", 128, shard=1, offset=0),
        _buffer("rope", "table", EMBED_CONTEXT * 8, table="rope", inv_freq=[1.0], positions=EMBED_CONTEXT, scale=1),
        _buffer("hidden", "activation", EMBED_TOKENS * WIDTH * 4),
        _buffer("ids", "input", ids), _buffer("positions", "input", ids),
        _buffer("sequence_of", "input", ids), _buffer("bounds", "input", (EMBED_SEQUENCES + 1) * 4),
        _buffer("embedding", "output", EMBED_SEQUENCES * WIDTH * 4), _buffer("step", "step", 32),
    ]  # fmt: skip
    symbols = {"tokens": EMBED_TOKENS, "past": 0, "sequences": EMBED_SEQUENCES}
    plan = _plan("sentence-embedding", symbols, buffers, {"gather": GATHER, "pool": POOL})
    gather = {0: "step", 1: "ids", 2: "hidden", 3: "table", 4: "positions", 5: "rope"}
    rows, sequences = ({"of": name, "times": 1, "per": 1} for name in ("tokens", "sequences"))
    _add(plan, ["encode"], "gather", {"width": WIDTH}, gather, [1, rows, 1])
    pool = {1: "hidden", 2: "bounds", 3: "embedding", 4: "bias"}
    _add(plan, ["encode"], "pool", {"width": WIDTH}, pool, [1, sequences, 1])
    facts = {"context": EMBED_CONTEXT, "dimensions": WIDTH, "vocabulary": len(WORDS)}
    manifest = _manifest("sentence-embedding", **facts)
    return Artifact(manifest, plan, [table + padding + EMBED_BIAS.tobytes(), spare], word_tokenizer())


def expected_embedding(ids: Sequence[int]) -> NDArray[np.float64]:
    """What the plan above must give for one sequence."""
    rows = embedding_table()[list(ids)].astype(np.float64)
    rows[:, 0] += [math.cos(position) for position in range(len(ids))]
    return rows.mean(axis=0) + EMBED_BIAS


def generation_artifact(
    script: Sequence[int], *, context: int = CONTEXT, ring: int = RING, pieces: Sequence[str] = PIECES,
    **generation: object,
) -> Artifact:  # fmt: skip
    """After n tokens the model says script[n - 1], the last for ever. `pieces` begin with `PIECES`."""
    words = np.array(script, dtype=np.uint32).tobytes()
    vocabulary = len(pieces)
    buffers = [
        _buffer("script", "weight", len(words), shard=0, offset=0),
        _buffer("mix", "state", 8, role="ssm"), _buffer("kept", "snapshot", 8, of=1),
        _buffer("ids", "input", BLOCK * 4), _buffer("stops", "input", 16), _buffer("logits", "output", vocabulary * 4),
        _buffer("token", "output", 4), _buffer("ring", "output", ring * 4),
        _buffer("step", "step", 32), _buffer("sampling", "sampling", 16),
    ]  # fmt: skip
    symbols = {"tokens": BLOCK, "past": context, "sequences": 1}
    shaders = {"consume": CONSUME, "head": HEAD, "sample": SAMPLE, "advance": ADVANCE}
    plan = _plan("text-generation", symbols, buffers, shaders)
    _add(plan, ["prefill", "decode"], "consume", {}, {0: "step", 1: "ids", 2: "mix"})
    words_binding = {1: "mix", 2: "logits", 3: "script"}
    groups = [-(-vocabulary // 64), 1, 1]
    _add(plan, ["head", "decode"], "head", {"vocabulary": vocabulary}, words_binding, groups)
    sample = {0: "step", 1: "logits", 2: "sampling", 3: "token"}
    _add(plan, ["sample"], "sample", {"vocabulary": vocabulary}, sample)
    advance = {0: "step", 1: "token", 2: "ids", 3: "ring", 4: "stops"}
    _add(plan, ["sample"], "advance", {"ring_length": ring}, advance)
    usual = {"stop_ids": [END], "bos_id": BEGIN, "temperature": 0, "top_k": 0, "top_p": 1, **generation}
    manifest = _manifest("text-generation", context=context, vocabulary=vocabulary, generation=usual)
    return Artifact(manifest, plan, [words], byte_tokenizer(pieces))


def choosing_artifact(script: Sequence[int]) -> Artifact:
    """A generator whose head can be played in two ways: slowly, as it stands, or fast."""
    artifact = generation_artifact(script)
    plan = artifact.plan
    plan["choices"] = {"head": ["slow", "fast"], "other": ["one", "two"]}
    head = next(i for i, kernel in enumerate(plan["kernels"]) if kernel["shader"] == "head")
    plan["shaders"]["slow"] = HEAD.replace("let next", SPIN + "let next")
    plan["kernels"].append({**plan["kernels"][head], "shader": "slow"})
    for phase in ("head", "decode"):
        dispatch = plan["phases"][phase][-1]
        fast = {"kernel": head, "grid": dispatch["grid"]}
        slow = {**dispatch, "kernel": len(plan["kernels"]) - 1, "choice": "head", "or": [fast]}
        plan["phases"][phase][-1] = slow
    return artifact


# Work that no compiler leaves out, and that changes no result.
SPIN = """var spin = mix[0];
  for (var i = 0u; i < 60000u; i++) { spin = spin * 1664525u + 1013904223u; }
  if (spin == 1u) { logits[0] = 1.0; }
  """


def mix_of(ids: Sequence[int]) -> int:
    """The state after `ids`, which every logit carries."""
    mix = 0
    for token in ids:
        mix = (mix * 31 + token + 1) % MODULUS
    return mix


def special(content: str, token: int) -> Json:
    """An added token as tokenizer.json lists it."""
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": token, "content": content, "special": True, **flags}


def word_tokenizer() -> Json:
    """WordPiece over `WORDS`, with [CLS] before and [SEP] after a text."""
    around = [{"SpecialToken": {"id": name, "type_id": 0}} for name in ("[CLS]", "[SEP]")]
    specials = {
        name: {"id": name, "ids": [WORDS.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")
    }
    single = [around[0], {"Sequence": {"id": "A", "type_id": 0}}, around[1]]
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [special(name, i) for i, name in enumerate(WORDS[:4])],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": [],
                           "special_tokens": specials},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {word: i for i, word in enumerate(WORDS)}},
    }  # fmt: skip


def byte_tokenizer(pieces: Sequence[str] = PIECES) -> Json:
    """Byte-level BPE without merges, so that characters of two and three bytes are several tokens."""
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [special(PIECES[i], i) for i in (END, BEGIN, ROLE)],
        "normalizer": None, "pre_tokenizer": level, "post_processor": None, "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "merges": [],
                  "vocab": {piece: i for i, piece in enumerate(pieces)}},
    }  # fmt: skip
