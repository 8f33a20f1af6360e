"""manifest.json: written compactly, read back equal, and believed only when every field is right."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.artifact import (
    Chat,
    FileEntry,
    Generation,
    Manifest,
    PlanEntry,
    Shard,
    compact_json,
    file_entry,
    parse_manifest,
    plan_entry,
)
from exporter.errors import ArtifactError

HASHES = ["0" * 63 + digit for digit in "123456789"]
MANIFEST = Manifest(
    name="granite-4.0-h-1b",
    title="Granite 4.0 H 1B – tiny",
    task="text-generation",
    architecture="granitemoehybrid",
    source="ibm-granite/granite-4.0-h-1b",
    license="apache-2.0",
    languages=("en", "pt-BR"),
    quantization="q4",
    parameters=1_000_000_000,
    context=4096,
    dimensions=None,
    vocabulary=100352,
    generation=Generation((0, 1), None, 0.7, 50, 0.9),
    shards=(Shard(f"{HASHES[0]}.bin", 9 << 20, HASHES[0], 4 << 20, tuple(HASHES[1:4])),),
    plans={
        "base": PlanEntry(
            "plan.base.json", 10, HASHES[4], ("shader-f16",), {"total": 5}, {"maxBufferSize": 6}
        )
    },
    files=(
        FileEntry("model.onnx", "onnx", 0, HASHES[5]),
        FileEntry("tokenizer.json", "tokenizer", 7, HASHES[6]),
    ),
)
EMBEDDING = replace(
    MANIFEST,
    task="sentence-embedding",
    license=None,
    languages=(),
    dimensions=384,
    generation=None,
    shards=(),
    plans={},
)
CLASSIFIER = replace(
    EMBEDDING, task="text-classification", dimensions=None, labels=("joy", "–"), score_function="sigmoid"
)
EXTRACTOR = replace(MANIFEST, extraction={"contact": ("phone", "person")})
FILLER = replace(EMBEDDING, task="fill-mask", dimensions=None, mask_token="[MASK]")


@pytest.mark.parametrize("manifest", [MANIFEST, EMBEDDING, CLASSIFIER, FILLER, EXTRACTOR])
def test_reads_back_what_was_written(manifest: Manifest) -> None:
    data = manifest.to_json()
    assert parse_manifest(data) == manifest
    assert parse_manifest(data).to_json() == data


def test_is_written_as_the_format_says() -> None:
    data = MANIFEST.to_json()
    assert data.startswith(b'{"format":"thistledown","version":1,"name":"granite-4.0-h-1b"')
    assert "–".encode() in data
    assert data == json.dumps(json.loads(data), ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", object(), {1, 2}])
def test_compact_json_refuses_what_json_cannot_hold(value: Any) -> None:
    with pytest.raises(ArtifactError):
        compact_json({"a": value})


def test_entries_measure_files(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_entry(path, "onnx") == FileEntry("model.onnx", "onnx", 3, digest)
    assert plan_entry(path, ["f"], {"total": 1}, {"x": 2}) == PlanEntry(
        "model.onnx", 3, digest, ("f",), {"total": 1}, {"x": 2}
    )


def test_manifests_of_the_first_tasks_have_no_later_keys() -> None:
    value = json.loads(EMBEDDING.to_json())
    for key in ("labels", "score_function", "mask_token", "extraction"):
        del value[key]
    assert parse_manifest(json.dumps(value).encode()) == EMBEDDING


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    value = json.loads(MANIFEST.to_json())
    change(value)
    return json.dumps(value).encode()


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """A change that puts the last item of `path` at the place that the others name."""

    def change(value: dict[str, Any]) -> None:
        target: Any = value
        for step in path[:-2]:
            target = target[step]
        target[path[-2]] = path[-1]

    return change


HOSTILE: Mapping[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "other format": (put("format", "gguf"), "artifact of version"),
    "other version": (put("version", 2), "artifact of version"),
    "version true": (put("version", True), "artifact of version"),
    "unknown key": (put("extra", 1), "extra is unknown"),
    "missing key": (lambda value: value.pop("task"), "task is missing"),
    "name with folder": (put("name", "../x"), "name is"),
    "name in capitals": (put("name", "Model"), "name is"),
    "name empty": (put("name", ""), "name is"),
    "title with escape": (put("title", "a\x1b[2J"), "title is no plain text"),
    "title too long": (put("title", "x" * 5000), "title is no plain text"),
    "title not text": (put("title", ["x"]), "title is no plain text"),
    "task unknown": (put("task", "chat"), "task is none of"),
    "task a list": (put("task", []), "task is none of"),
    "license a number": (put("license", 1), "license"),
    "languages a text": (put("languages", "en"), "languages is no list"),
    "language not a tag": (put("languages", ["<b>"]), "languages is not a list"),
    "quantization unknown": (put("quantization", "q3"), "quantization"),
    "parameters negative": (put("parameters", -1), "parameters"),
    "parameters a float": (put("parameters", 1.0), "parameters"),
    "parameters true": (put("parameters", True), "parameters"),
    "parameters over 2**53": (put("parameters", 2**53), "parameters"),
    "context zero": (put("context", 0), "context"),
    "dimensions zero": (put("dimensions", 0), "dimensions"),
    "labels a text": (put("labels", "joy"), "labels is no list"),
    "labels of two lines": (put("labels", ["a\nb"]), "labels"),
    "score function unknown": (put("score_function", "relu"), "score_function is none of"),
    "no kinds": (put("extraction", {}), "extraction has no kinds"),
    "kind with a space": (put("extraction", {"a b": ["c"]}), "extraction has no kinds that match"),
    "kind without a list": (put("extraction", {"contact": "phone"}), "extraction.contact"),
    "field with markup": (
        put("extraction", {"contact": ["<b>"]}),
        "extraction.contact is not a list of texts",
    ),
    "mask token a number": (put("mask_token", 103), "mask_token is no plain text"),
    "classes without labels": (put("task", "text-classification"), "labels is missing"),
    "words without a score": (
        lambda value: value.update(task="token-classification", labels=["a"]),
        "score_function is missing",
    ),
    "mask missing": (put("task", "fill-mask"), "mask_token is missing"),
    "generation a list": (put("generation", []), "generation is no object"),
    "stop id negative": (put("generation", "stop_ids", [-1]), "generation.stop_ids"),
    "temperature a text": (put("generation", "temperature", "1"), "generation.temperature"),
    "temperature huge": (put("generation", "temperature", 1e9), "generation.temperature"),
    "top_p over one": (put("generation", "top_p", 1.5), "generation.top_p"),
    "shards an object": (put("shards", {}), "shards is no list"),
    "shard a text": (put("shards", 0, "x"), "shards.0 is no object"),
    "shard outside": (put("shards", 0, "file", "../x.bin"), "shards.0.file"),
    "shard not named by hash": (put("shards", 0, "file", "x.bin"), "not named by its SHA-256"),
    "hash short": (put("shards", 0, "sha256", "00"), "shards.0.sha256"),
    "hash in capitals": (put("shards", 0, "sha256", "A" * 64), "shards.0.sha256"),
    "chunk missing": (put("shards", 0, "chunks", HASHES[1:3]), "does not cover"),
    "chunk too many": (put("shards", 0, "chunks", HASHES[1:5]), "does not cover"),
    "chunk no hash": (put("shards", 0, "chunks", [1, 2, 3]), "shards.0.chunks"),
    "chunk size zero": (put("shards", 0, "chunk_bytes", 0), "shards.0.chunk_bytes"),
    "shard huge": (put("shards", 0, "bytes", 2**52), "does not cover"),
    "shard empty": (put("shards", 0, "bytes", 0), "shards.0.bytes"),
    "shard twice": (lambda value: value["shards"].append(copy.deepcopy(value["shards"][0])), "listed twice"),
    "plans a list": (put("plans", []), "plans is no object"),
    "tier unfit": (put("plans", "../x", {}), "unfit tier"),
    "plan outside": (put("plans", "base", "file", "/etc/passwd"), "plans.base.file"),
    "plan hidden": (put("plans", "base", "file", ".env"), "plans.base.file"),
    "feature unfit": (put("plans", "base", "features", ["a b"]), "plans.base.features"),
    "memory negative": (put("plans", "base", "memory", {"total": -5}), "plans.base.memory.total"),
    "limits a list": (put("plans", "base", "limits", []), "plans.base.limits"),
    "role unknown": (put("files", 0, "role", "script"), "files.0.role"),
    "file with backslash": (put("files", 0, "file", "a\\b"), "files.0.file"),
    "file twice": (put("files", 1, "file", "model.onnx"), "listed twice"),
    "file twice in capitals": (put("files", 1, "file", "MODEL.onnx"), "listed twice"),
    "file is the plan": (put("files", 1, "file", "plan.base.json"), "listed twice"),
    "file is the manifest": (put("files", 1, "file", "manifest.json"), "listed twice"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_refuses_and_names_the_field(kind: str) -> None:
    change, told = HOSTILE[kind]
    with pytest.raises(ArtifactError) as caught:
        parse_manifest(changed(change))
    assert told in caught.value.what
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"{" * 100000,
        b'{"a":1,"a":2}',
        b"{}",
        b'{"format":NaN}',
        b" " * (5 << 20),
    ],
    ids=lambda data: repr(data[:8]),
)
def test_refuses_what_is_no_manifest(data: bytes) -> None:
    with pytest.raises(ArtifactError):
        parse_manifest(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [found for key, item in items for found in places(item, (*path, key))]


PLACES = places(json.loads(MANIFEST.to_json()))


@settings(max_examples=500, deadline=None)
@given(place=st.sampled_from(PLACES), junk=JSON)
def test_any_junk_at_any_place_is_refused_or_read_to_the_same_bytes(
    place: tuple[Any, ...], junk: Any
) -> None:
    data = changed(put(*place, junk))
    try:
        manifest = parse_manifest(data)
    except ArtifactError:
        return
    assert json.loads(manifest.to_json()) == json.loads(data)


CHAT = Chat("<s>", {"user": ("<u>\n", "</u>"), "assistant": ("", "again", "\n")}, "<a>", None)


def test_a_chat_template_as_data_is_kept() -> None:
    assert MANIFEST.generation is not None
    chatty = replace(MANIFEST, generation=replace(MANIFEST.generation, chat=CHAT))
    assert parse_manifest(chatty.to_json()) == chatty


def test_a_chat_template_may_be_absent() -> None:
    document = json.loads(MANIFEST.to_json())
    del document["generation"]["chat"]
    assert parse_manifest(json.dumps(document).encode()) == MANIFEST


@pytest.mark.parametrize(
    "change",
    [
        {"start": 1},
        {"roles": []},
        {"roles": {"user": ["a"]}},
        {"roles": {"user": ["a", 2]}},
        {"roles": {"user": ["a"] * 5}},
        {"jinja": "{{ x }}"},
    ],
)
def test_a_chat_template_of_another_shape_is_refused(change: dict[str, object]) -> None:
    document = json.loads(MANIFEST.to_json())
    chat = {"start": "", "roles": {"user": ["", ""]}, "answer": "", "system": None}
    document["generation"]["chat"] = chat | change
    with pytest.raises(ArtifactError, match=r"chat"):
        parse_manifest(json.dumps(document).encode())
