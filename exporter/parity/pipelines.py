"""One device a tier in a process, and its pipelines, each compiled once: plans share most of their kernels."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from exporter.parity.wgpu_device import naga_dialect, open_device
from wgsl_kernels import TIERS


class Pipelines:
    """`device` and what was compiled on it; wgpu's objects are untyped."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self._modules: dict[str, Any] = {}
        self._compiled: dict[tuple[str, str], Any] = {}

    def get(self, label: str, wgsl: str, constants: Mapping[str, float]) -> Any:
        """The pipeline of `wgsl` with `constants`. Raises wgpu.GPUError where the device refuses it."""
        key = (wgsl, json.dumps(constants, sort_keys=True))
        if key not in self._compiled:
            stage = {"module": self._module(label, wgsl), "entry_point": "main", "constants": constants}
            self._compiled[key] = self.device.create_compute_pipeline(layout="auto", compute=stage)
        return self._compiled[key]

    def _module(self, label: str, wgsl: str) -> Any:
        if wgsl not in self._modules:
            code = naga_dialect(wgsl)
            self._modules[wgsl] = self.device.create_shader_module(label=label, code=code)
        return self._modules[wgsl]


@cache
def pipelines_of(tier: str) -> Pipelines:
    """Those of `tier`'s device. Raises AdapterError as `open_device` does."""
    return Pipelines(open_device(TIERS[tier]))
