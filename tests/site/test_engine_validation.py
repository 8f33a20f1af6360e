"""Manifests and plans from outside: whatever is wrong in them is named, and nothing is fetched or run."""

import copy
import json
from collections.abc import Callable
from typing import Any, get_args

import pytest

from tests.site.conftest import EnginePage
from tests.site.encoder_artifacts import Task, reader_artifact
from tests.site.engine_artifacts import Artifact, embedding_artifact, generation_artifact

pytestmark = pytest.mark.browser

Json = dict[str, Any]
Change = Callable[[Json], object]

READ_EACH = """
  const { readManifest } = await import('/engine/manifest.js');
  const { readPlan } = await import('/engine/plan.js');
  return args.cases.map(([manifest, plan]) => {
    try {
      const read = readManifest(manifest, 'here/manifest.json');
      if (plan) readPlan(plan, 'here/plan.base.json', read, 'base');
      return null;
    } catch (error) { return [error.code, error.message]; }
  });
"""


def put(value: object, *path: str | int) -> Change:
    """Sets the field at `path`."""

    def change(json_value: Json) -> None:
        target: Any = json_value
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value

    return change


WAY: Json = {"kernel": 0, "grid": [1, 1, 1]}


def offer(others: object) -> Change:
    """Makes the first dispatch one of a family of two ways."""

    def change(plan: Json) -> None:
        plan["choices"] = {"gather": ["slow", "fast"]}
        plan["phases"]["encode"][0] |= {"choice": "gather", "or": others}

    return change


