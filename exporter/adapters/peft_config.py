"""adapter_config.json of peft: what scales the low-rank product, and what we do not know how to apply."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exporter.errors import LoraError

CONFIG_FILE = "adapter_config.json"
MOST_RANK = 256
_LARGEST_ALPHA = 1e6
# Patterns are regular expressions in peft. Two repetitions at most: more of them can take for ever on a long name.
_PATTERN = re.compile(r"[\w.\\^$|*+\[\]-]{1,256}")
_MOST_REPEATS = 2
# Set, each of these changes what is computed; the values are those that leave it a plain product.
_PLAIN: Mapping[str, tuple[Any, ...]] = {
    "use_dora": (False,),
    "bias": ("none",),
    "lora_bias": (False,),
    "fan_in_fan_out": (False,),
    "modules_to_save": ([],),
    "target_parameters": ([],),
    "trainable_token_indices": ([], {}),
    "layer_replication": ([],),
    "alora_invocation_tokens": (),
    "use_qalora": (False,),
    "use_bdlora": (),
    "velora_config": (),
    "monteclora_config": (),
    "arrow_config": (),
    "kasa_config": (),
}
# These begin by taking something away from the base itself, which peft only saves if it is told to.
_CHANGES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")


@dataclass(frozen=True)
class PeftConfig:
    """How each module's product is scaled: alpha / rank, or alpha / sqrt(rank) where `by_root`.

    `base` is the path or hub id of what it was trained on, if that is stated.
    """

    base: str
    rank: int
    alpha: float
    by_root: bool
    ranks: Mapping[str, int]
    alphas: Mapping[str, float]

    def rank_of(self, module: str) -> int:
        """The rank of `module`, which is a name in the base model."""
        return self.ranks.get(_pattern_for(self.ranks, module), self.rank)

    def scale_of(self, module: str) -> float:
        """What its product is multiplied by."""
        rank = self.rank_of(module)
        alpha = self.alphas.get(_pattern_for(self.alphas, module), self.alpha)
        return alpha / (math.sqrt(rank) if self.by_root else rank)


def parse_config(config: Mapping[str, Any]) -> PeftConfig:
    """The settings in adapter_config.json; raises LoraError naming the first that is unfit or not supported."""
    kind = config.get("peft_type")
    if kind != "LORA":
        raise LoraError(f'peft_type is "{kind}"', CONFIG_FILE, "Only LORA can be applied.")
    for key, plain in _PLAIN.items():
        value = config.get(key)
        if value is not None and not any(type(value) is type(each) and value == each for each in plain):
            raise LoraError(f"{key} is {value!r}", CONFIG_FILE, _remedy(key))
    start = config.get("init_lora_weights")
    if isinstance(start, str) and start.lower().startswith(_CHANGES_BASE):
        what = f'init_lora_weights is "{start}", which changes the base as well'
        raise LoraError(what, CONFIG_FILE, "Save it with path_initial_model_for_weight_conversion.")
    base = config.get("base_model_name_or_path")
    return PeftConfig(
        base=base if isinstance(base, str) else "",
        rank=_rank(config.get("r"), "r"),
        alpha=_alpha(config.get("lora_alpha"), "lora_alpha"),
        by_root=_flag(config.get("use_rslora"), "use_rslora"),
        ranks={key: _rank(value, f"rank_pattern.{key}") for key, value in _patterns(config, "rank_pattern")},
        alphas={key: _alpha(v, f"alpha_pattern.{key}") for key, v in _patterns(config, "alpha_pattern")},
    )


def _remedy(key: str) -> str:
    if key == "fan_in_fan_out":
        return "Transposed weights (GPT-2's Conv1D) cannot be adapted; only linears can."
    return "Only the low-rank product itself can be applied: merge this one with peft (merge_and_unload)."


def _patterns(config: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    patterns = config.get(key) or {}
    if not isinstance(patterns, dict):
        raise LoraError(f"{key} is no object", CONFIG_FILE, "Save the adapter again.")
    for pattern in patterns:
        repeats = pattern.count("*") + pattern.count("+")
        if not _PATTERN.fullmatch(pattern) or repeats > _MOST_REPEATS or not _compiles(pattern):
            what = f'{key} has the pattern "{pattern}"'
            raise LoraError(what, CONFIG_FILE, "Name modules plainly, with at most two * or +.")
    return list(patterns.items())


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _pattern_for(patterns: Mapping[str, object], module: str) -> str:
    """The first pattern that matches the end of the name, as peft takes it; "" if none does."""
    return next((key for key in patterns if re.match(rf"(.*\.)?({key})$", module)), "")


def _rank(value: Any, key: str) -> int:
    if type(value) is not int or not 1 <= value <= MOST_RANK:
        raise LoraError(f"{key} is {value!r}", CONFIG_FILE, f"A rank is a whole number of 1 to {MOST_RANK}.")
    return value


def _alpha(value: Any, key: str) -> float:
    if type(value) not in (int, float) or not -_LARGEST_ALPHA <= value <= _LARGEST_ALPHA:
        raise LoraError(f"{key} is {value!r}", CONFIG_FILE, f"Give a number of at most {_LARGEST_ALPHA:g}.")
    return float(value)


def _flag(value: Any, key: str) -> bool:
    if value not in (None, True, False):
        raise LoraError(f"{key} is {value!r}", CONFIG_FILE, "Give true or false.")
    return bool(value)
