"""The plot of the docs: how cost grows with accounts, beside the floor and n log n."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.plotting import save, two_axes


def plot_growth(sizes: Mapping[str, Any], target: Path) -> None:
    """Draw CPU seconds and peak memory against accounts, on logarithmic axes."""
    numbers = sorted(map(int, sizes))
    if not numbers:
        return
    figure, cpu, memory = two_axes()
    runs = [next(cost for it, cost in sizes[str(n)].items() if it != "floor") for n in numbers]
    floors = [sizes[str(n)]["floor"]["cpu"] for n in numbers]
    cpu.plot(numbers, [it["cpu"] for it in runs], "o-", color="#2563eb", label="lending-club run")
    cpu.plot(numbers, floors, "o-", color="#9aa5b1", label="floor")
    base = runs[0]["cpu"] / (numbers[0] * math.log(numbers[0]))
    growth = [base * n * math.log(n) for n in numbers]
    cpu.plot(numbers, growth, ":", color="#d97706", label="n log n from the first size")
    memory.plot(numbers, [it["peak"] / 2**30 for it in runs], "o-", color="#2563eb")
    for axis in (cpu, memory):
        axis.set_xscale("log")
        axis.set_xlabel("accounts")
        axis.spines[["top", "right"]].set_visible(False)
    cpu.set_yscale("log")
    cpu.set_title("CPU seconds", loc="left", fontsize=10)
    memory.set_title("Peak memory of the process tree, GiB", loc="left", fontsize=10)
    cpu.legend(frameon=False, fontsize=8)
    save(figure, target)
