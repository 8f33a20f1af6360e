"""The plan as records, and its JSON form (FORMAT.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FORMAT = "thistledown-plan"
VERSION = 1
STEP_BYTES = 32
SAMPLING_BYTES = 16

GridSize = int | Mapping[str, str | int]


@dataclass(frozen=True)
class PlanBuffer:
    """One GPU buffer: `more` holds the keys of its kind."""

    name: str
    kind: str
    bytes: int
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "bytes": self.bytes, **self.more}


@dataclass(frozen=True)
class PlanKernel:
    """A shader and the values of its overrides."""

    shader: str
    constants: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        return {"shader": self.shader, "constants": dict(self.constants)}


@dataclass(frozen=True)
class Bind:
    """`binding` of group 0 is `bytes` of `buffer` from `offset`."""

    binding: int
    buffer: int
    offset: int
    bytes: int


@dataclass(frozen=True)
class Call:
    """A kernel and how many workgroups of it."""

    kernel: int
    grid: Sequence[GridSize]

    def to_json(self) -> dict[str, Any]:
        return {"kernel": self.kernel, "grid": list(self.grid)}


@dataclass(frozen=True)
class Ways:
    """A call, and `others` that compute the same: one for each further name of the choice `family`, in its order."""

    call: Call
    family: str = ""
    others: Sequence[Call] = ()

    def to_json(self) -> dict[str, Any]:
        made = self.call.to_json()
        if self.others:
            made |= {"choice": self.family, "or": [other.to_json() for other in self.others]}
        return made


@dataclass(frozen=True)
class Dispatch:
    """One call over `binds`, in the way that is chosen, with the graph node it came from for people.

    `few` is what is called in its place where there are at most 8 tokens.
    """

    ways: Ways
    binds: Sequence[Bind]
    node: str = ""
    few: Ways | None = None

    def to_json(self) -> dict[str, Any]:
        binds = [[b.binding, b.buffer, b.offset, b.bytes] for b in self.binds]
        made = {**self.ways.to_json(), "bind": binds}
        return made if self.few is None else {**made, "few": self.few.to_json()}


@dataclass(frozen=True)
class Plan:
    """Everything that the engine plays for one tier."""

    tier: str
    task: str
    features: Sequence[str]
    symbols: Mapping[str, int]
    shaders: Mapping[str, str]
    buffers: Sequence[PlanBuffer]
    kernels: Sequence[PlanKernel]
    phases: Mapping[str, Sequence[Dispatch]]
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def memory(self) -> dict[str, int]:
        """Bytes of GPU buffers by use, and their total."""
        groups = {
            "weight": "weights",
            "state": "states",
            "snapshot": "states",
            "activation": "activations",
            "table": "tables",
        }
        sizes = dict.fromkeys([*groups.values(), "io"], 0)
        for buffer in self.buffers:
            sizes[groups.get(buffer.kind, "io")] += buffer.bytes
        return {**sizes, "total": sum(sizes.values())}

    @property
    def limits(self) -> dict[str, int]:
        """The WebGPU limits that this plan really needs."""
        dispatches = [d for phase in self.phases.values() for d in phase]
        return {
            "maxBufferSize": max(b.bytes for b in self.buffers),
            "maxStorageBufferBindingSize": max(b.bytes for d in dispatches for b in d.binds),
            "maxStorageBuffersPerShaderStage": max(len(self._storage(d)) for d in dispatches),
            "maxComputeWorkgroupStorageSize": 16384,
            "maxComputeInvocationsPerWorkgroup": 256,
        }

    def _storage(self, dispatch: Dispatch) -> list[Bind]:
        return [b for b in dispatch.binds if self.buffers[b.buffer].kind not in ("step", "sampling")]

    def to_json(self) -> dict[str, Any]:
        choices = {family: list(names) for family, names in self.choices.items()}
        return {
            "format": FORMAT,
            "version": VERSION,
            "tier": self.tier,
            "task": self.task,
            "features": list(self.features),
            "limits": self.limits,
            "symbols": dict(self.symbols),
            "memory": self.memory,
            "shaders": dict(self.shaders),
            "buffers": [b.to_json() for b in self.buffers],
            "kernels": [k.to_json() for k in self.kernels],
            **({"choices": choices} if choices else {}),
            "phases": {name: [d.to_json() for d in phase] for name, phase in self.phases.items()},
        }
