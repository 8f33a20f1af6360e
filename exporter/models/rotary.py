"""Rotary frequencies (Su et al., arXiv 2104.09864) and how checkpoints stretch them for longer texts.

The arithmetic is that of transformers' modeling_rope_utils.py, in float32 where it is in float32.
Both spellings of a config are read: `rope_parameters` of transformers 5, and `rope_scaling` beside `rope_theta`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from exporter.components import Rotary
from exporter.errors import ConfigError
from exporter.models.config import Config

_Floats = np.ndarray


@dataclass(frozen=True)
class _Asked:
    """What a config asks for: `width` values of a head turn. `section` holds the numbers of the kind.

    `longest` is max_position_embeddings, `pretrained` how long the texts were before the frequencies were stretched.
    """

    section: Config
    theta: float
    width: int
    longest: int
    pretrained: int


def rotary(c: Config, head_dim: int, longest: int, fraction: float | None = None) -> Rotary:
    """The frequencies for heads of `head_dim` values, of a model for texts of up to `longest` tokens.

    `fraction` of a head is turned if the config does not say otherwise; None for classes that turn whole heads.
    Raises ConfigError: an unknown kind, numbers that make no frequencies, or a width that onnxruntime cannot turn.
    """
    s = c.section("rope_scaling", "rope_parameters")
    if nested := s.sections():
        what = f"{', '.join(nested)}: rotary frequencies for each kind of layer are not supported"
        raise ConfigError(what, s.where, "use a checkpoint with one set of frequencies")
    kind = s.text("rope_type", s.text("type", "default"))
    if kind not in _KINDS:
        known = ", ".join(sorted(_KINDS))
        raise ConfigError(f"rope type {kind!r} is not supported", s.where, f"supported are {known}")
    inside = s.integer("original_max_position_embeddings", longest)
    asked = _Asked(
        section=s,
        theta=s.positive("rope_theta", c.positive("rope_theta", 10000.0)),
        width=_width(c, s, head_dim, fraction, kind),
        longest=longest,
        pretrained=c.integer("original_max_position_embeddings", inside),
    )
    with np.errstate(all="ignore"):
        inv_freq, scale = _KINDS[kind](asked)
    if not np.isfinite(inv_freq).all():
        what = f"rope type {kind!r} gives frequencies that are not finite"
        raise ConfigError(what, s.where, "correct config.json")
    return Rotary(inv_freq.astype(np.float32), scale, longest if kind == "dynamic" else None)


def _width(c: Config, s: Config, head_dim: int, fraction: float | None, kind: str) -> int:
    """How many values of a head are turned."""
    asked = s.positive("partial_rotary_factor", c.positive("partial_rotary_factor", fraction or 1.0))
    # Classes that turn whole heads look at the key only where frequencies are stretched, and then fail on it.
    whole = fraction is None and kind == "default"
    width = head_dim if whole or asked > 1 else int(head_dim * asked)
    if asked > 1 or (fraction is None and width != head_dim):
        raise c.bad(
            "partial_rotary_factor",
            "1, as this model_type turns whole heads" if fraction is None else "up to 1",
        )
    if width % 16 or not width:
        what = f"{width} of the {head_dim} values of a head are turned"
        raise ConfigError(what, s.where, "onnxruntime's attention turns a multiple of 16")
    return width


def _frequencies(theta: float, width: int) -> _Floats:
    exponents = np.arange(0, width, 2).astype(np.float32) / np.float32(width)
    return np.asarray(np.float32(1.0) / np.power(np.float32(theta), exponents))


def _default(a: _Asked) -> tuple[_Floats, float]:
    return _frequencies(a.theta, a.width), 1.0


def _linear(a: _Asked) -> tuple[_Floats, float]:
    """Positions divided by `factor` (Chen et al., arXiv 2306.15595)."""
    return _frequencies(a.theta, a.width) / np.float32(a.section.positive("factor")), 1.0


def _dynamic(a: _Asked) -> tuple[_Floats, float]:
    """NTK by length: nothing is stretched up to `longest`, but for the rounding of this formula."""
    factor = a.section.positive("factor")
    growth = factor * a.longest / a.longest - (factor - 1)
    return _frequencies(a.theta * growth ** (a.width / (a.width - 2)), a.width), 1.0


def _llama3(a: _Asked) -> tuple[_Floats, float]:
    """Llama 3.1: low frequencies divided by `factor`, high ones kept, those between blended."""
    factor, low, high = (a.section.positive(k) for k in ("factor", "low_freq_factor", "high_freq_factor"))
    if high <= low:
        raise a.section.bad("high_freq_factor", f"above low_freq_factor {low}")
    inv_freq = _frequencies(a.theta, a.width)
    wavelength = np.float32(2 * math.pi) / inv_freq
    slow = wavelength > np.float32(a.pretrained / low)
    fast = wavelength < np.float32(a.pretrained / high)
    stretched = np.where(slow, inv_freq / np.float32(factor), inv_freq)
    blend = (np.float32(a.pretrained) / wavelength - np.float32(low)) / np.float32(high - low)
    blended = (np.float32(1) - blend) * stretched / np.float32(factor) + blend * stretched
    return np.where(slow | fast, stretched, blended), 1.0


def _yarn(a: _Asked) -> tuple[_Floats, float]:
    """YaRN (Peng et al., arXiv 2309.00071): low frequencies divided by `factor`, with a ramp towards the high ones."""
    if a.theta <= 1:
        raise a.section.bad("rope_theta", "above 1")
    factor = a.section.positive("factor", a.longest / a.pretrained)
    kept = np.float32(1) - _ramp(a)
    exponents = np.arange(0, a.width, 2).astype(np.float32) / np.float32(a.width)
    period = np.power(np.float32(a.theta), exponents)
    divided = np.float32(1) / (np.float32(factor) * period)
    inv_freq = divided * (np.float32(1) - kept) + np.float32(1) / period * kept
    return inv_freq, _attention_factor(a.section, factor)


def _ramp(a: _Asked) -> _Floats:
    """0 for the frequencies that are kept, 1 for those that are divided, a slope between: (width / 2,)."""

    def dimension(turns: float) -> float:
        return a.width * math.log(a.pretrained / (turns * 2 * math.pi)) / (2 * math.log(a.theta))

    first = dimension(_unless_zero(a.section, "beta_fast", 32.0))
    last = dimension(_unless_zero(a.section, "beta_slow", 1.0))
    if a.section.flag("truncate", True):
        first, last = math.floor(first), math.ceil(last)
    first, last = max(first, 0), min(last, a.width - 1)
    if first == last:
        last += 0.001
    slope = (np.arange(a.width // 2, dtype=np.float32) - np.float32(first)) / np.float32(last - first)
    return np.asarray(np.clip(slope, np.float32(0), np.float32(1)))


def _attention_factor(s: Config, factor: float) -> float:
    """What cos and sin are multiplied by."""
    if s.has("attention_factor"):
        return s.positive("attention_factor")
    log = math.log(factor) if factor > 1 else 0.0
    above, below = s.number("mscale", 0.0), s.number("mscale_all_dim", 0.0)
    if not (above and below):
        return 0.1 * log + 1.0
    if above < 0 or below < 0:
        raise s.bad("mscale", "a positive number, nor is mscale_all_dim one")
    return (0.1 * above * log + 1.0) / (0.1 * below * log + 1.0)


def _unless_zero(s: Config, key: str, default: float) -> float:
    value = s.number(key, default) or default
    if value <= 0:
        raise s.bad(key, "a positive number")
    return value


_KINDS: Mapping[str, Callable[[_Asked], tuple[_Floats, float]]] = {
    "default": _default,
    "linear": _linear,
    "dynamic": _dynamic,
    "llama3": _llama3,
    "yarn": _yarn,
}
