"""Generation defaults of a checkpoint, as the manifest states them."""

from collections.abc import Mapping
from typing import Any

from exporter.artifact import Generation
from exporter.errors import ConfigError

_TOP_K_OF_TRANSFORMERS = 50
_MOST_STOPS = 63
_LEAST_TOP_P = 1e-6

# Settings of transformers that change what is generated, with the value that changes nothing; the engine has none.
_NEUTRAL: Mapping[str, Any] = {
    "bad_words_ids": None,
    "begin_suppress_tokens": None,
    "diversity_penalty": 0.0,
    "encoder_repetition_penalty": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "exponential_decay_length_penalty": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "min_length": 0,
    "min_p": None,
    "no_repeat_ngram_size": 0,
    "num_beams": 1,
    "penalty_alpha": None,
    "repetition_penalty": 1.0,
    "sequence_bias": None,
    "suppress_tokens": None,
    "top_h": None,
    "typical_p": 1.0,
}


def generation_defaults(
    generation_config: Mapping[str, Any], config: Mapping[str, Any], vocabulary: int
) -> Generation:
    """Stop ids, begin id and sampling defaults; temperature 0 is greedy, top_k 0 is off.

    generation_config.json goes before config.json, as in transformers: a token that ends turns in the chat template
    ends an answer only if it is named there. Raises ConfigError for impossible values.
    """

    def find(key: str, default: Any = None) -> Any:  # JSON values
        value = generation_config.get(key)
        return config.get(key, default) if value is None else value

    sampled = generation_config.get("do_sample") is True
    top_k = _number(generation_config, "top_k", _TOP_K_OF_TRANSFORMERS, 0, 1 << 24)
    return Generation(
        stop_ids=tuple(_ids(find("eos_token_id", []), vocabulary)),
        bos_id=next(iter(_ids(find("bos_token_id", []), vocabulary)), None),
        temperature=_number(generation_config, "temperature", 1.0, 0.0, 100.0) if sampled else 0.0,
        top_k=int(top_k) if sampled else 0,
        top_p=_number(generation_config, "top_p", 1.0, _LEAST_TOP_P, 1.0) if sampled else 1.0,
    )


def ignored_settings(generation_config: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of settings that transformers would follow and the engine does not."""
    return tuple(
        name for name, neutral in _NEUTRAL.items() if generation_config.get(name) not in (None, neutral, [])
    )


def _ids(value: Any, vocabulary: int) -> list[int]:  # JSON values
    ids = [] if value is None else value if isinstance(value, list) else [value]
    if len(ids) > _MOST_STOPS or not all(type(i) is int and 0 <= i < vocabulary for i in ids):
        raise ConfigError(
            f"token ids {ids!r} do not fit a vocabulary of {vocabulary}",
            "eos_token_id or bos_token_id in generation_config.json or config.json",
            f"Give at most {_MOST_STOPS} ids below the vocabulary size.",
        )
    return ids


def _number(values: Mapping[str, Any], key: str, default: float, low: float, high: float) -> float:
    value = values.get(key)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(
            f"'{key}' is {value!r}", "generation_config.json", f"It must be a number from {low} to {high}."
        )
    return float(value)
