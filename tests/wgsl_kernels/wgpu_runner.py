"""Run catalog cases on a wgpu device and bring back what they wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from numpy.typing import NDArray

from exporter.parity.wgpu_device import naga_dialect, open_device
from tests.wgsl_kernels.layout import bound_bytes, read_back
from wgsl_kernels import TIERS, Kernel, Tier, compose, grid
from wgsl_kernels.reference.inputs import Case


@cache
def device(tier: str) -> Any:
    return open_device(TIERS[tier])


@dataclass(frozen=True)
class Prepared:
    """A dispatch with its pipeline and buffers made."""

    device: Any
    pipeline: Any
    bind_group: Any
    groups: tuple[int, int, int]
    buffers: Mapping[str, Any]

    def submit(self) -> None:
        encoder = self.device.create_command_encoder()
        compute_pass = encoder.begin_compute_pass()
        compute_pass.set_pipeline(self.pipeline)
        compute_pass.set_bind_group(0, self.bind_group)
        compute_pass.dispatch_workgroups(*self.groups)
        compute_pass.end()
        self.device.queue.submit([encoder.finish()])

    def play(self) -> None:
        """Submit and wait; wgpu 0.32 can only wait for data."""
        self.submit()
        self.device.queue.read_buffer(next(iter(self.buffers.values())), 0, 4)

    def read(self, name: str) -> bytes:
        return bytes(self.device.queue.read_buffer(self.buffers[name]))


def prepare(kernel: Kernel, tier: Tier, case: Case) -> Prepared:
    opened = device(tier.name)
    module = _module(tier.name, naga_dialect(compose(kernel, tier)))
    compute = {"module": module, "entry_point": "main", "constants": dict(case.constants)}
    pipeline = opened.create_compute_pipeline(layout="auto", compute=compute)
    buffers = _buffers(opened, kernel, case)
    entries = [
        {"binding": each.index, "resource": {"buffer": buffers[each.name]}} for each in kernel.bindings
    ]
    bind_group = opened.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
    return Prepared(opened, pipeline, bind_group, grid(kernel, case.names), buffers)


def run(kernel: Kernel, tier: Tier, case: Case) -> Mapping[str, NDArray[Any]]:
    """The written bindings after one dispatch. Fails if anything was written past the end of one."""
    prepared = prepare(kernel, tier, case)
    prepared.submit()
    written = [binding for binding in kernel.bindings if binding.access == "write"]
    return {binding.name: read_back(binding, case, prepared.read(binding.name)) for binding in written}


@cache
def _module(tier: str, wgsl: str) -> Any:
    return device(tier).create_shader_module(code=wgsl)


def _buffers(opened: Any, kernel: Kernel, case: Case) -> dict[str, Any]:
    import wgpu

    usage = (
        wgpu.BufferUsage.STORAGE
        | wgpu.BufferUsage.UNIFORM
        | wgpu.BufferUsage.COPY_SRC
        | wgpu.BufferUsage.COPY_DST
    )
    return {
        binding.name: opened.create_buffer_with_data(data=bound_bytes(binding, case), usage=usage)
        for binding in kernel.bindings
    }
