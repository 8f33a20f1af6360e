"""An artifact's files, with its shards coded: what a visit fetches in their place."""

import json
from hashlib import sha256

import numpy as np

from exporter.coding import Span, coded_chunks


def with_coded_shards(files: dict[str, bytes], chunk_bytes: int = 1024) -> dict[str, bytes]:
    """`files` and a coded file for each shard, which the manifest names; all weights are taken for float32."""
    manifest, added = json.loads(files["manifest.json"]), {}
    manifest["coded"] = []
    for shard in manifest["shards"]:
        data = np.frombuffer(files[shard["file"]], np.uint8)
        chunks = list(coded_chunks(data, [Span(0, len(data), 4)], chunk_bytes))
        content = b"".join(chunks)
        name = f"{sha256(content).hexdigest()}.bin"
        added[name] = content
        hashes = [sha256(chunk).hexdigest() for chunk in chunks]
        facts = {"file": name, "bytes": len(content), "sha256": name.removesuffix(".bin")}
        manifest["coded"].append({**facts, "chunk_bytes": chunk_bytes, "chunks": hashes})
    return {**files, **added, "manifest.json": json.dumps(manifest).encode()}
