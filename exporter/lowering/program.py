"""The plan under construction: values become views of buffers, operators become dispatches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import onnx_ir as ir

from exporter.errors import LoweringError
from exporter.lowering.memory import Scratch, assign
from exporter.lowering.plan import (
    SAMPLING_BYTES,
    STEP_BYTES,
    Bind,
    Call,
    Dispatch,
    GridSize,
    Plan,
    PlanBuffer,
    PlanKernel,
    Ways,
)
from exporter.lowering.stored_weights import Range, RowSlice, WeightStore, aligned
from wgsl_kernels import CATALOG, Kernel, Tier, compose, measure

Buffer = Scratch | int


@dataclass(frozen=True)
class View:
    """A graph value in the plan: element (row, i) lies at row * stride + offset + i of `buffer`.

    `rows` is a symbol or a number; `elem_bytes` is 4 for float32, the tier's size for activations.
    """

    buffer: Buffer
    rows: str | int
    width: int
    stride: int
    offset: int
    elem_bytes: int

    @property
    def contiguous(self) -> bool:
        return self.offset == 0 and self.stride == self.width


@dataclass(frozen=True)
class Target:
    """What a binding is bound to."""

    buffer: Buffer
    offset: int
    bytes: int


@dataclass(frozen=True)
class Variant:
    """Another way to compute a dispatch: its name in the family, and what differs from the dispatch as it stands."""

    name: str
    constants: Mapping[str, float] = field(default_factory=dict)
    kernel: str | None = None


@dataclass(frozen=True)
class Choice:
    """A dispatch may be played as it stands, which is called `default`, or as one of `variants`.

    All dispatches of a `family` have the same names, as one decision is taken for all of them on the device.
    """

    family: str
    default: str
    variants: Sequence[Variant]

    @property
    def names(self) -> tuple[str, ...]:
        return (self.default, *(variant.name for variant in self.variants))


@dataclass(frozen=True)
class Few:
    """The kernel that computes a dispatch of few tokens, over the same bindings, and how else it may be computed."""

    kernel: str
    choice: Choice


def direct_way(kernel: str, family: str) -> Choice:
    """The dispatch as it stands, or as its kernel without workgroup memory and barriers, which software prefers."""
    return Choice(family, "shared", (Variant("direct", kernel=f"{kernel}_direct"),))


@dataclass
class _Draft:
    ways: Ways
    targets: Sequence[tuple[int, Target]]
    node: str
    few: Ways | None


@dataclass
class _Phase:
    """A run of dispatches; phases of one `group` are played one after the other and share lifetimes."""

    group: str
    drafts: list[_Draft] = field(default_factory=list)


class Program:
    """Collects buffers, kernels and dispatches of all phases of one plan."""

    def __init__(self, tier: Tier, task: str, symbols: Mapping[str, int], store: WeightStore) -> None:
        self.tier, self.task, self.symbols, self.store = tier, task, symbols, store
        self._buffers: list[PlanBuffer] = []
        self._named: dict[str, int] = {}
        self._weights: dict[int, int] = {}
        self._kernels: dict[tuple[str, tuple[tuple[str, float], ...]], int] = {}
        self._shaders: dict[str, str] = {}
        self._phases: dict[str, _Phase] = {}
        self._scratches: list[Scratch] = []
        self._phase = _Phase("")
        self._clock = 0
        self._choices: dict[str, tuple[str, ...]] = {}
        self.fixed: Mapping[str, int] = {}

    def begin(self, phase: str, group: str, fixed: Mapping[str, int]) -> None:
        """Start the phase `phase`; symbols in `fixed` have that value throughout."""
        self._phase = self._phases.setdefault(phase, _Phase(group))
        self.fixed = fixed

    def rows(self, symbol: str) -> str | int:
        """The symbol, or its value where the phase fixes it."""
        return self.fixed.get(symbol, symbol)

    def buffer(self, name: str, kind: str, size: int, **more: object) -> int:
        """The plan buffer `name`, made on first use."""
        if name not in self._named:
            self._named[name] = len(self._buffers)
            self._buffers.append(PlanBuffer(name, kind, aligned(size), more))
        return self._named[name]

    def named(self, name: str) -> Target:
        """All of a buffer made before."""
        index = self._named[name]
        return Target(index, 0, self._buffers[index].bytes)

    def scratch(self, rows: str | int, width: int, elem_bytes: int | None = None) -> View:
        """A new activation of `rows` x `width`."""
        size = elem_bytes or self.tier.elem_bytes
        most = rows if isinstance(rows, int) else self.symbols[rows]
        made = Scratch(aligned(most * width * size))
        self._scratches.append(made)
        return View(made, rows, width, width, 0, size)

    def weight(self, span: Range) -> Target:
        """A range of a weight buffer as a binding target."""
        if span.buffer not in self._weights:
            stored = self.store.buffers[span.buffer]
            self._weights[span.buffer] = self.buffer(
                f"weights.{span.buffer}", "weight", stored.bytes, shard=stored.shard, offset=stored.offset
            )
        return Target(self._weights[span.buffer], span.offset, span.bytes)

    def bound(self, part: RowSlice) -> dict[str, Target]:
        """The bindings of a weight, and of its scales and zero points where it has them."""
        spans = {"weight": part.weight, "scales": part.scales, "zeros": part.zeros}
        return {name: self.weight(span) for name, span in spans.items() if span is not None}

    def target(self, view: View) -> Target:
        """All of a view's buffer."""
        if isinstance(view.buffer, Scratch):
            return Target(view.buffer, 0, view.buffer.bytes)
        return Target(view.buffer, 0, self._buffers[view.buffer].bytes)

    def dispatch(
        self,
        name: str,
        bindings: Mapping[str, Target | View],
        constants: Mapping[str, float],
        node: str = "",
        rows: str = "tokens",
        choice: Choice | None = None,
        few: Few | None = None,
    ) -> None:
        """Add a dispatch of catalog kernel `name`; every binding and override of its row must be given.

        `rows` is the symbol that the kernel's `tokens` stand for: a kernel without a step may play sequences as well.
        A tunable that is in `constants` is set too. `choice` says in which other ways the same may be computed, `few`
        how it is where there are few tokens.
        """
        row = CATALOG[name]
        targets = []
        for binding in row.bindings:
            bound = self._io(binding.dtype) if binding.name not in bindings else bindings[binding.name]
            target = self.target(bound) if isinstance(bound, View) else bound
            if isinstance(target.buffer, Scratch):
                target.buffer.touch(self._clock)
            targets.append((binding.index, target))
        ways = self._ways(row, row, constants, rows, choice)
        instead = self._ways(CATALOG[few.kernel], row, constants, rows, few.choice) if few else None
        self._phase.drafts.append(_Draft(ways, targets, node, instead))
        self._clock += 1

    def _ways(
        self, row: Kernel, bound: Kernel, constants: Mapping[str, float], rows: str, choice: Choice | None
    ) -> Ways:
        """`row` over the bindings of `bound`, and the variants of `choice`."""
        call = self._call(row, bound, constants, rows)
        if choice is None:
            return Ways(call)
        if self._choices.setdefault(choice.family, choice.names) != choice.names:
            raise ValueError(f"the family {choice.family} has other names: {self._choices[choice.family]}")
        others = [
            self._call(CATALOG[variant.kernel or row.name], bound, {**constants, **variant.constants}, rows)
            for variant in choice.variants
        ]
        return Ways(call, choice.family, others)

    def _call(self, row: Kernel, bound: Kernel, constants: Mapping[str, float], rows: str) -> Call:
        if {b.index for b in row.bindings} != {b.index for b in bound.bindings}:
            raise ValueError(f"{row.name} is bound otherwise than {bound.name}")
        ordered = {key: constants[key] for key in row.settable(constants)}
        return Call(self._kernel(row, ordered), self._grid(row, constants, rows))

    def _io(self, dtype: str) -> Target:
        sizes = {"step": STEP_BYTES, "sampling": SAMPLING_BYTES}
        self.buffer(dtype, dtype, sizes[dtype])
        return self.named(dtype)

    def _kernel(self, row: Kernel, constants: Mapping[str, float]) -> int:
        text = compose(row, self.tier, minify=True)
        shader = next((name for name, known in self._shaders.items() if known == text), row.name)
        self._shaders[shader] = text
        return self._kernels.setdefault((shader, tuple(constants.items())), len(self._kernels))

    def _grid(self, row: Kernel, constants: Mapping[str, float], rows: str) -> list[GridSize]:
        sizes: list[GridSize] = []
        for size in row.grid:
            dim, per = size if isinstance(size, tuple) else (size, 1)
            dim = rows if dim == "tokens" else dim
            if isinstance(dim, str) and dim in self.symbols and dim not in self.fixed:
                sizes.append({"of": dim, "times": 1, "per": per})
            else:
                sizes.append(-(-measure(dim, {**constants, **self.fixed}) // per))
        if any(isinstance(size, int) and size > 65535 for size in sizes):
            raise LoweringError(
                f"{row.name} needs a grid of {sizes}",
                "WebGPU allows 65535",
                "use a smaller vocabulary or layer",
            )
        return sizes

    def keep_states(self) -> None:
        """Make a snapshot of each state that cannot be cut back: of keys and values the length says how much counts."""
        states = [(i, b) for i, b in enumerate(self._buffers) if b.more.get("role") in ("conv", "ssm")]
        for index, state in states:
            self.buffer(f"snapshot.{state.name}", "snapshot", state.bytes, of=index)

    def finish(self) -> Plan:
        """Colour the activations onto slabs and make the plan."""
        slabs, where = assign(scratch for scratch in self._scratches if scratch.first >= 0)
        first = len(self._buffers)
        buffers = [
            *self._buffers,
            *(PlanBuffer(f"slab.{i}", "activation", slab.bytes) for i, slab in enumerate(slabs)),
        ]

        def bind(binding: int, target: Target) -> Bind:
            at = target.buffer if isinstance(target.buffer, int) else first + where[target.buffer]
            return Bind(binding, at, target.offset, target.bytes)

        def dispatch(draft: _Draft) -> Dispatch:
            return Dispatch(draft.ways, [bind(i, t) for i, t in draft.targets], draft.node, draft.few)

        phases = {name: [dispatch(d) for d in phase.drafts] for name, phase in self._phases.items()}
        kernels = [PlanKernel(shader, dict(constants)) for shader, constants in self._kernels]
        features = [f for f in self.tier.features if self._uses(f)]
        return Plan(
            self.tier.name,
            self.task,
            features,
            self.symbols,
            self._shaders,
            buffers,
            kernels,
            phases,
            self._choices,
        )

    def _uses(self, feature: str) -> bool:
        word = "subgroups" if feature == "subgroups" else "f16"
        return any(f"enable {word}" in text for text in self._shaders.values())


def value_name(value: ir.Value | None) -> str:
    """A value's name, or "" for an absent optional input."""
    return "" if value is None else str(value.name)
