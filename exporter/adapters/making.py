"""`thistledown adapter`: an adapter as an artifact of its own, over the shards of a base that is already exported.

The base's own graph is read back, the adapter's products are put into it, and the result is lowered as an export is.
Every weight of the base stays where it is in the base's shards; those of the adapter go into one shard more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir

from exporter.adapters.grafting import Stored, graft
from exporter.adapters.peft_folder import Floats, PeftAdapter
from exporter.artifact import (
    AdapterManifest,
    Location,
    Manifest,
    PlanEntry,
    Shard,
    ShardWriter,
    atomic_folder,
    base_of,
    check_files,
    check_target,
    compact_json,
    file_entry,
    plan_entry,
    read_artifact_plan,
    read_manifest,
)
from exporter.checkpoints.checkpoint import folder_safe_name
from exporter.errors import ArtifactError, LoraError
from exporter.lowering import Plan, lower
from exporter.passes import point_at_shards, slab_reader, weights
from exporter.passes.weights import rows_of, tensor_of
from exporter.quantization import to_float16
from wgsl_kernels import TIERS

_MODEL = "model.onnx"
_LARGEST_MODEL = 256 << 20
_REMEDY = "Export the base again."


@dataclass(frozen=True)
class Made:
    """What was made: `bytes` of its shard, and those of the base's for comparison; `note` as in `Merged`."""

    folder: Path
    manifest: AdapterManifest
    base_bytes: int
    note: str

    @property
    def share(self) -> float:
        """The shard's bytes as a part of the base's."""
        return self.manifest.shard.bytes / self.base_bytes


def make_adapter(artifact: Path, adapter: Path, output: Path) -> Made:
    """Write `adapter`, a folder of peft, for the exported base `artifact` to the folder `output`, whole or not at all.

    Raises LoraError for what does not fit, and what reading a damaged base raises.
    """
    check_target(output, overwrite=False)
    peft, base = PeftAdapter(adapter), read_manifest(artifact)
    check_files(artifact)
    model = _graph(artifact, base)
    places = _places(model, base)
    added = graft(model, peft, _storage(base), base.name)
    with atomic_folder(output) as folder:
        shard, own = _write_shard(folder, model, added, len(base.shards))
        shards = [*base.shards, shard]
        point_at_shards(model, {**places, **own}, [each.file for each in shards])
        (folder / _MODEL).write_bytes(ir.to_proto(model).SerializeToString())
        plans = _write_plans(folder, artifact, base, model, {**places, **own}, shards)
        manifest = AdapterManifest(
            name=folder_safe_name(peft.name),
            base=base_of(base),
            rank=max(product.rank for product in peft.products.values()),
            parameters=peft.parameters,
            shard=shard,
            plans=plans,
            files=(file_entry(folder / _MODEL, "onnx"),),
        )
        (folder / "manifest.json").write_bytes(manifest.to_json())
    return Made(output, manifest, sum(each.bytes for each in base.shards), peft.note_on(base.source))


def _graph(artifact: Path, base: Manifest) -> ir.Model:
    path = artifact / _MODEL
    if path.stat().st_size > _LARGEST_MODEL:
        raise ArtifactError(f"{_MODEL} is over {_LARGEST_MODEL} bytes", base.name, _REMEDY)
    try:
        return ir.from_proto(onnx.load_model_from_string(path.read_bytes()))
    except Exception as problem:  # what protobuf and onnx_ir raise has no common base
        raise ArtifactError(f"{_MODEL} cannot be read: {problem}", base.name, _REMEDY) from problem


def _places(model: ir.Model, base: Manifest) -> Mapping[str, Location]:
    """Where each weight of the base lies; raises ArtifactError if that is not in its shards."""
    sizes = {shard.file: (index, shard.bytes) for index, shard in enumerate(base.shards)}
    found = {}
    for value in weights(model):
        tensor = tensor_of(value)
        if not isinstance(tensor, ir.ExternalTensor) or str(tensor.location) not in sizes:
            raise ArtifactError(f'The weight "{value.name}" is in no shard', base.name, _REMEDY)
        index, size = sizes[str(tensor.location)]
        offset, length = tensor.offset or 0, tensor.nbytes
        if offset < 0 or offset + length > size:
            raise ArtifactError(f'The weight "{value.name}" reaches past its shard', base.name, _REMEDY)
        found[str(value.name)] = Location(index, offset, length)
    return found


def _storage(base: Manifest) -> Stored:
    """float16, which is as exact as adapters are trained, and beside a float32 base float32."""
    if base.quantization == "f32":
        return Stored(ir.DataType.FLOAT, _as_it_is)
    return Stored(ir.DataType.FLOAT16, to_float16)


def _as_it_is(values: Floats, name: str) -> np.ndarray:
    return values


def _write_shard(
    folder: Path, model: ir.Model, added: list[str], index: int
) -> tuple[Shard, Mapping[str, Location]]:
    """One shard with all new weights, which is shard `index` of the plans."""
    values = [model.graph.initializers[name] for name in added]
    size = sum(-(-tensor_of(value).nbytes // 256) * 256 for value in values)
    places = {}
    with slab_reader() as reader, ShardWriter(folder, size) as writer:
        for value in values:
            at = writer.add(tensor_of(value).nbytes, reader.read(rows_of(value)))
            places[str(value.name)] = Location(index + at.shard_index, at.offset, at.bytes)
        (shard,) = writer.close()
    return shard, places


def _write_plans(
    folder: Path,
    artifact: Path,
    base: Manifest,
    model: ir.Model,
    places: Mapping[str, Location],
    shards: list[Shard],
) -> dict[str, PlanEntry]:
    plans = {}
    for tier in base.plans:
        if tier not in TIERS:
            raise ArtifactError(f'The base has the unknown tier "{tier}"', base.name, _REMEDY)
        plan = lower(model, base.task, TIERS[tier], base.context, places, [shard.bytes for shard in shards])
        _, of_base = read_artifact_plan(artifact, tier)
        _require_same_weights(plan, of_base, base)
        path = folder / f"plan.{tier}.json"
        path.write_bytes(compact_json(plan.to_json()))
        plans[tier] = plan_entry(path, tuple(plan.features), plan.memory, plan.limits)
    return plans


def _require_same_weights(plan: Plan, of_base: Mapping[str, Any], base: Manifest) -> None:
    """A reader shares the base's weight buffers, so the plan must bind no other ones of the base's shards."""
    shared = set(_weight_buffers(of_base["buffers"]))
    wanted = [
        each for each in _weight_buffers(b.to_json() for b in plan.buffers) if each[0] < len(base.shards)
    ]
    if not shared.issuperset(wanted):
        what = "The base was made by another version, whose plans cut weights otherwise"
        raise LoraError(what, base.name, _REMEDY)


def _weight_buffers(buffers: Any) -> Iterator[tuple[int, int, int]]:
    return ((b["shard"], b["offset"], b["bytes"]) for b in buffers if b["kind"] == "weight")
