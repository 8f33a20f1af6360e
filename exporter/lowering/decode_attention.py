"""Lowering of attention of one token over a long cache: splits of the cache side by side, then their sum."""

from collections.abc import Mapping

from exporter.lowering.program import Target, View
from exporter.lowering.walk import Walk

# Rows that a split walks at a time, and most splits: with the heads, enough workgroups to fill a GPU.
_TILE = 128
_MOST_SPLITS = 16


def splits_of(walk: Walk, constants: Mapping[str, float]) -> int:
    """How many splits attention should have; 1 where the whole cache is best walked at once."""
    context = walk.program.symbols["past"]
    if walk.mode != "decode" or constants["head_dim"] % 4:
        return 1
    seen = min(int(constants["window"]) or context, context)
    return min(-(-seen // _TILE), _MOST_SPLITS)


def attend_in_splits(
    walk: Walk, bindings: Mapping[str, View | Target], constants: Mapping[str, float], out: View, node: str
) -> None:
    """Attention of the query over key and value, in `splits` of `constants`, into `out`."""
    program = walk.program
    splits, heads = int(constants["splits"]), int(constants["heads"])
    mixes = program.scratch(splits, heads * int(constants["head_dim"]), 4)
    sums = program.scratch(splits, heads * 2, 4)
    parts: dict[str, View | Target] = {"mixes": mixes, "sums": sums}
    program.dispatch("attention_split", {**bindings, **parts}, constants, node)
    program.dispatch("attention_merge", {**parts, "out": out}, constants, node)
