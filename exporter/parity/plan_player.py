"""Plays a plan in Python through wgpu-py: the same dispatches as the browser's engine, for tests and `verify`."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from exporter.artifact import check_size, read_adapter_plan, read_artifact_plan
from exporter.errors import ArtifactError
from exporter.parity.pipelines import pipelines_of

Floats = npt.NDArray[np.float32]

_STEP_DTYPE = np.uint32
# What a grid may ask for where the caller says nothing: one token is decoded.
_ONE_TOKEN = {"tokens": 1, "past": 0, "sequences": 1}
FEW_TOKENS = 8  # for which FORMAT.md has other calls of a dispatch
_ReadyCall = tuple[Mapping[str, Any], Any]


class PlanPlayer:
    """One artifact on one device. Every weight shard is checked against its SHA-256 while it is loaded."""

    def __init__(
        self,
        folder: Path,
        tier: str = "base",
        choices: Mapping[str, str] | None = None,
        adapter: Path | None = None,
    ) -> None:
        """Raises ArtifactError for a missing plan or shard or an unfit one, AdapterError without a device,
        LoraError for another base's adapter.

        `choices` names, for families of the plan, the variant to play; the others are played by default. `adapter` is
        a folder that `thistledown adapter` made for the artifact.
        """
        if adapter is None:
            self.manifest, self.plan = read_artifact_plan(folder, tier)
        else:
            self.manifest, self.plan = read_adapter_plan(adapter, folder, tier)
        settle(self.plan, choices or {})
        folders = [folder] * len(self.manifest["shards"])
        if adapter is not None:
            folders[-1] = adapter
        for place, shard in zip(folders, self.manifest["shards"], strict=True):
            check_size(place, shard["file"], shard["bytes"])
        pipelines = pipelines_of(tier)
        self._device = pipelines.device
        self._named = {buffer["name"]: index for index, buffer in enumerate(self.plan["buffers"])}
        with _refusals(self.manifest["plans"][tier]["file"]):
            self._buffers = [self._make(buffer) for buffer in self.plan["buffers"]]
            self._load_shards(folders)
            shaders = self.plan["shaders"]
            self._pipelines = [
                pipelines.get(kernel["shader"], shaders[kernel["shader"]], kernel["constants"])
                for kernel in self.plan["kernels"]
            ]
            self._phases = {
                name: [self._ready(dispatch) for dispatch in dispatches]
                for name, dispatches in self.plan["phases"].items()
            }

    def _make(self, buffer: Mapping[str, Any]) -> Any:  # wgpu objects are untyped
        import wgpu

        usage = wgpu.BufferUsage.COPY_DST | wgpu.BufferUsage.COPY_SRC
        if buffer["kind"] != "sampling":
            usage |= wgpu.BufferUsage.STORAGE
        if buffer["kind"] in ("step", "sampling"):
            usage |= wgpu.BufferUsage.UNIFORM
        made = self._device.create_buffer(label=buffer["name"], size=buffer["bytes"], usage=usage)
        if buffer["kind"] == "table":
            values = rope_table(buffer["inv_freq"], buffer["positions"], buffer["scale"])
            self._device.queue.write_buffer(made, 0, values)
        return made

    def _load_shards(self, folders: Sequence[Path]) -> None:
        for index, shard in enumerate(self.manifest["shards"]):
            data = np.fromfile(folders[index] / shard["file"], np.uint8)
            if hashlib.sha256(data.data).hexdigest() != shard["sha256"]:
                raise ArtifactError("a weight shard is damaged", shard["file"], "Export the model again.")
            for buffer, made in zip(self.plan["buffers"], self._buffers, strict=True):
                if buffer["kind"] == "weight" and buffer["shard"] == index:
                    part = data[buffer["offset"] : buffer["offset"] + buffer["bytes"]]
                    self._device.queue.write_buffer(made, 0, np.pad(part, (0, -len(part) % 4)))

    def _ready(self, dispatch: Mapping[str, Any]) -> tuple[_ReadyCall, _ReadyCall]:
        """What is called, and what is where there are few tokens."""
        usual = (dispatch, self._bind_group(dispatch))
        few = {**dispatch, **dispatch.get("few", {})}
        return usual, (few, self._bind_group(few))

    def _bind_group(self, dispatch: Mapping[str, Any]) -> Any:
        entries = [
            {
                "binding": binding,
                "resource": {"buffer": self._buffers[buffer], "offset": offset, "size": size},
            }
            for binding, buffer, offset, size in dispatch["bind"]
        ]
        layout = self._pipelines[dispatch["kernel"]].get_bind_group_layout(0)
        return self._device.create_bind_group(layout=layout, entries=entries)

    def write(self, name: str, values: npt.NDArray[Any]) -> None:
        """Write the start of the buffer `name`."""
        self._device.queue.write_buffer(self._buffers[self._named[name]], 0, np.ascontiguousarray(values))

    def read(self, name: str, dtype: npt.DTypeLike, count: int) -> npt.NDArray[Any]:
        """The first `count` values of the buffer `name`."""
        size = np.dtype(dtype).itemsize * count
        data = self._device.queue.read_buffer(self._buffers[self._named[name]], 0, -(-size // 4) * 4)
        return np.frombuffer(data, dtype, count).copy()

    def step(self, tokens: int, past: int = 0, sequences: int = 0, limit: int = 1 << 30) -> None:
        """Write the step block; nothing is done or generated yet."""
        self.write("step", np.array([tokens, past, sequences, 0, 0, limit, 0, 0], _STEP_DTYPE))

    def play(self, *phases: str, **symbols: int) -> None:
        """Submit all dispatches of `phases`, one after the other in one pass."""
        encoder = self._device.create_command_encoder()
        run = encoder.begin_compute_pass()
        values = _ONE_TOKEN | symbols
        few = values["tokens"] <= FEW_TOKENS
        for dispatch, group in (each[few] for phase in phases for each in self._phases[phase]):
            run.set_pipeline(self._pipelines[dispatch["kernel"]])
            run.set_bind_group(0, group)
            run.dispatch_workgroups(*(grid_size(size, values) for size in dispatch["grid"]))
        run.end()
        self._device.queue.submit([encoder.finish()])

    def embed(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Embeddings (len(texts), dimensions) of token id lists, packed into one play."""
        self._encode(texts, len(texts))
        width: int = self.manifest["dimensions"]
        return self.read("embedding", np.float32, len(texts) * width).reshape(-1, width)

    def read_texts(self, texts: Sequence[Sequence[int]], rows: Sequence[Sequence[int]] = ()) -> list[Floats]:
        """Logits of each of the token id lists, packed into one play.

        text-classification: (1, labels); token-classification: (tokens, labels); fill-mask: (len(rows[i]), vocabulary),
        where `rows[i]` are the tokens of text i that are asked for.
        """
        task, labels = self.manifest["task"], self.manifest["labels"]
        width: int = self.manifest["vocabulary"] if task == "fill-mask" else len(labels)
        counts, sequences = [1] * len(texts), len(texts)
        if task == "token-classification":
            counts = [len(ids) for ids in texts]
        elif task == "fill-mask":
            counts = [len(wanted) for wanted in rows]
            sequences = sum(counts)
            starts = np.cumsum([0, *map(len, texts)])
            packed = [start + row for start, wanted in zip(starts, rows, strict=False) for row in wanted]
            self.write("rows", np.array(packed, np.uint32))
        self._encode(texts, sequences)
        logits = self.read("logits", np.float32, sum(counts) * width).reshape(-1, width)
        return np.split(logits, np.cumsum(counts)[:-1])

    def _encode(self, texts: Sequence[Sequence[int]], sequences: int) -> None:
        """Play the phase `encode` with so many `sequences`, or rows that are asked for."""
        lengths = [len(ids) for ids in texts]
        tokens, count = sum(lengths), len(texts)
        self.write("ids", np.concatenate([np.asarray(ids, np.uint32) for ids in texts]))
        self.write("positions", np.concatenate([np.arange(n, dtype=np.uint32) for n in lengths]))
        self.write("sequence_of", np.repeat(np.arange(count, dtype=np.uint32), lengths))
        self.write("bounds", np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint32))
        self.step(tokens, sequences=sequences)
        self.play("encode", tokens=tokens, sequences=sequences)

    def reset(self) -> None:
        """Empty all states."""
        for buffer in self.plan["buffers"]:
            if buffer["kind"] == "state":
                self.write(buffer["name"], np.zeros(buffer["bytes"] // 4, np.uint32))

    def prefill(self, ids: Sequence[int], past: int = 0, split: Sequence[int] = ()) -> None:
        """Move the states over `ids` after `past` tokens, in blocks of the sizes in `split` or the largest."""
        most: int = self.plan["symbols"]["tokens"]
        sizes = list(split) or [most] * (-(-len(ids) // most))
        start = 0
        for size in sizes:
            block = np.asarray(ids[start : start + size], np.uint32)
            self.write("ids", block)
            self.step(len(block), past + start)
            self.play("prefill", tokens=len(block))
            start += size

    def logits(self, ids: Sequence[int], split: Sequence[int] = (), then: Sequence[int] = ()) -> Floats:
        """Logits (vocabulary,) after `ids` from an empty state, and after the ids in `then`, which are decoded."""
        self.reset()
        self.prefill(ids, split=split)
        self.play("head")
        for past, token in enumerate(then, len(ids)):
            self.write("ids", np.array([token], np.uint32))
            self.step(1, past)
            self.play("decode")
        return self.read("logits", np.float32, self.manifest["vocabulary"])

    def generate(self, ids: Sequence[int], count: int, sampling: npt.NDArray[Any] | None = None) -> list[int]:
        """`count` further ids, greedy unless `sampling` (16 bytes, FORMAT.md) says otherwise; stop ids are ignored."""
        self.reset()
        self.write("sampling", np.zeros(4, np.uint32) if sampling is None else sampling)
        self.write("stops", np.zeros(1, np.uint32))
        self.prefill(ids)
        self.play("head")
        self.play("sample")
        made = [int(self.read("token", np.uint32, 1)[0])]
        for _ in range(count - 1):
            self.play("decode")
            self.play("sample")
            made.append(int(self.read("token", np.uint32, 1)[0]))
        return made


def settle(plan: dict[str, Any], choices: Mapping[str, str]) -> None:
    """Decide the choices of `plan`: its dispatches become those of the variants that `choices` name.

    Raises ArtifactError for a family or a variant that the plan does not have.
    """
    offered = plan.pop("choices", {})
    for family, name in choices.items():
        if name not in offered.get(family, ()):
            ways = "; ".join(f"{each}: {', '.join(names)}" for each, names in offered.items()) or "none"
            raise ArtifactError(f"the plan has no choice {family}={name}", "choices", f"There are {ways}.")
    dispatches = [each for phase in plan["phases"].values() for each in phase]
    for call in (*dispatches, *(each["few"] for each in dispatches if "few" in each)):
        if "choice" in call:
            family, others = call.pop("choice"), call.pop("or")
            index = offered[family].index(choices.get(family, offered[family][0]))
            if index:
                call |= others[index - 1]


@contextmanager
def _refusals(file: str) -> Iterator[None]:
    """Turns what the device refuses, such as a shader that does not compile, into ArtifactError."""
    import wgpu

    try:
        yield
    except wgpu.GPUError as problem:
        what = f"the device refuses the plan: {problem}"
        raise ArtifactError(what, file, "Export the model again.") from problem


def grid_size(size: int | Mapping[str, Any], symbols: Mapping[str, int]) -> int:
    """A grid number of the plan with its symbol's value put in."""
    if isinstance(size, int):
        return size
    return -(-symbols[size["of"]] * int(size["times"]) // int(size["per"]))


def rope_table(inv_freq: Sequence[float], positions: int, scale: float) -> Floats:
    """(positions, len(inv_freq), 2): scale times cos and sin of position * inv_freq, worked out in float64."""
    angles = np.arange(positions, dtype=np.float64)[:, None] * np.asarray(inv_freq, np.float64)
    return (scale * np.stack([np.cos(angles), np.sin(angles)], axis=-1)).astype(np.float32)
