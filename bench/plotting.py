"""The plots of the docs: how they look, and what a run costs beside the floor, by size."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_CONTENDERS = {"floor": "#9aa5b1", "lending-club run": "#2563eb", "1 % dirt": "#d97706"}


def two_axes() -> tuple[Figure, Axes, Axes]:
    """Return a figure of the docs, and its two axes side by side."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    return figure, left, right


def save(figure: Figure, target: Path) -> None:
    """Write a figure as SVG; the same drawing gives the same bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"svg.hashsalt": "lending-club", "svg.fonttype": "none"}):
        figure.savefig(target, metadata={"Date": None})


def plot(costs: Mapping[str, Mapping[str, Any]], target: Path) -> None:
    """Draw CPU seconds and peak memory of each size that was measured."""
    sizes = list(dict.fromkeys(name.partition(":")[0] for name in costs if ": floor" in name))
    figure, cpu, memory = two_axes()
    for axis, measure, factor in ((cpu, "cpu", 1.0), (memory, "peak", 2.0**-20)):
        for place, (contender, colour) in enumerate(_CONTENDERS.items()):
            values = [costs[f"{size}: {contender}"][measure] * factor for size in sizes]
            positions = [at + (place - 1) * 0.27 for at in range(len(sizes))]
            bars = axis.bar(positions, values, 0.25, label=contender, color=colour)
            axis.bar_label(bars, fmt="%.0f", fontsize=8)
        axis.set_xticks(range(len(sizes)), [f"{size} accounts" for size in sizes])
        axis.spines[["top", "right"]].set_visible(False)
    cpu.set_title("CPU seconds", loc="left", fontsize=10)
    memory.set_title("Peak memory of the process tree, MiB", loc="left", fontsize=10)
    cpu.legend(frameon=False, fontsize=8)
    save(figure, target)


def plot_profile(steps: Sequence[tuple[str, float]], title: str, target: Path) -> None:
    """Draw the CPU seconds of each step of a run, the dearest on top."""
    figure = Figure(figsize=(9, 0.6 + 0.26 * len(steps)), layout="constrained")
    axis = figure.subplots()
    names, seconds = zip(*reversed(steps), strict=True)
    bars = axis.barh(names, seconds, 0.7, color="#2563eb")
    axis.bar_label(bars, fmt="%.1f", fontsize=8, padding=3)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
    axis.set_title(f"CPU seconds by step, {title}", loc="left", fontsize=10)
    save(figure, target)
