"""How the model came down to what travels: from its checkpoint, or float32, to the first visit, step by step."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from exporter.report.ancestry import PrunedFrom
from exporter.report.measure import Report
from exporter.report.weights import Weight
from exporter.report.what_if import WhatIf

_FLOAT_BYTES = 4


@dataclass(frozen=True)
class Step:
    """What changes the bytes, and by how many; the first step is where they start."""

    name: str
    change: int


def waterfall(
    report: Report, weights: Sequence[Weight], what_if: WhatIf | None, pruned_from: PrunedFrom | None = None
) -> Sequence[Step]:
    """Steps that sum to the first visit; those that change nothing are left out.

    They begin at the checkpoint before pruning, else at the exported one where `what_if` knows it, else at float32.
    """
    return [step for step in _steps(report, weights, what_if, pruned_from) if step.change]


def _steps(
    report: Report, weights: Sequence[Weight], what_if: WhatIf | None, pruned_from: PrunedFrom | None
) -> Iterator[Step]:
    values = sum(weight.parameters for weight in weights)
    shared = sum(weight.parameters * weight.saved // weight.bytes for weight in weights if weight.bytes)
    size, held = yield from _checkpoint_steps(what_if, pruned_from)
    plain = yield from _float_steps(values, shared, size, held)
    stored, fetched, rest = _weight_bytes(report)
    yield Step("quantized and packed", stored - plain)
    yield Step("entropy-coded", fetched - stored)
    yield Step("tokenizer, plan, engine and page", rest)
    yield Step("compressed on the wire", report.first_visit - fetched - rest)


def _checkpoint_steps(
    what_if: WhatIf | None, pruned_from: PrunedFrom | None
) -> Generator[Step, None, tuple[int, int]]:
    """Steps to the checkpoint that was exported; returns its bytes and values, 0 where nobody knows them."""
    if pruned_from:
        left = pruned_from.left
        yield Step("checkpoint before pruning", pruned_from.bytes)
        yield Step("pruned", left - pruned_from.bytes)
        yield Step("saved in another type", pruned_from.checkpoint_bytes - left)
        return pruned_from.checkpoint_bytes, pruned_from.checkpoint_values
    if what_if and what_if.checkpoint_bytes and what_if.checkpoint_values:
        yield Step("checkpoint", what_if.checkpoint_bytes)
        return what_if.checkpoint_bytes, what_if.checkpoint_values
    return 0, 0


def _float_steps(values: int, shared: int, size: int, held: int) -> Generator[Step, None, int]:
    """Steps from `size` bytes of `held` values down to each value that is played, once; returns their bytes."""
    if not held:
        yield Step("as float32, wherever it is read", _FLOAT_BYTES * (values + shared))
        yield Step("shared tensors stored once", -_FLOAT_BYTES * shared)
        return _FLOAT_BYTES * values
    plain = size * values // held
    copies = size * shared // held if held >= values + shared else 0
    yield Step("tensors that nothing reads", plain + copies - size)
    yield Step("shared tensors stored once", -copies)
    return plain


def _weight_bytes(report: Report) -> tuple[int, int, int]:
    """Weights as they are stored, as they are fetched, and all else that a visit fetches, raw."""
    of_weights = [file for file in report.files if file.role == "weights"]
    stored = sum(file.raw for file in of_weights if not file.stands_for)
    fetched = sum(file.travels for file in of_weights if file.visit)
    rest = sum(file.raw for file in report.files if file.visit and file.role != "weights")
    return stored, fetched, rest
