"""The stages of an export, in order; the only module that knows all the others."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx_ir as ir

from exporter.artifact import (
    Canary,
    ChatTemplate,
    FileEntry,
    Generation,
    Location,
    Manifest,
    PlanEntry,
    Shard,
    ShardLayout,
    ShardWriter,
    Task,
    atomic_folder,
    check_target,
    compact_json,
    file_entry,
    plan_entry,
    planned_shard,
)
from exporter.card import model_card
from exporter.chat import write_chat
from exporter.checkpoints import Checkpoint
from exporter.errors import CheckpointError, SchemeError, printable
from exporter.export_options import ExportOptions
from exporter.front_ends import open_source
from exporter.generation import generation_defaults, ignored_settings
from exporter.lowering import Plan, lower
from exporter.models import Architecture, Built
from exporter.parity import MOST_CANARY_BYTES, canary_of, planned_canary
from exporter.passes import (
    Choice,
    Hessian,
    apply_pooling,
    parameter_count,
    point_at_shards,
    quantize_weights,
    store_weights,
    stored_bytes,
    weight_facts,
)
from exporter.progress import Progress
from exporter.quantization import Recipe, find_method, mixture
from exporter.report import (
    Prediction,
    PrunedFrom,
    Report,
    measure_export,
    require_export_budget,
    short_form,
    what_if_card,
)
from exporter.tokenizer_files import mask_token, require_rows, write_tokenizer
from wgsl_kernels import TIERS, Tier

_LONGEST_TITLE = 120
# Plans of mixed schemes are a little longer than those of one.
_MARGIN = 1.01


@dataclass(frozen=True)
class Exported:
    """What an export made."""

    folder: Path
    manifest: Manifest
    choices: Sequence[Choice]
    report: Report


@dataclass(frozen=True)
class _Job:
    """One export under way."""

    options: ExportOptions
    checkpoint: Checkpoint
    row: Architecture
    built: Built
    parameters: int


Stored = tuple[Mapping[str, Location], Sequence[Shard]]
Coded = tuple[Shard | None, ...]
MakeCanary = Callable[[Path, Task, Built], Canary | None]


def export(options: ExportOptions, progress: Progress) -> Exported:
    """Turn a checkpoint into an artifact folder.

    The folder appears whole or not at all. Raises ThistledownError with the remedy; CheckFailedError over budget.
    """
    check_options(options)
    job = _open(options, progress, values=True)
    choices = _quantize(job, _hessians(job, progress), progress)
    needed = stored_bytes(job.built.model) * (2 if options.coded else 1)
    with atomic_folder(options.output, options.overwrite, needed) as folder:
        stored = _write_shards(folder, job, progress)
        coded = _code(folder, job, stored, progress) if options.coded else None
        progress.say("writing model.onnx and the plans")
        manifest = _write(folder, job, stored, canary_of, progress, coded)
        report = _write_report(folder, job)
    return Exported(options.output, manifest, choices, report)


def check_options(options: ExportOptions) -> None:
    """Raises what `export` raises before it reads anything."""
    _check(options, values=True)
    check_target(options.output, options.overwrite)


def predict(options: ExportOptions, progress: Progress) -> Prediction:
    """What `export` would make, from config.json and what else the checkpoint has beside its weights.

    Raises what `export` raises before it reads a weight; CheckFailedError over budget, unless weights are coded: then
    only they tell whether it is kept.
    """
    _check(options, values=False)
    job = _open(replace(options, budget=None if options.coded else options.budget), progress, values=False)
    _quantize(job, {}, progress)
    with TemporaryDirectory(prefix="thistledown-") as name:
        folder = Path(name)
        manifest = _write(folder, job, _plan_shards(job), planned_canary, progress)
        report = _write_report(folder, job)
        sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    return Prediction(manifest, report, sizes, "tokenizer.json" in job.checkpoint.files, options.coded)


def _open(options: ExportOptions, progress: Progress, *, values: bool) -> _Job:
    opened = open_source(options.source, options.task, progress.say, values=values)
    checkpoint, row = opened.checkpoint, opened.row
    built = row.build(checkpoint.config, checkpoint, context_limit(checkpoint, options.context))
    if row.task == "sentence-embedding":
        pooling = checkpoint.pooling()
        apply_pooling(built.model, pooling.mode == "cls", pooling.normalize)
    if values or "tokenizer.json" in checkpoint.files:
        require_rows(checkpoint.tokenizer(), built.vocabulary)
    job = _Job(options, checkpoint, row, built, parameter_count(built.model))
    progress.say(
        f"{checkpoint.source}: {row.model_type}, {row.task}, {job.parameters / 1e6:.1f} million parameters"
    )
    if options.context is not None and built.context < options.context:
        progress.say(f"context is {built.context} tokens: the checkpoint has no more positions")
    for note in built.notes:
        progress.say(note)
    return job


def _check(options: ExportOptions, *, values: bool) -> None:
    find_method(options.rounding)
    _check_used(options)
    if options.quantize != "auto":
        mixture(options.quantize, [])
    elif not values:
        raise SchemeError("auto measures the weights", "--dry-run", "Name a scheme, or leave out --dry-run.")
    elif options.target_kl is None and options.budget is None:
        raise SchemeError("auto has no target", "--quantize", "Give --target-kl or --budget.")


def _check_used(options: ExportOptions) -> None:
    """Refuses options that would be read by nobody."""
    target = options.target_kl
    if target is not None and options.quantize != "auto":
        raise SchemeError("a target without auto", "--target-kl", "Say --quantize auto, too.")
    if target is not None and not 0 < target < math.inf:
        raise SchemeError(f"the target is {target:g}", "--target-kl", "Give a number above 0.")
    if options.calibration is None:
        return
    if options.quantize != "auto" and options.rounding not in ("gptq", "search"):
        raise SchemeError(
            f"{options.rounding} reads no texts",
            "--calibration",
            "Use --rounding search or gptq, or leave it out.",
        )
    from exporter.calibration import read_texts

    read_texts(options.calibration)


def _hessians(job: _Job, progress: Progress) -> Mapping[str, Hessian]:
    """Second moments of the inputs of linears, where the rounding uses them: measured when they are read."""
    options = job.options
    if options.rounding != "gptq" and not (options.rounding == "search" and options.calibration):
        return {}
    from exporter.calibration import FloatGraph, Moments

    graph, texts = FloatGraph(job.built.model), _calibration_tokens(job)
    progress.say(f"rounding by {len(texts)} texts of {sum(map(len, texts)):,} tokens")
    return Moments(graph, texts).readers()


def _calibration_tokens(job: _Job) -> Sequence[Sequence[int]]:
    from exporter.calibration import read_texts, tokens_of

    tokenizer = job.checkpoint.tokenizer()["tokenizer.json"]
    return tokens_of(read_texts(job.options.calibration), tokenizer, job.built.context)


def _quantize(job: _Job, hessians: Mapping[str, Hessian], progress: Progress) -> Sequence[Choice]:
    model, method = job.built.model, job.options.rounding
    if job.options.quantize == "auto":
        recipes = _automatic(job, progress)
    else:
        recipes = mixture(job.options.quantize, weight_facts(model))
    rounded = {name: replace(recipe, method=method) for name, recipe in recipes.items()}
    choices = quantize_weights(model, rounded, hessians)
    for line in _reasons(choices):
        progress.say(line)
    return choices


def _automatic(job: _Job, progress: Progress) -> dict[str, Recipe]:
    """Recipes found by measuring; GPTQ comes after the search, as it only takes damage away."""
    from exporter.calibration import FloatGraph, Target, find_mixture

    options = job.options
    method = "search" if options.rounding == "gptq" else options.rounding
    target = Target(options.target_kl, _weight_budget(job) if options.target_kl is None else None)
    return find_mixture(FloatGraph(job.built.model), _calibration_tokens(job), target, method, progress.say)


def _weight_budget(job: _Job) -> int:
    """What `budget` leaves for weights that can be quantized, by what a first visit fetches beside them at q8."""
    from exporter.calibration import bytes_in

    plain = replace(job.options, quantize="q8", budget=None)
    facts = weight_facts(job.built.model)
    recipes = mixture(plain.quantize, facts)
    packed = sum(bytes_in(fact, recipes[fact.name].scheme) for fact in facts)
    rest = predict(plain, Progress(quiet=True)).report.first_visit - packed
    return (job.options.budget or 0) - round(rest * _MARGIN)


def _reasons(choices: Sequence[Choice]) -> list[str]:
    """One line for all weights that became something else than was asked for, for the same reason."""
    alike: dict[tuple[str, str], list[str]] = {}
    for choice in choices:
        alike.setdefault((choice.scheme, choice.reason), []).append(choice.name)
    return [
        f"stored as {scheme}: {names[0] if len(names) == 1 else f'{len(names)} weights such as {names[0]}'} ({reason})"
        for (scheme, reason), names in alike.items()
        if reason
    ]


def context_limit(checkpoint: Checkpoint, asked: int | None) -> int | None:
    """The context to build for: what was asked, else what a sentence-transformers checkpoint was made for."""
    if asked is not None and asked < 2:
        raise CheckpointError(
            f"a context of {asked} tokens", "--context", "Give 2 or more: one to read, one to write."
        )
    return asked if asked is not None else checkpoint.max_sequence_length


def _write(
    folder: Path,
    job: _Job,
    stored: Stored,
    make_canary: MakeCanary,
    progress: Progress,
    coded: Coded | None = None,
) -> Manifest:
    model, options = job.built.model, job.options
    places, shards = stored
    point_at_shards(model, places, [shard.file for shard in shards])
    (folder / "model.onnx").write_bytes(ir.to_proto(model).SerializeToString())
    sizes = [shard.bytes for shard in shards]
    plans = {}
    for tier in _tiers(job.row):
        plan = lower(model, job.row.task, tier, job.built.context, places, sizes, options.max_binding)
        plans[tier.name] = _write_plan(folder, plan)
    manifest = _manifest(folder, job, shards, plans, _generation(folder, job, progress), coded)
    if sum(sizes) <= MOST_CANARY_BYTES:
        manifest = replace(manifest, canary=make_canary(folder, job.row.task, job.built))
    (folder / "manifest.json").write_bytes(manifest.to_json())
    return manifest


def _tiers(row: Architecture) -> Sequence[Tier]:
    return [tier for tier in TIERS.values() if row.float16_activations or tier.elem != "f16"]


def _write_shards(folder: Path, job: _Job, progress: Progress) -> Stored:
    model = job.built.model
    writer = ShardWriter(folder, job.options.shard_size)
    with writer, progress.bytes("weights", stored_bytes(model)) as advance:

        def store(size: int, slabs: Iterator[np.ndarray]) -> Location:
            return writer.add(size, _counted(slabs, advance))

        places = store_weights(model, store)
        return places, writer.close()


def _code(folder: Path, job: _Job, stored: Stored, progress: Progress) -> Coded | None:
    from exporter.coded_shards import code_shards

    places, shards = stored
    with progress.bytes("coding", sum(shard.bytes for shard in shards)) as advance:
        return code_shards(folder, job.built.model, places, shards, advance)


def _plan_shards(job: _Job) -> Stored:
    layout = ShardLayout(job.options.shard_size)
    places = store_weights(job.built.model, lambda size, _slabs: layout.place(size))
    return places, [planned_shard(index, size) for index, size in enumerate(layout.sizes)]


def _counted(slabs: Iterator[np.ndarray], advance: Callable[[int], None]) -> Iterator[np.ndarray]:
    for slab in slabs:
        advance(slab.nbytes)
        yield slab


def _write_report(folder: Path, job: _Job) -> Report:
    report, made, origin = measure_export(folder), job.checkpoint.as_origin(), job.checkpoint.origin
    sizes = (made.bytes, made.values)
    pruned_from = PrunedFrom(origin.name, origin.bytes, origin.values, *sizes) if origin else None
    (folder / "report.json").write_bytes(short_form(report, job.options.what_if, pruned_from))
    require_export_budget(report, job.options.budget)
    return report


def _write_plan(folder: Path, plan: Plan) -> PlanEntry:
    path = folder / f"plan.{plan.tier}.json"
    path.write_bytes(compact_json(plan.to_json()))
    return plan_entry(path, tuple(plan.features), plan.memory, plan.limits)


def _generation(folder: Path, job: _Job, progress: Progress) -> Generation | None:
    if job.row.task != "text-generation":
        return None
    checkpoint = job.checkpoint
    defaults = generation_defaults(checkpoint.generation_config, checkpoint.config, job.built.vocabulary)
    if ignored := ignored_settings(checkpoint.generation_config):
        progress.say(f"generation_config.json: {', '.join(ignored)} will not be followed")
    return replace(defaults, chat=write_chat(folder, checkpoint.files, progress.say))


def _manifest(
    folder: Path,
    job: _Job,
    shards: Sequence[Shard],
    plans: dict[str, PlanEntry],
    generation: Generation | None,
    coded: Coded | None,
) -> Manifest:
    checkpoint, built = job.checkpoint, job.built
    manifest = Manifest(
        name=f"{checkpoint.name}-{job.options.quantize}",
        title=printable(checkpoint.source.partition("@")[0].rpartition("/")[2], _LONGEST_TITLE),
        task=job.row.task,
        architecture=job.row.model_type,
        source=printable(checkpoint.source, _LONGEST_TITLE),
        license=checkpoint.license,
        languages=tuple(checkpoint.languages),
        quantization=job.options.quantize,
        parameters=job.parameters,
        context=built.context,
        dimensions=built.dimensions,
        vocabulary=built.vocabulary,
        generation=generation,
        shards=tuple(shards),
        plans=plans,
        files=(file_entry(folder / "model.onnx", "onnx"),),
        labels=built.labels.names if built.labels else None,
        score_function=built.labels.scores if built.labels else None,
        mask_token=mask_token(checkpoint.files) if job.row.task == "fill-mask" else None,
        extraction=checkpoint.extraction if job.row.task == "text-generation" else None,
        coded=coded,
    )
    return replace(
        manifest, files=(*manifest.files, *_write_texts(folder, checkpoint, manifest, job.options))
    )


def _write_texts(
    folder: Path, checkpoint: Checkpoint, manifest: Manifest, options: ExportOptions
) -> list[FileEntry]:
    entries = write_tokenizer(folder, checkpoint.files)
    if manifest.generation is not None:
        if isinstance(manifest.generation.chat, ChatTemplate):
            entries.append(file_entry(folder / manifest.generation.chat.template, "tokenizer"))
        path = folder / "generation_config.json"
        path.write_bytes(compact_json(asdict(manifest.generation)))
        entries.append(file_entry(path, "generation"))
    card = folder / "README.md"
    words = model_card(manifest, options.output.resolve().name, what_if_card(options.what_if))
    card.write_text(words, encoding="utf-8")
    return [*entries, file_entry(card, "card")]
