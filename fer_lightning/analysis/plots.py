"""A picture of a comparison: every seed of every configuration, metric by metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_lightning.analysis.tables import Group

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 12
"""More metrics than these are in the table alone."""


def panel_metrics(groups: Sequence[Group], metrics: Sequence[str]) -> list[str]:
    """Metrics that get a panel: measured, no class's own (``name/class``), no more than fit."""
    measured = {name for group in groups for record in group.records for name in record.metrics}
    return [name for name in metrics if name in measured and "/" not in name][:PANELS]


def comparison_plot(
    groups: Sequence[Group], metrics: Sequence[str], path: Path, title: str
) -> None:
    """Draw small multiples.

    Args:
        groups: Configurations, from left to right.
        metrics: Names; see :func:`panel_metrics` for which are drawn.
        path: PNG to write, whole or not at all.
        title: Above the panels.
    """
    from matplotlib.figure import Figure

    chosen = panel_metrics(groups, metrics)
    columns = min(max(len(chosen), 1), 3 if len(groups) < 6 else 2)
    rows = max(1, -(-len(chosen) // columns))
    width = max(3.6, 0.7 * len(groups))
    size = (max(columns * width, 7.4), rows * 3 + 0.9)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for number, axes in enumerate(panels.flat):
        if number < len(chosen):
            _panel(axes, groups, chosen[number])
        else:
            axes.set_axis_off()
    seeds = sorted({seed for group in groups for seed in group.seeds})
    for seed in seeds:
        panels.flat[0].plot([], [], ".-", linewidth=0.8, color=_color(seed, seeds), label=f"{seed}")
    figure.legend(title="seed", loc="outside right upper", fontsize="small")
    figure.suptitle(
        f"{title}\ndots: seeds · bars: mean and its 95 % interval, cut where they leave the panel",
        fontsize="small",
    )
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG whole or not at all."""
    unfinished = path.with_name(path.name + ".unfinished")
    figure.savefig(unfinished, format="png", dpi=110)
    unfinished.replace(path)


def _color(seed: int, seeds: Sequence[int]) -> str:
    return f"C{seeds.index(seed) % 10}"


def _value(group: Group, seed: int, metric: str) -> float:
    """NaN where it was not measured, which breaks a line."""
    found = (r.metrics[metric] for r in group.records if r.seed == seed and metric in r.metrics)
    return next(found, math.nan)


def _panel(axes: Axes, groups: Sequence[Group], metric: str) -> None:
    seeds = sorted({seed for group in groups for seed in group.seeds})
    values: list[float] = []
    for seed in seeds:
        line = [_value(group, seed, metric) for group in groups]
        axes.plot(range(len(line)), line, ".-", linewidth=0.6, color=_color(seed, seeds), zorder=3)
        values += [value for value in line if math.isfinite(value)]
    for x, group in enumerate(groups):
        summary = group.summary(metric)
        if summary.mean is not None:
            axes.hlines(summary.mean, x - 0.2, x + 0.2, color="black", linewidth=1.5)
        if summary.low is not None and summary.high is not None:
            axes.vlines(x, summary.low, summary.high, color="black", linewidth=4, alpha=0.25)
    if values:
        room = (max(values) - min(values)) or abs(values[0]) * 0.1 or 1.0
        axes.set_ylim(min(values) - 0.6 * room, max(values) + 0.6 * room)
    axes.set_xlim(-0.6, len(groups) - 0.4)
    names = [group.name.replace(", ", "\n") for group in groups]
    longest = max(len(line) for name in names for line in name.splitlines())
    crowded = longest * len(groups) > 48
    axes.set_xticks(
        range(len(groups)),
        names,
        fontsize="x-small" if crowded else "small",
        rotation=40 if crowded else 0,
        ha="right" if crowded else "center",
        rotation_mode="anchor" if crowded else "default",
    )
    axes.set_title(metric, fontsize="medium")
    axes.grid(axis="y", alpha=0.3)
