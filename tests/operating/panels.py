"""The dashboard as a picture, from what a real Prometheus answers: to look at, not to compare.

Grafana is in no package, so each panel is drawn by its type, title, unit, thresholds and legends.
"""

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

_INCHES: Final = 0.85
_COLUMNS: Final = 24
_LAST_SECONDS: Final = 180
_SIZES: Final = ("B", "KiB", "MiB", "GiB")
_TIMES: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (0.001, "ms"))


def draw(dashboard: Mapping[str, Any], url: str, file: Path) -> None:
    """Draw a dashboard of Grafana.

    Args:
        dashboard: as `deploy/dashboards/` has it.
        url: address of Prometheus.
        file: for the picture.
    """
    height = max(it["gridPos"]["y"] + it["gridPos"]["h"] for it in dashboard["panels"])
    figure = Figure(figsize=(_COLUMNS * _INCHES, height * _INCHES), dpi=70)
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        place = (
            (at["x"] + 1.3) / _COLUMNS,
            1 - (at["y"] + at["h"] - 0.7) / height,
            (at["w"] - 1.6) / _COLUMNS,
            (at["h"] - 1.6) / height,
        )
        axes = figure.add_axes(place)
        axes.set_title(panel["title"], loc="left", fontsize=11, weight="bold")
        _DRAWN[panel["type"]](axes, panel, url)
    figure.savefig(file)


def _series(url: str, panel: Mapping[str, Any], *, of_range: bool) -> list[tuple[str, Any]]:
    """Return legend and values of all targets of a panel."""
    found = []
    for target in panel["targets"]:
        now = time.time()
        asked = {"query": target["expr"].replace("offset 7d", "offset 60s")}
        if of_range:
            asked |= {"start": now - _LAST_SECONDS, "end": now, "step": 5}
        way = "query_range" if of_range else "query"
        query = urllib.parse.urlencode(asked)
        with urllib.request.urlopen(f"{url}/api/v1/{way}?{query}", timeout=30) as answer:
            rows = json.load(answer)["data"]["result"]
        for row in rows:
            values = row["values"] if of_range else float(row["value"][1])
            found.append((_legend(target.get("legendFormat", ""), row["metric"]), values))
    return found


def _legend(template: str, labels: Mapping[str, str]) -> str:
    if not template:
        return ", ".join(value for name, value in labels.items() if name not in _KNOWN)
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda it: labels.get(it[1], ""), template)


_KNOWN: Final = ("__name__", "job", "instance")


def shown(value: float, unit: str) -> str:
    """Return a value as Grafana shows it."""
    if unit == "percentunit":
        return f"{value:.0%}"
    if unit == "currencyUSD":
        return f"${value:,.0f}"
    if unit == "bytes":
        power = max(it for it in range(len(_SIZES)) if it == 0 or value >= 1024**it)
        return f"{value / 1024**power:.3g} {_SIZES[power]}"
    if unit == "s":
        size, name = next((it for it in _TIMES if value >= it[0]), _TIMES[-1])
        return f"{value / size:.3g} {name}"
    return f"{value:,.4g}"


def _unit(panel: Mapping[str, Any]) -> str:
    return str(panel["fieldConfig"]["defaults"].get("unit", "short"))


def _stat(axes: Axes, panel: Mapping[str, Any], url: str) -> None:
    axes.axis("off")
    values = [value for _, value in _series(url, panel, of_range=False)]
    text = "\n".join(shown(it, _unit(panel)) for it in values) or "No data"
    axes.text(0.5, 0.45, text, ha="center", va="center", fontsize=24, color=_colour(panel, values))


def _colour(panel: Mapping[str, Any], values: Sequence[float]) -> str:
    steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    passed = [
        it for it in steps if values and (it.get("value") is None or values[0] >= it["value"])
    ]
    return str(passed[-1]["color"]).replace("text", "black") if passed else "black"


def _lines(axes: Axes, panel: Mapping[str, Any], url: str) -> None:
    for legend, values in _series(url, panel, of_range=True):
        times = [float(at) for at, _ in values]
        axes.plot([it - times[-1] for it in times], [float(it) for _, it in values], label=legend)
    axes.yaxis.set_major_formatter(lambda value, _: shown(value, _unit(panel)))
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    custom = panel["fieldConfig"]["defaults"].get("custom", {})
    if custom.get("scaleDistribution", {}).get("type") == "log":
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.margins(y=0.4)
    axes.legend(fontsize=7, loc="upper left", ncols=2)


def _bars(axes: Axes, panel: Mapping[str, Any], url: str) -> None:
    rows = _series(url, panel, of_range=False)[::-1]
    axes.barh([name for name, _ in rows], [value for _, value in rows])
    for place, (_, value) in enumerate(rows):
        axes.text(value, place, f" {shown(value, _unit(panel))}", va="center", fontsize=7)
    axes.tick_params(labelsize=7)
    axes.yaxis.set_tick_params(pad=-4, direction="in")
    for label in axes.get_yticklabels():
        label.set_horizontalalignment("left")


def _table(axes: Axes, panel: Mapping[str, Any], url: str) -> None:
    axes.axis("off")
    rows = _series(url, panel, of_range=False)[:18]
    text = "\n".join(f"{shown(value, _unit(panel)):>9}  {name}" for name, value in rows)
    axes.text(0, 1, text, va="top", fontsize=7, family="monospace")


_DRAWN: Final = {"stat": _stat, "timeseries": _lines, "bargauge": _bars, "table": _table}