MANIFEST_FAULTS: list[tuple[Change, str]] = [
    (put("other", "format"), ".format"),
    (put(2, "version"), ".version"),
    (put("1", "version"), ".version"),
    (put("../x", "name"), ".name"),
    (put("translation", "task"), ".task"),
    (put("q3", "quantization"), ".quantization"),
    (put(0, "context"), ".context"),
    (put(1.5, "vocabulary"), ".vocabulary"),
    (put(None, "dimensions"), ".dimensions"),
    (put("en", "languages"), ".languages"),
    (put("../manifest.json", "files", 0, "file"), ".files[0].file"),
    (put("a/b.bin", "shards", 0, "file"), ".shards[0].file"),
    (put("weights.bin", "shards", 0, "file"), "named by its SHA-256"),
    (put("AA", "shards", 0, "sha256"), ".shards[0].sha256"),
    (put(-1, "shards", 0, "bytes"), ".shards[0].bytes"),
    (put(2**53, "shards", 0, "bytes"), ".shards[0].bytes"),
    (put(63, "shards", 0, "chunk_bytes"), "multiple of 4"),
    (put(2**30, "shards", 0, "chunk_bytes"), ".shards[0].chunk_bytes"),
    (put([], "shards", 0, "chunks"), "cover"),
    (put({}, "plans"), ".plans"),
    (put({"f8": {}}, "plans"), "f8"),
    (put(["Bad Name"], "plans", "base", "features"), "features[0]"),
    (put("8", "plans", "base", "memory", "total"), "memory.total"),
    (put("script", "files", 0, "role"), ".files[0].role"),
    (put("card", "files", 0, "role"), "tokenizer.json"),
    (put([], "files"), "tokenizer.json"),
    (put("tokenizer.json", "files", 1, "file"), "twice"),
]
GENERATION_FAULTS: list[tuple[Change, str]] = [
    (put(None, "generation"), ".generation"),
    (put([99], "generation", "stop_ids"), "stop_ids[0]"),
    (put(0, "generation", "top_p"), "top_p"),
    (put(-1, "generation", "temperature"), "temperature"),
    (put({"start": "", "roles": {"user": ["a"]}, "answer": ""}, "generation", "chat"), "roles.user"),
]
PLAN_FAULTS: list[tuple[Change, str]] = [
    (put("thistledown", "format"), ".format"),
    (put(2, "version"), ".version"),
    (put("f16", "tier"), ".tier"),
    (put("text-generation", "task"), ".task"),
    (put(["subgroups"], "features"), "manifest says"),
    (put(9, "limits", "maxBufferSize"), "manifest says"),
    (put(0, "symbols", "tokens"), "symbols"),
    (put(5, "memory", "weights"), "memory"),
    (put(3, "shaders", "pool"), "shaders.pool"),
    (put("none", "kernels", 0, "shader"), ".kernels[0].shader"),
    (put("none", "buffers", 0, "kind"), ".buffers[0].kind"),
    (put(161, "buffers", 0, "bytes"), "multiple of 4"),
    (put(2, "buffers", 0, "shard"), ".buffers[0].shard"),
    (put(4096, "buffers", 0, "offset"), "past its shard"),
    (put(2, "buffers", 0, "offset"), "multiple of 4"),
    (put([0.1, 0.2], "buffers", 3, "inv_freq"), "positions x frequencies"),
    (put("other", "buffers", 9, "name"), "embedding"),
    (put(64, "buffers", 10, "bytes"), "memory"),
    (put("input", "buffers", 10, "kind"), "one step"),
    (put([], "phases"), ".phases"),
    (put({}, "phases"), ".phases.encode"),
    (put(7, "phases", "encode", 0, "kernel"), ".encode[0].kernel"),
    (put([0, 10, 0], "phases", "encode", 0, "bind", 0), "[binding, buffer, offset, bytes]"),
    (put([0, 99, 0, 32], "phases", "encode", 0, "bind", 0), ".bind[0][1]"),
    (put([0, 10, 16, 16], "phases", "encode", 0, "bind", 0), "multiple of 256"),
    (put([0, 10, 0, 36], "phases", "encode", 0, "bind", 0), "past the buffer"),
    (put([1, 1], "phases", "encode", 0, "grid"), ".grid"),
    (put([0, 1, 1], "phases", "encode", 0, "grid"), ".grid[0]"),
    (put({"of": "layers", "times": 1, "per": 1}, "phases", "encode", 0, "grid", 0), ".of"),
    (put({"of": "tokens", "times": 9000, "per": 1}, "phases", "encode", 0, "grid", 0), "65535"),
    (put({"of": "past", "times": 1 << 40, "per": 1}, "phases", "encode", 0, "grid", 0), ".grid[0] is 0"),
    (put([], "choices"), ".choices"),
    (put({"Gather": ["a", "b"]}, "choices"), '"Gather"'),
    (put({"gather": "ab"}, "choices"), ".choices.gather"),
    (put({"gather": ["a"]}, "choices"), "2 to 16"),
    (put({"gather": ["a", "a"]}, "choices"), "2 to 16"),
    (put({"gather": [f"a{i}" for i in range(17)]}, "choices"), "2 to 16"),
    (put({"gather": ["a", "B"]}, "choices"), ".choices.gather[1]"),
    (put("gather", "phases", "encode", 0, "choice"), ".encode[0].choice"),
    (put([WAY], "phases", "encode", 0, "or"), "has 1 ways, not 0"),
    (offer([]), "has 0 ways, not 1"),
    (offer([WAY, WAY]), "has 2 ways, not 1"),
    (offer([{**WAY, "kernel": 2}]), ".or[0].kernel"),
    (offer([{**WAY, "grid": [1, 70000, 1]}]), ".or[0].grid[1]"),
    (offer(WAY), ".or is not a list"),
    (put([], "phases", "encode", 0, "or"), ".or has 0 ways"),
    (put([], "phases", "encode", 0, "few"), ".few"),
    (put({**WAY, "kernel": 7}, "phases", "encode", 0, "few"), ".few.kernel"),
    (put({**WAY, "grid": [1]}, "phases", "encode", 0, "few"), ".few.grid"),
    (put({**WAY, "choice": "other"}, "phases", "encode", 0, "few"), ".few.choice"),
]
GENERATION_PLAN_FAULTS: list[tuple[Change, str]] = [
    (put("other", "buffers", 1, "role"), ".buffers[1].role"),
    (put(-1, "buffers", 2, "of"), ".buffers[2].of"),
    (put(99, "buffers", 2, "of"), "no such state"),
    (put(0, "buffers", 2, "of"), "no such state"),
    (put(4, "buffers", 2, "bytes"), "memory"),
]
READER_FAULTS: list[tuple[Task, Change, str]] = [
    ("text-classification", put(None, "labels"), ".labels"),
    ("text-classification", put([], "labels"), ".labels"),
    ("token-classification", put([1, 2, 3], "labels"), ".labels[0]"),
    ("token-classification", put("relu", "score_function"), ".score_function"),
    ("token-classification", put(None, "score_function"), ".score_function"),
    ("fill-mask", put(None, "mask_token"), ".mask_token"),
]
READER_PLAN_FAULTS: list[tuple[Task, Change, str]] = [
    ("text-classification", put("other", "buffers", 6, "name"), '"logits" of 36 bytes'),
    ("token-classification", put(13, "symbols", "tokens"), '"ids" of 52 bytes'),
    ("fill-mask", put("other", "buffers", 5, "name"), '"rows" of 12 bytes'),
    ("fill-mask", put({"prefill": []}, "phases"), ".phases.encode"),
]


