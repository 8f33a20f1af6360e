"""A plan from outside, believed only after every field has been checked against FORMAT.md and the manifest."""

import re
from collections.abc import Mapping
from typing import Any, get_args

from ..errors import ArtifactError
from ..strict_json import JsonProblem, parse_object
from .fields import LARGEST, Fields
from .manifest import Manifest, Task

PLAN_LIMIT = 64 * 1024 * 1024
_KEYS = (
    *("format", "version", "tier", "task", "features", "limits", "symbols"),
    *("memory", "shaders", "buffers", "kernels", "phases"),
)
_LIMITS = (
    *("maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage"),
    *("maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup"),
)
ENCODER_TASKS: tuple[Task, ...] = (
    *("sentence-embedding", "text-classification", "token-classification", "fill-mask"),
)
_SYMBOLS: Mapping[Task, tuple[str, ...]] = {
    "text-generation": ("tokens", "past"),
    **dict.fromkeys(ENCODER_TASKS, ("tokens", "sequences")),
}
_PHASES: Mapping[Task, tuple[str, ...]] = {
    "text-generation": ("prefill", "head", "decode", "sample"),
    **dict.fromkeys(ENCODER_TASKS, ("encode",)),
}
_MEMORY_OF_KIND = {
    "weight": "weights",
    "state": "states",
    "snapshot": "states",
    "activation": "activations",
    "table": "tables",
    **dict.fromkeys(("input", "output", "step", "sampling"), "io"),
}
_MORE_KEYS = {
    "weight": ("shard", "offset"),
    "table": ("table", "inv_freq", "positions", "scale"),
    "state": ("role",),
    "snapshot": ("of",),
}
_STATE_ROLES = ("key", "value", "conv", "ssm")
_NAME = re.compile(r"[^\s]{1,512}")
_CHOICE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_MOST_VARIANTS = 16
_STEP_BYTES, _SAMPLING_BYTES, _WORD = 32, 16, 4
# WebGPU's limits that every device keeps to.
_OFFSET_ALIGNMENT, _MOST_WORKGROUPS, _MOST_BINDING = 256, 65535, 999
_LARGEST_F32 = 3.4028234663852886e38


def check_plan(data: bytes, manifest: Manifest, tier: str) -> dict[str, Any]:
    """The plan in `data`, which the manifest lists for `tier`; raises ArtifactError naming the first unfit field."""
    file = manifest.plans[tier].file
    try:
        plan = parse_object(data, PLAN_LIMIT)
    except JsonProblem as problem:
        raise ArtifactError(f"The plan {problem}", file, "Export the model again.") from None
    _Checker(plan, manifest, tier, file).check()
    return plan


