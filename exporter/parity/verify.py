"""`thistledown verify`: the plan, model.onnx and the checkpoint on the same inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from exporter.artifact import check_files, read_artifact_plan
from exporter.checkpoints import Checkpoint, open_checkpoint
from exporter.errors import CheckFailedError, ThistledownError
from exporter.parity.onnx_runner import OnnxDecoder, OnnxEncoder
from exporter.parity.plan_player import PlanPlayer
from exporter.parity.torch_reference import TorchDecoder, TorchEmbedder, TorchReader

Floats = npt.NDArray[np.float32]

SENTENCES = (
    "The lightest thing that travels on the wind is the down of a thistle.",
    "Grüße aus Köln: der Zug fährt heute nicht.",
    "Осінь прийшла до міста, і листя вкрило стежки парку.",  # noqa: RUF001  # Ukrainian
    "Ile kosztuje bilet do Krakowa?",
    "x",
)
PLAN_TOLERANCE = 1e-3
# Schemes of fewer bits, and mixtures, are measured only: what they keep depends on the model.
EMBEDDING_FLOORS = {"f32": 0.99999, "f16": 0.9999, "q8": 0.999, "q8z": 0.999, "q4": 0.9, "q4z": 0.9}
_GREEDY = 16


@dataclass(frozen=True)
class Check:
    """One comparison; for cosines `value` must be at least `bound`, for differences at most; None only measures."""

    name: str
    value: float
    bound: float | None
    at_least: bool

    @property
    def passed(self) -> bool:
        if self.bound is None:
            return True
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        if self.bound is None:
            return f"note  {self.name}: {self.value:.7g} (quantized weights: measured, no bound)"
        sign = ">=" if self.at_least else "<="
        return f"{'ok  ' if self.passed else 'FAIL'}  {self.name}: {self.value:.7g} (must be {sign} {self.bound:g})"


def verify(folder: Path, tier: str, checkpoint: str | None) -> Sequence[Check]:
    """All comparisons of the artifact in `folder`, passed or not.

    The f16 tier rounds activations, so it is held to the looser bounds of a float16 model.
    """
    require_packages("wgpu", *(["torch", "transformers"] if checkpoint else []))
    manifest, _ = read_artifact_plan(folder, tier)
    check_files(folder)
    compare = _CHECKS.get(manifest["task"], _reading_checks)
    source = None if checkpoint is None else open_checkpoint(checkpoint)
    return compare(folder, tier, manifest["quantization"], source)


def require_packages(*names: str) -> None:
    """Raises ThistledownError naming the packages of `names` that are not installed."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        what = f"Comparing needs {', '.join(missing)}"
        raise ThistledownError(what, "verify", "Run `make setup`, which installs what the tests use.")


def require_all(checks: Sequence[Check], folder: Path) -> None:
    """Raises CheckFailedError naming the comparisons that failed."""
    failed = [check.name for check in checks if not check.passed]
    if failed:
        what = "parity was not reached: " + "; ".join(failed)
        raise CheckFailedError(what, str(folder), "Please report this with the model's name.")


def _tokenized(folder: Path) -> list[list[int]]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    return [list(tokenizer.encode(sentence).ids) or [0] for sentence in SENTENCES]


def _cosine(a: Floats, b: Floats) -> float:
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return float(np.min(np.sum(a.astype(np.float64) * b, axis=-1) / np.maximum(norms, 1e-12)))


def _embedding_checks(folder: Path, tier: str, scheme: str, source: Checkpoint | None) -> list[Check]:
    texts = _tokenized(folder)
    plan, onnx = PlanPlayer(folder, tier).embed(texts), OnnxEncoder(folder).embed(texts)
    same = 0.9999 if tier == "f16" else 0.999999
    checks = [Check(f"plan ({tier}) and onnxruntime, lowest cosine", _cosine(plan, onnx), same, True)]
    if source is not None:
        torch = _embedder(source).embed(texts)
        floor = min(EMBEDDING_FLOORS[scheme], same) if scheme in EMBEDDING_FLOORS else None
        checks.append(
            Check(f"plan ({tier}) and transformers, lowest cosine", _cosine(plan, torch), floor, True)
        )
        checks.append(Check("onnxruntime and transformers, lowest cosine", _cosine(onnx, torch), floor, True))
    return checks


def _embedder(source: Checkpoint) -> TorchEmbedder:
    pooling = source.pooling()
    return TorchEmbedder(source.folder, pooling.mode == "cls", pooling.normalize)


def _reading_checks(folder: Path, tier: str, scheme: str, source: Checkpoint | None) -> list[Check]:
    """Logits of the classifiers, and of masked words at each text's first token and in its middle."""
    texts = _tokenized(folder)
    player = PlanPlayer(folder, tier)
    task = player.manifest["task"]
    rows = [[0, len(ids) // 2] for ids in texts] if task == "fill-mask" else []
    plan, onnx = player.read_texts(texts, rows), OnnxEncoder(folder).read_texts(texts, rows)
    bound = PLAN_TOLERANCE if tier != "f16" else 0.05
    difference = _difference(np.concatenate(plan), np.concatenate(onnx))
    checks = [Check(f"plan ({tier}) and onnxruntime, largest difference", difference, bound, False)]
    if source is not None:
        torch = np.concatenate(TorchReader(source.folder, task).read_texts(texts, rows))
        limit = bound if scheme == "f32" else None
        for name, found in ((f"plan ({tier})", plan), ("onnxruntime", onnx)):
            value = _difference(np.concatenate(found), torch)
            checks.append(Check(f"{name} and transformers, largest difference", value, limit, False))
    return checks


def _generation_checks(folder: Path, tier: str, scheme: str, source: Checkpoint | None) -> list[Check]:
    texts = _tokenized(folder)
    player, onnx = PlanPlayer(folder, tier), OnnxDecoder(folder)
    last = np.stack([player.logits(ids) for ids in texts])
    other = np.stack([onnx.logits(ids)[-1] for ids in texts])
    bound = PLAN_TOLERANCE if tier != "f16" else 0.05
    checks = [
        Check(f"plan ({tier}) and onnxruntime, largest difference", _difference(last, other), bound, False)
    ]
    same = _agreement(player.generate(texts[0], _GREEDY), onnx.generate(texts[0], _GREEDY))
    checks.append(
        Check(f"plan ({tier}) and onnxruntime, equal greedy tokens of {_GREEDY}", same, _GREEDY, True)
    )
    if source is not None:
        limit = bound if scheme == "f32" else None
        torch = np.stack([TorchDecoder(source.folder).logits(ids)[-1] for ids in texts])
        checks.append(
            Check(
                f"plan ({tier}) and transformers, largest difference", _difference(last, torch), limit, False
            )
        )
    return checks


def _difference(a: Floats, b: Floats) -> float:
    """Largest |a - b| relative to the largest |b|, at least 1."""
    return float(np.abs(a - b).max() / max(1.0, float(np.abs(b).max())))


def _agreement(a: Sequence[int], b: Sequence[int]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y), len(a))


# Every other task reads texts.
_CHECKS = {"sentence-embedding": _embedding_checks, "text-generation": _generation_checks}