def changed(artifact: Artifact, change: Change, *, in_plan: bool) -> tuple[Json, Json | None]:
    manifest = json.loads(artifact.files()["manifest.json"])
    plan = copy.deepcopy(artifact.plan)
    change(plan if in_plan else manifest)
    return manifest, plan if in_plan else None


def check(page: EnginePage, cases: list[tuple[Json, Json | None]], parts: list[str], code: str) -> None:
    for found, part in zip(page.run(READ_EACH, cases=cases), parts, strict=True):
        assert found is not None, f"accepted, though {part}"
        assert found[0] == code, found
        assert part in found[1]
        assert "here/" in found[1]


def test_a_bad_manifest_is_refused_by_name(engine_page: EnginePage) -> None:
    artifact, generation = embedding_artifact(), generation_artifact([2])
    faults = [part for _, part in MANIFEST_FAULTS + GENERATION_FAULTS]
    cases = [changed(artifact, change, in_plan=False) for change, _ in MANIFEST_FAULTS]
    cases += [changed(generation, change, in_plan=False) for change, _ in GENERATION_FAULTS]
    check(engine_page, cases, faults, "MANIFEST_INVALID")


def test_what_is_not_a_manifest_is_refused(engine_page: EnginePage) -> None:
    cases: list[Any] = [[None, None], [[], None], ["x", None], [{}, None]]
    assert {found[0] for found in engine_page.run(READ_EACH, cases=cases)} == {"MANIFEST_INVALID"}


def test_a_bad_plan_is_refused_by_name(engine_page: EnginePage) -> None:
    cases = [changed(embedding_artifact(), change, in_plan=True) for change, _ in PLAN_FAULTS]
    check(engine_page, cases, [part for _, part in PLAN_FAULTS], "PLAN_INVALID")
    faults = GENERATION_PLAN_FAULTS
    cases = [changed(generation_artifact([2]), change, in_plan=True) for change, _ in faults]
    check(engine_page, cases, [part for _, part in faults], "PLAN_INVALID")


def test_a_context_beyond_the_caches_is_refused(engine_page: EnginePage) -> None:
    artifact = generation_artifact([2])
    manifest, _ = changed(artifact, put(100_000, "context"), in_plan=False)
    check(engine_page, [(manifest, artifact.plan)], ["context 100000"], "PLAN_INVALID")


def test_what_a_reader_needs_is_asked_for(engine_page: EnginePage) -> None:
    cases = [changed(reader_artifact(task), change, in_plan=False) for task, change, _ in READER_FAULTS]
    check(engine_page, cases, [part for *_, part in READER_FAULTS], "MANIFEST_INVALID")
    cases = [changed(reader_artifact(task), change, in_plan=True) for task, change, _ in READER_PLAN_FAULTS]
    check(engine_page, cases, [part for *_, part in READER_PLAN_FAULTS], "PLAN_INVALID")


def test_good_ones_and_unknown_keys_are_read(engine_page: EnginePage) -> None:
    readers = [reader_artifact(task) for task in get_args(Task)]
    for artifact in (embedding_artifact(), generation_artifact([2]), *readers):
        manifest, plan = changed(artifact, put(1, "remark"), in_plan=True)
        assert engine_page.run(READ_EACH, cases=[[{**manifest, "remark": 1}, plan]]) == [None]
