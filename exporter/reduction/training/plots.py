"""Curves of a run's log as an SVG."""

import json
from collections.abc import Mapping
from pathlib import Path


def plot_losses(logs: Mapping[str, Path], target: Path) -> None:
    """Draw the loss over tokens of each `log.jsonl`, by name, into the SVG `target`; logarithmic, one line a run."""
    import matplotlib
    from matplotlib.figure import Figure

    # The same curves are the same bytes.
    matplotlib.rcParams["svg.hashsalt"] = "thistledown"
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, log in logs.items():
        rows = [row for row in map(json.loads, log.read_text(encoding="utf-8").splitlines()) if "loss" in row]
        axes.plot([row["tokens"] for row in rows], [row["loss"] for row in rows], label=name, linewidth=1)
    axes.set(xlabel="tokens read, padding counted", ylabel="loss (nats a token)", yscale="log")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    making = target.with_suffix(".making")
    figure.savefig(making, format="svg", metadata={"Date": None})
    making.replace(target)
