"""A plan for people: memory, phases, and each dispatch with its kernel, constants and buffers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from exporter.errors import ArtifactError
from exporter.lowering.weight_reads import weights_bound, weights_read
from exporter.sizes import human

_WIDTH = 26


def describe(manifest: Mapping[str, Any], plan: Mapping[str, Any], phase: str | None = None) -> str:
    """The plan in a screenful; with `phase`, its dispatches too. Raises ArtifactError for an unknown phase."""
    if phase is not None and phase not in plan["phases"]:
        raise ArtifactError(
            f"there is no phase {phase}", "--phase", f"There are {', '.join(plan['phases'])}."
        )
    lines = [*_head(manifest, plan), "", *_memory(plan), "", *_phases(plan)]
    if phase is None:
        return "\n".join([*lines, "", f"each dispatch: --phase {next(iter(plan['phases']))}"])
    return "\n".join([*lines, "", f"{phase}:", *_dispatches(plan, plan["phases"][phase])])


def _head(manifest: Mapping[str, Any], plan: Mapping[str, Any]) -> list[str]:
    tiers = ", ".join(
        name + (f" (needs {', '.join(entry['features'])})" if entry["features"] else "")
        for name, entry in manifest["plans"].items()
    )
    symbols = ", ".join(f"{name} up to {most}" for name, most in plan["symbols"].items())
    limits = ", ".join(f"{name} {value:,}" for name, value in plan["limits"].items())
    return [
        f"{manifest['name']}: {manifest['task']}, {manifest['quantization']}, context {manifest['context']}",
        f"tiers     {tiers}",
        f"shown     {plan['tier']}: {len(plan['shaders'])} shaders, {len(plan['kernels'])} kernels",
        f"symbols   {symbols}",
        *_choices(plan),
        f"limits    {limits}",
    ]


def _choices(plan: Mapping[str, Any]) -> list[str]:
    """What the engine's tuner decides on the device; the first name is the default."""
    families = plan.get("choices", {}).items()
    ways = ", ".join(f"{family} {' or '.join(names)}" for family, names in families)
    return [f"choices   {ways}"] if ways else []


def _memory(plan: Mapping[str, Any]) -> list[str]:
    rows = [f"  {name:<12} {size:>14,}  {human(size)}" for name, size in plan["memory"].items()]
    return ["GPU memory, bytes:", *rows]


def _phases(plan: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, dispatches in plan["phases"].items():
        used = Counter(plan["kernels"][d["kernel"]]["shader"] for d in dispatches)
        most = ", ".join(f"{count} {shader}" for shader, count in used.most_common(4))
        most += ", …" if len(used) > 4 else ""
        bound = sum(weights_bound(plan, d) for d in dispatches)
        read = f", {human(weights_read(plan))} read" if name == "decode" else ""
        lines.append(
            f"{name:<9} {len(dispatches)} dispatches ({most}), {human(bound)} of weights bound{read}"
        )
    return lines


def _dispatches(plan: Mapping[str, Any], dispatches: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for index, dispatch in enumerate(dispatches):
        kernel = plan["kernels"][dispatch["kernel"]]
        grid = " x ".join(_size(size) for size in dispatch["grid"])
        buffers = " ".join(plan["buffers"][buffer]["name"] for _, buffer, _, _ in dispatch["bind"])
        lines.append(f"  {index:>4}  {kernel['shader']:<{_WIDTH}} [{grid}]  {buffers}")
        lines.append(f"        {_constants(kernel)}")
        lines += _others(plan, dispatch)
        if "few" in dispatch:
            lines.append(f"        few tokens: {_call(plan, dispatch['few'])}")
            lines += _others(plan, dispatch["few"])
    return lines


def _constants(kernel: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value:g}" for name, value in kernel["constants"].items())


def _others(plan: Mapping[str, Any], dispatch: Mapping[str, Any]) -> list[str]:
    names = plan["choices"][dispatch["choice"]][1:] if "choice" in dispatch else ()
    lines = []
    for name, other in zip(names, dispatch.get("or", ()), strict=True):
        lines.append(f"        or {name}: {_call(plan, other)}")
    return lines


def _call(plan: Mapping[str, Any], call: Mapping[str, Any]) -> str:
    kernel = plan["kernels"][call["kernel"]]
    grid = " x ".join(_size(size) for size in call["grid"])
    return f"{kernel['shader']} [{grid}]  {_constants(kernel)}"


def _size(size: int | Mapping[str, Any]) -> str:
    if isinstance(size, int):
        return str(size)
    inner = size["of"] if size["times"] == 1 else f"{size['times']} {size['of']}"
    return inner if size["per"] == 1 else f"ceil({inner}/{size['per']})"