class _Checker:
    """Goes through one plan; `self._bytes` are the sizes of the buffers that were checked already."""

    def __init__(self, plan: dict[str, Any], manifest: Manifest, tier: str, file: str) -> None:
        self._plan, self._manifest, self._tier, self._file = plan, manifest, tier, file
        self._found = self._fields(plan, "", (*_KEYS, *_given(plan, "choices")))
        self._choices: dict[str, int] = {}
        self._bytes: list[int] = []

    def check(self) -> None:
        self._check_head()
        self._check_symbols()
        for name, source in self._found.pairs("shaders").items():
            if not isinstance(source, str) or not name.isprintable():
                raise self._found.unfit("shaders", "holds something else than named texts")
        self._bytes = [self._buffer(item, f"buffers.{i}") for i, item in self._each("buffers")]
        self._check_snapshots()
        for i, kernel in self._each("kernels"):
            self._check_kernel(kernel, f"kernels.{i}")
        if "choices" in self._plan:
            self._choices = self._variants()
        self._check_phases()
        self._check_memory()
        self._check_named_buffers()

    def _fields(self, value: Any, path: str, keys: tuple[str, ...]) -> Fields:
        return Fields(value, path, keys, self._file)

    def _each(self, key: str) -> list[tuple[int, Any]]:
        return list(enumerate(self._found.items(key)))

    def _check_head(self) -> None:
        """What the manifest repeats must be equal: a device is chosen by it before the plan is fetched."""
        found, listed = self._found, self._manifest.plans[self._tier]
        found.one_of("format", ("thistledown-plan",))
        found.whole("version", 1, 1)
        found.one_of("tier", (self._tier,))
        found.one_of("task", get_args(Task))
        same = {
            "task": self._manifest.task,
            "features": list(listed.features),
            "limits": dict(listed.limits),
            "memory": dict(listed.memory),
        }
        self._check_sizes("limits", _LIMITS)
        self._check_sizes("memory", (*dict.fromkeys(_MEMORY_OF_KIND.values()), "total"))
        for key, value in same.items():
            if self._plan[key] != value:
                raise found.unfit(key, "is not what the manifest says")

    def _check_sizes(self, key: str, keys: tuple[str, ...]) -> None:
        self._found.sizes(key)
        self._fields(self._plan[key], key, keys)

    def _check_symbols(self) -> None:
        names = _SYMBOLS[self._manifest.task]
        symbols = self._fields(self._plan["symbols"], "symbols", names)
        for name in names:
            symbols.whole(name, least=1)

    def _buffer(self, value: Any, path: str) -> int:
        kind = value.get("kind") if isinstance(value, dict) else None
        more = _MORE_KEYS.get(kind, ()) if isinstance(kind, str) else ()
        found = self._fields(value, path, ("name", "kind", "bytes", *more))
        found.text("name", _NAME)
        found.one_of("kind", _MEMORY_OF_KIND)
        size = found.whole("bytes", least=_WORD, most=self._plan["limits"]["maxBufferSize"])
        if size % _WORD:
            raise found.unfit("bytes", f"is no multiple of {_WORD}")
        if kind == "weight":
            self._check_range(found, size)
        elif kind == "table":
            _check_table(found, size)
        elif kind == "state":
            found.one_of("role", _STATE_ROLES)
        return size

    def _check_snapshots(self) -> None:
        kept = set()
        for i, buffer in self._each("buffers"):
            if buffer["kind"] != "snapshot":
                continue
            found = self._fields(buffer, f"buffers.{i}", tuple(buffer))
            of = found.whole("of", most=len(self._bytes) - 1)
            state = self._plan["buffers"][of]
            if state["kind"] != "state" or state["bytes"] != buffer["bytes"] or of in kept:
                raise found.unfit("of", f"is {of}, which is no state of that size, or is kept twice")
            kept.add(of)

    def _check_range(self, found: Fields, size: int) -> None:
        shards = self._manifest.shards
        shard = shards[found.whole("shard", most=len(shards) - 1)]
        offset = found.whole("offset")
        if offset % _WORD or offset + size > -(-shard.bytes // _WORD) * _WORD:
            raise found.unfit("offset", f"leads to bytes that {shard.file} does not have")

    def _check_kernel(self, value: Any, path: str) -> None:
        found = self._fields(value, path, ("shader", "constants"))
        found.one_of("shader", self._plan["shaders"])
        constants = found.pairs("constants")
        numbers = self._fields(constants, f"{path}.constants", tuple(constants))
        for name in constants:
            numbers.number(name, -_LARGEST_F32, _LARGEST_F32)

    def _variants(self) -> dict[str, int]:
        """How many ways each family has."""
        families = self._fields(self._plan["choices"], "choices", tuple(self._found.pairs("choices")))
        ways = {name: families.texts(name, _CHOICE) for name in self._plan["choices"]}
        for name, names in ways.items():
            if len(set(names)) != len(names) or not 2 <= len(names) <= _MOST_VARIANTS:
                raise families.unfit(name, f"is no list of 2 to {_MOST_VARIANTS} different names")
            if not _CHOICE.fullmatch(name):
                raise families.unfit(name, f"does not match {_CHOICE.pattern}")
        return {name: len(names) for name, names in ways.items()}

    def _check_phases(self) -> None:
        names = _PHASES[self._manifest.task]
        phases = self._fields(self._plan["phases"], "phases", names)
        for name in names:
            for i, dispatch in enumerate(phases.items(name)):
                self._check_dispatch(dispatch, f"phases.{name}.{i}")

    def _check_dispatch(self, value: Any, path: str) -> None:
        found = self._fields(value, path, ("kernel", "bind", "grid", *_given(value, "choice", "or", "few")))
        for bind in found.items("bind"):
            self._check_bind(bind, found)
        self._check_ways(value, found, path)
        if _given(value, "few"):
            path = f"{path}.few"
            few = self._fields(value["few"], path, ("kernel", "grid", *_given(value["few"], "choice", "or")))
            self._check_ways(value["few"], few, path)

    def _check_ways(self, value: Any, found: Fields, path: str) -> None:
        self._check_call(found, path)
        if _given(value, "choice", "or"):
            self._check_others(value, path)

    def _check_others(self, value: Any, path: str) -> None:
        found = self._fields(value, path, ("choice", "or", *_given(value, "kernel", "bind", "grid", "few")))
        count = self._choices[found.one_of("choice", self._choices)]
        others = found.items("or")
        if len(others) != count - 1:
            raise found.unfit(
                "or", f"has {len(others)} ways, and {value['choice']} has {count - 1} further names"
            )
        for i, other in enumerate(others):
            self._check_call(self._fields(other, f"{path}.or.{i}", ("kernel", "grid")), f"{path}.or.{i}")

    def _check_call(self, found: Fields, path: str) -> None:
        found.whole("kernel", most=len(self._plan["kernels"]) - 1)
        if len(found.items("grid")) != 3:
            raise found.unfit("grid", "is not [x, y, z]")
        for size in found.items("grid"):
            self._check_grid(size, path, found)

    def _check_bind(self, bind: Any, found: Fields) -> None:
        if not isinstance(bind, list) or len(bind) != 4 or any(type(item) is not int for item in bind):
            raise found.unfit("bind", "is no list of [binding, buffer, offset, bytes]")
        binding, buffer, offset, size = bind
        if not (0 <= binding <= _MOST_BINDING and 0 <= buffer < len(self._bytes)):
            raise found.unfit("bind", f"has the binding {binding} of buffer {buffer}, which there is not")
        inside = 0 <= offset <= offset + size <= self._bytes[buffer]
        if size < _WORD or size % _WORD or offset % _OFFSET_ALIGNMENT or not inside:
            raise found.unfit("bind", f"has {size} bytes from {offset}, which is no part of buffer {buffer}")

    def _check_grid(self, size: Any, path: str, found: Fields) -> None:
        if isinstance(size, dict):
            grown = self._fields(size, f"{path}.grid", ("of", "times", "per"))
            most = self._plan["symbols"][grown.one_of("of", self._plan["symbols"])]
            size = -(-most * grown.whole("times", least=1) // grown.whole("per", least=1))
        if type(size) is not int or not 1 <= size <= _MOST_WORKGROUPS:
            raise found.unfit("grid", f"has a size that is no whole number from 1 to {_MOST_WORKGROUPS}")

    def _check_memory(self) -> None:
        sums = dict.fromkeys((*_MEMORY_OF_KIND.values(), "total"), 0)
        for buffer in self._plan["buffers"]:
            sums[_MEMORY_OF_KIND[buffer["kind"]]] += buffer["bytes"]
            sums["total"] += buffer["bytes"]
        for key, size in sums.items():
            if self._plan["memory"][key] != size:
                raise self._found.unfit(f"memory.{key}", f"is not {size}, the sum of its buffers")

    def _check_named_buffers(self) -> None:
        """The buffers that a player writes and reads by name."""
        sizes = {buffer["name"]: buffer["bytes"] for buffer in self._plan["buffers"]}
        if len(sizes) != len(self._plan["buffers"]):
            raise self._found.unfit("buffers", "has two of one name")
        for name, size in self._needed_buffers().items():
            if sizes.get(name, 0) < size:
                raise self._found.unfit("buffers", f'has no "{name}" of {size} bytes or more')

    def _needed_buffers(self) -> dict[str, int]:
        manifest, symbols = self._manifest, self._plan["symbols"]
        needed = {"ids": symbols["tokens"] * _WORD, "step": _STEP_BYTES}
        if manifest.task == "text-generation":
            stops = len(manifest.generation.stop_ids) if manifest.generation else 0
            words = {"stops": stops + 1, "logits": manifest.vocabulary, "token": 1, "ring": 1}
            needed["sampling"] = _SAMPLING_BYTES
        else:
            words = dict.fromkeys(("positions", "sequence_of"), symbols["tokens"])
            words["bounds"] = symbols["sequences"] + 1
            words |= _encoder_outputs(manifest, symbols)
        return needed | {name: count * _WORD for name, count in words.items()}


def _encoder_outputs(manifest: Manifest, symbols: Mapping[str, int]) -> dict[str, int]:
    """Words of what the phase `encode` gives, and of the input that picks its rows."""
    tokens, sequences, labels = symbols["tokens"], symbols["sequences"], len(manifest.labels or ())
    if manifest.task == "text-classification":
        return {"logits": sequences * labels}
    if manifest.task == "token-classification":
        return {"logits": tokens * labels}
    if manifest.task == "fill-mask":
        return {"rows": sequences, "logits": sequences * manifest.vocabulary}
    if manifest.dimensions is None:
        raise ArtifactError("dimensions is missing", "manifest.json", "Export the model again.")
    return {"embedding": sequences * manifest.dimensions}


def _given(value: Any, *keys: str) -> tuple[str, ...]:
    """Those of `keys`, which may be absent, that `value` has."""
    return tuple(key for key in keys if isinstance(value, dict) and key in value)


def _check_table(found: Fields, size: int) -> None:
    found.one_of("table", ("rope",))
    frequencies = found.numbers("inv_freq", -_LARGEST_F32, _LARGEST_F32)
    found.number("scale", -_LARGEST_F32, _LARGEST_F32)
    if found.whole("positions", least=1, most=LARGEST) * len(frequencies) * 2 * _WORD != size:
        raise found.unfit("bytes", "is not positions x frequencies x 8")
