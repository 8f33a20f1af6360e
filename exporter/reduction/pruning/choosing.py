"""Which layers, channels, heads, neurons and experts stay: those with the highest scores, in their old order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from exporter.errors import CalibrationError, ReductionError
from exporter.reduction.pruning.anatomy import Anatomy
from exporter.reduction.pruning.layouts import Indices, Sizes

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Importance:
    """What parts of a model are worth.

    `layers` (layers), `hidden` (hidden); `within[layer]` has "mlp" (neurons), "heads" (heads), "mamba_heads" and
    "mamba_channels" (of a head), "experts" (experts) and "expert_mlp" (experts, neurons), as far as they are there.
    """

    layers: Scores
    hidden: Scores
    within: Sequence[Mapping[str, Scores]]

    def check(self) -> None:
        """Raises CalibrationError if any score is no finite number."""
        self._check("layers", self.layers)
        self._check("hidden channels", self.hidden)
        for layer, scores in enumerate(self.within):
            for name, values in scores.items():
                self._check(f"{name} in layer {layer}", values)

    @staticmethod
    def _check(what: str, values: Scores) -> None:
        if not np.isfinite(values).all():
            raise CalibrationError(
                f"The statistics of {what} are not finite",
                "calibration",
                "The checkpoint is damaged or overflows float32; nothing was written.",
            )


@dataclass(frozen=True)
class Choice:
    """`layers` are the old numbers of those that stay; `everywhere` and `within[layer]` have kept indices."""

    layers: Sequence[int]
    everywhere: Mapping[str, Indices] = field(default_factory=dict)
    within: Mapping[int, Mapping[str, Indices]] = field(default_factory=dict)

    def kept(self, layer: int | None) -> Mapping[str, Indices]:
        """The kept indices in a layer, or in the body."""
        return self.everywhere if layer is None else {**self.everywhere, **self.within.get(layer, {})}


def keep_layers(kinds: Sequence[str], scores: Scores | None, count: int) -> Sequence[int]:
    """The `count` layers of the highest scores, one of each kind at least; without scores the first ones.

    Raises ReductionError if there are more kinds than that.
    """
    if count < len(set(kinds)):
        both = " and ".join(sorted(set(kinds)))
        remedy = f"Keep at least {len(set(kinds))}: the caches of such a model need one of each kind."
        raise ReductionError(f"layers={count} cannot have {both} layers", "--to", remedy)
    worth = -np.arange(len(kinds), dtype=np.float64) if scores is None else scores
    best = [int(layer) for layer in np.argsort(-worth, kind="stable")]
    firsts = [next(layer for layer in best if kinds[layer] == kind) for kind in sorted(set(kinds))]
    others = [layer for layer in best if layer not in firsts]
    return sorted(firsts + others[: count - len(firsts)])


def choose(anatomy: Anatomy, sizes: Sizes, importance: Importance) -> Choice:
    """What stays when dimensions get `sizes`."""
    before = anatomy.sizes
    layers = keep_layers(anatomy.kinds, importance.layers, sizes["layers"])
    everywhere = {}
    if sizes["hidden"] < before["hidden"]:
        everywhere["hidden"] = best(importance.hidden, sizes["hidden"])
    within = {layer: _within(before, sizes, importance.within[layer]) for layer in layers}
    return Choice(layers, everywhere, within)


def best(scores: Scores, count: int) -> Indices:
    """The places of the `count` highest scores, ascending; of equal ones the first."""
    return np.sort(np.argsort(-scores, kind="stable")[:count])


def _within(before: Sizes, after: Sizes, scores: Mapping[str, Scores]) -> dict[str, Indices]:
    shrunk = {name for name in scores if after[name] < before[name]}
    found = {name: best(scores[name], after[name]) for name in shrunk & {"mlp", "mamba_channels", "experts"}}
    if "heads" in shrunk:
        groups = scores["heads"].reshape(before["kv_heads"], -1)
        kept_groups, heads = _heads(groups, after["kv_heads"], after["heads"] // after["kv_heads"])
        found |= {"heads": heads, "kv_heads": kept_groups}
    if "mamba_heads" in shrunk:
        groups = scores["mamba_heads"].reshape(before["groups"], -1)
        found["mamba_heads"] = _heads(groups, before["groups"], after["mamba_heads"] // before["groups"])[1]
    if "expert_mlp" in shrunk:
        found["expert_mlp"] = np.stack([best(row, after["expert_mlp"]) for row in scores["expert_mlp"]])
    return found


def _heads(scores: Scores, groups: int, each: int) -> tuple[Indices, Indices]:
    """The groups that stay, and the heads: `each` in every group that stays. `scores` is (groups, heads of one)."""
    heads = [best(row, each) for row in scores]
    worth = np.array([row[kept].sum() for row, kept in zip(scores, heads, strict=True)])
    kept_groups = best(worth, groups)
    return kept_groups, np.concatenate([group * scores.shape[1] + heads[group] for group in kept_groups])
