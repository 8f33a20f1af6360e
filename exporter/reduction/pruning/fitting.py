"""From goals to sizes that fit each other: what is not named follows, and what cannot be is said with a way out.

Rules: the query heads of a group all go or as many stay in each group; Mamba heads leave every B/C group alike; the
width of the mixer is a whole multiple of the hidden size, because the config's `expand` is a whole number.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import gcd

from exporter.errors import ReductionError
from exporter.reduction.pruning.anatomy import Anatomy, Stored, parameters
from exporter.reduction.pruning.goals import Amount, Goals, Ratio
from exporter.reduction.pruning.layouts import Sizes

# Ratios round to these where the size itself is a multiple: kernels and blocks of quantized weights like 32. Of small
# sizes an eighth is fine enough.
_GRAINS = {"hidden": 32, "mlp": 32, "expert_mlp": 32, "mamba_channels": 8}
# How far width goes before a layer does, and what the MLP may keep for what the stream keeps.
_NARROWEST = Fraction(1, 2)
_LEAST_MLP, _MOST_MLP = Fraction(1, 2), Fraction(4, 3)
# Of widths that come so near to the best, the one with the widest stream: an MLP bears more.
_CLOSE = 0.97
_WHERE = "--to"

KeepLayers = Callable[[int], Sequence[int]]


def fit(anatomy: Anatomy, goals: Goals, keep_layers: KeepLayers) -> dict[str, int]:
    """All sizes after pruning; `keep_layers(count)` says which layers stay. Raises ReductionError."""
    if goals.share is not None:
        return _fit_share(anatomy, goals.share, keep_layers)
    sizes = {
        **anatomy.sizes,
        **{name: _size(anatomy, name, amount) for name, amount in goals.amounts.items()},
    }
    _follow(anatomy, sizes, set(goals.amounts))
    _check(anatomy, sizes)
    keep_layers(sizes["layers"])
    if sizes == anatomy.sizes:
        raise ReductionError("Nothing would be removed", _WHERE, "Ask for less of something.")
    return sizes


def _size(anatomy: Anatomy, name: str, amount: Amount) -> int:
    _require_prunable(anatomy, name)
    before = anatomy.sizes[name]
    if isinstance(amount, Ratio):
        grain = _grain(anatomy, name)
        return min(max(round(before * amount.value / grain), 1) * grain, before)
    if amount < 1:
        raise ReductionError(f"{name}={amount} would remove all {before}", _WHERE, "Keep at least 1.")
    if amount > before:
        raise ReductionError(f"{name}={amount} is more than the {before} there are", _WHERE, "Ask for less.")
    return amount


def _require_prunable(anatomy: Anatomy, name: str) -> None:
    if name in anatomy.prunable:
        return
    why = anatomy.family.refused.get(name, "this model has none of its own")
    can = ", ".join(anatomy.prunable)
    raise ReductionError(f"{name} cannot be pruned here: {why}", _WHERE, f"Prune {can}.")


def _grain(anatomy: Anatomy, name: str) -> int:
    """What the size after a ratio is a multiple of."""
    sizes = anatomy.sizes
    if name == "heads":
        return sizes["kv_heads"] if sizes["heads"] > sizes["kv_heads"] else 1
    if name == "mamba_heads":
        return sizes["groups"]
    if name == "hidden" and _divided_by_heads(anatomy):
        return sizes["head_dim"]
    fine = 1 << max(sizes[name] // 8, 1).bit_length() - 1
    return gcd(_GRAINS.get(name, 1), fine, sizes[name])


def _divided_by_heads(anatomy: Anatomy) -> bool:
    return "heads" in anatomy.prunable and not anatomy.family.own_head_dim


def _follow(anatomy: Anatomy, sizes: dict[str, int], given: set[str]) -> None:
    """Sets what was not given and hangs on what was."""
    before = anatomy.sizes
    if _divided_by_heads(anatomy) and "hidden" in given and "heads" not in given:
        sizes["heads"] = sizes["hidden"] // sizes["head_dim"]
    if "heads" in anatomy.prunable:
        a_group = before["heads"] // before["kv_heads"]
        if "kv_heads" in given and "heads" not in given:
            sizes["heads"] = sizes["kv_heads"] * a_group
        elif a_group == 1 and "kv_heads" not in given:
            sizes["kv_heads"] = sizes["heads"]
    if (
        "mamba_heads" in anatomy.prunable
        and "hidden" in given
        and not given & {"mamba_heads", "mamba_channels"}
    ):
        heads, rest = divmod(before["expand"] * sizes["hidden"], sizes["mamba_channels"])
        sizes["mamba_heads"] = before["mamba_heads"] if rest else heads
    if "mamba_heads" in anatomy.prunable:
        sizes["expand"] = sizes["mamba_heads"] * sizes["mamba_channels"] // sizes["hidden"]


def _check(anatomy: Anatomy, sizes: Sizes) -> None:
    """Raises ReductionError for sizes that do not fit each other."""
    if "heads" in anatomy.prunable:
        _check_attention(anatomy, sizes)
    if "mamba_heads" in anatomy.prunable:
        _check_mixer(anatomy, sizes)
    if sizes["hidden"] == sizes.get("embedded"):
        raise ReductionError(
            f"hidden={sizes['hidden']} is the width of the embeddings, whose projections transformers then leaves out",
            _WHERE,
            "Give another size.",
        )
    if sizes.get("experts") and sizes["experts"] < sizes["chosen_experts"]:
        raise ReductionError(
            f"experts={sizes['experts']} is fewer than the {sizes['chosen_experts']} that each token is sent to",
            _WHERE,
            f"Keep at least {sizes['chosen_experts']}.",
        )


def _check_attention(anatomy: Anatomy, sizes: Sizes) -> None:
    heads, groups, before = sizes["heads"], sizes["kv_heads"], anatomy.sizes
    a_group = before["heads"] // before["kv_heads"]
    if heads < groups:
        raise ReductionError(
            f"heads={heads} would remove whole groups: {groups} heads of keys and values are shared by {a_group} each",
            _WHERE,
            f"Keep at least {groups}, or say kv_heads={max(heads // a_group, 1)} if whole groups are meant.",
        )
    if heads % groups or heads // groups > a_group:
        options = ", ".join(str(groups * each) for each in range(1, a_group + 1))
        whole = f"; or say kv_heads={heads // a_group}, too" if heads % a_group == 0 else ""
        raise ReductionError(
            f"heads={heads} cannot be spread over kv_heads={groups} evenly, at most {a_group} each",
            _WHERE,
            f"With kv_heads={groups}, heads can be {options}{whole}.",
        )
    if _divided_by_heads(anatomy) and heads * sizes["head_dim"] != sizes["hidden"]:
        raise ReductionError(
            f"heads={heads} of {sizes['head_dim']} channels are not hidden={sizes['hidden']}, as this config needs",
            _WHERE,
            f"Say hidden={heads * sizes['head_dim']}, and no heads: they follow.",
        )


def _check_mixer(anatomy: Anatomy, sizes: Sizes) -> None:
    heads, channels, hidden = sizes["mamba_heads"], sizes["mamba_channels"], sizes["hidden"]
    groups, most = sizes["groups"], anatomy.sizes["mamba_heads"]
    if heads % groups or heads > most or heads < groups:
        raise ReductionError(
            f"mamba_heads={heads} cannot leave the {groups} B/C groups evenly",
            _WHERE,
            f"Give a multiple of {groups} up to {most}.",
        )
    if heads * channels % hidden:
        fits = [str(n) for n in range(groups, most + 1, groups) if n * channels % hidden == 0]
        way = f"mamba_heads can be {', '.join(fits)}" if fits else "no number of heads fits"
        raise ReductionError(
            f"mamba_heads={heads} of mamba_channels={channels} make {heads * channels}, which is no whole multiple of "
            f"hidden={hidden}, and the config's expand is a whole number",
            _WHERE,
            f"With hidden={hidden} and mamba_channels={channels}, {way}.",
        )


def _fit_share(anatomy: Anatomy, share: float, keep_layers: KeepLayers) -> dict[str, int]:
    """About the most parameters within `share`: width first, then a layer less at a time."""
    every, fewest = anatomy.sizes["layers"], len(set(anatomy.kinds))
    whole = anatomy.stored(range(every))
    limit = share * parameters(whole, anatomy.sizes)
    widths = list(_widths(anatomy))
    narrowest = min(widths, key=lambda sizes: parameters(whole, sizes))
    for layers in range(every, fewest - 1, -1):
        stored = anatomy.stored(keep_layers(layers))
        if parameters(stored, narrowest) <= limit:
            return {**_widest(stored, widths, limit), "layers": layers}
    least = parameters(anatomy.stored(keep_layers(fewest)), narrowest)
    raise ReductionError(
        f"{share:.0%} is {int(limit):,} parameters; half the width and {fewest} layers still have {least:,}",
        _WHERE,
        "Ask for more, or name the dimensions.",
    )


def _widest(stored: Stored, widths: Sequence[dict[str, int]], limit: float) -> dict[str, int]:
    """Of those that are within `limit` and near to the most that is, the one with the widest stream."""
    counted = [(parameters(stored, sizes), sizes) for sizes in widths]
    within = [row for row in counted if row[0] <= limit]
    most = max(count for count, _ in within)
    near = [row for row in within if row[0] >= _CLOSE * most]
    return max(near, key=lambda row: (row[1]["hidden"], row[0]))[1]


def _widths(anatomy: Anatomy) -> Iterator[dict[str, int]]:
    """Sizes with at least half of the hidden channels, heads and experts in proportion, and the MLP nearly so."""
    before = anatomy.sizes
    for hidden in _options(anatomy, "hidden", _NARROWEST, Fraction(1)):
        ratio = Fraction(hidden, before["hidden"])
        base = {**before, "hidden": hidden}
        _narrow(anatomy, base, ratio)
        try:
            _check(anatomy, base)
        except ReductionError:
            continue
        floor = ratio * _LEAST_MLP if "hidden" in anatomy.prunable else _NARROWEST
        for inner in _options(anatomy, "mlp", floor, min(ratio * _MOST_MLP, Fraction(1))):
            sizes = {**base, "mlp": inner} if "mlp" in before else base
            if "expert_mlp" in anatomy.prunable:
                same = Fraction(inner, before["mlp"]) * before["expert_mlp"]
                grain = _grain(anatomy, "expert_mlp")
                sizes["expert_mlp"] = max(int(same // grain), 1) * grain
            yield sizes


def _narrow(anatomy: Anatomy, sizes: dict[str, int], ratio: Fraction) -> None:
    """Heads and experts in proportion."""
    before, given = anatomy.sizes, {"hidden"} & set(anatomy.prunable)
    if "heads" in anatomy.prunable and anatomy.family.own_head_dim:
        sizes["kv_heads"], sizes["heads"] = _heads(before["kv_heads"], before["heads"], ratio)
        given |= {"kv_heads", "heads"}
    if "experts" in anatomy.prunable:
        sizes["experts"] = max(int(before["experts"] * ratio), before["chosen_experts"])
    _follow(anatomy, sizes, given)


def _heads(groups: int, heads: int, ratio: Fraction) -> tuple[int, int]:
    """The most heads within `ratio`, and of those the most groups; at least one."""
    most = max(int(ratio * heads), 1)
    fits = [
        (count * each, count)
        for count in range(1, groups + 1)
        for each in range(1, heads // groups + 1)
        if count * each <= most
    ]
    return max(fits)[::-1]


def _options(anatomy: Anatomy, name: str, low: Fraction, high: Fraction) -> list[int]:
    """Multiples of the grain within these shares of the size, and the largest below them if there is none."""
    whole = anatomy.sizes.get(name, 1)
    if name not in anatomy.prunable:
        return [whole]
    grain = _grain(anatomy, name)
    most = max(int(high * whole // grain), 1)
    least = min(max(-int(-low * whole // grain), 1), most)
    return [count * grain for count in range(least, most + 1)]
