"""Elementwise activations in float64, by the codes of `parts/activation.wgsl`, and the soft cap."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_erf = np.vectorize(math.erf, otypes=[np.float64])


def activated(x: Floats, code: float) -> Floats:
    """Activation `code` of x: 0 none, 1 GELU by erf, 2 GELU by tanh, 3 ReLU, 4 SiLU, 5 tanh, 6 sigmoid."""
    functions = (_identity, _gelu, _gelu_tanh, _relu, silu, np.tanh, _sigmoid)
    result: Floats = functions[int(code)](x)
    return result


def silu(x: Floats) -> Floats:
    """x * sigmoid(x), elementwise."""
    return x * _sigmoid(x)


def soft_cap(x: Floats, cap: float) -> Floats:
    """cap * tanh(x / cap), elementwise; x where cap is 0."""
    return cap * np.tanh(x / cap) if cap else x


def _identity(x: Floats) -> Floats:
    return x


def _gelu(x: Floats) -> Floats:
    gelu: Floats = 0.5 * x * (1.0 + _erf(x / math.sqrt(2.0)))
    return gelu


def _gelu_tanh(x: Floats) -> Floats:
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0.0)


def _sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), written so that exp never overflows."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)
