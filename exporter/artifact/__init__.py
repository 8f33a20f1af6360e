"""The artifact folder of FORMAT.md: manifest, weight shards, and output that is whole or absent."""

from .adapter_manifest import (
    AdapterManifest,
    base_of,
    parse_adapter_manifest,
    read_adapter_manifest,
    read_adapter_plan,
    require_base,
)
from .atomic_folder import atomic_folder, check_target, flush
from .compact_json import aligned_json, compact_json
from .fields import Fields
from .file_checking import check_size
from .gpu_memory import gpu_memory, with_readback
from .hashing import file_entry, plan_entry
from .manifest import (
    CANARY_BITS,
    Canary,
    Chat,
    ChatTemplate,
    FileEntry,
    Fold,
    Generation,
    Manifest,
    Order,
    PlanEntry,
    Shard,
    Task,
)
from .manifest_parsing import parse_manifest
from .reading import check_files, read_artifact_plan, read_manifest
from .shard_layout import ALIGNMENT, Location, ShardLayout
from .shards import CHUNK_BYTES, SHARED_BYTES, ShardWriter, planned_shard, write_chunks

__all__ = [
    "ALIGNMENT",
    "CANARY_BITS",
    "CHUNK_BYTES",
    "SHARED_BYTES",
    "AdapterManifest",
    "Canary",
    "Chat",
    "ChatTemplate",
    "Fields",
    "FileEntry",
    "Fold",
    "Generation",
    "Location",
    "Manifest",
    "Order",
    "PlanEntry",
    "Shard",
    "ShardLayout",
    "ShardWriter",
    "Task",
    "aligned_json",
    "atomic_folder",
    "base_of",
    "check_files",
    "check_size",
    "check_target",
    "compact_json",
    "file_entry",
    "flush",
    "gpu_memory",
    "parse_adapter_manifest",
    "parse_manifest",
    "plan_entry",
    "planned_shard",
    "read_adapter_manifest",
    "read_adapter_plan",
    "read_artifact_plan",
    "read_manifest",
    "require_base",
    "with_readback",
    "write_chunks",
]
