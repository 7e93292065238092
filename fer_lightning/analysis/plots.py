"""A picture of a comparison: every seed of every configuration, metric by metric."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_lightning.analysis.tables import Group

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = 12
"""More metrics than these are in the table alone."""


def panel_metrics(metrics: Sequence[str]) -> list[str]:
    """Metrics that get a panel: no class's own (``name/class``), and no more than fit."""
    return [name for name in metrics if "/" not in name][:PANELS]


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

    chosen = panel_metrics(metrics)
    columns = min(max(len(chosen), 1), 3 if len(groups) < 6 else 2)
    rows = max(1, -(-len(chosen) // columns))
    width = max(3.4, 0.7 * len(groups))
    size = (max(columns * width, 6.4), rows * 2.8 + 0.9)
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
        fontsize="medium",
    )
    unfinished = path.with_name(path.name + ".unfinished")
    figure.savefig(unfinished, format="png", dpi=110)
    unfinished.replace(path)


def _color(seed: int, seeds: Sequence[int]) -> str:
    return f"C{seeds.index(seed) % 10}"


def _panel(axes: Axes, groups: Sequence[Group], metric: str) -> None:
    seeds = sorted({seed for group in groups for seed in group.seeds})
    values: list[float] = []
    for seed in seeds:
        points = [
            (x, record.metrics[metric])
            for x, group in enumerate(groups)
            for record in group.records
            if record.seed == seed and metric in record.metrics
        ]
        if points:
            axes.plot(
                *zip(*points, strict=True), ".-", linewidth=0.6, color=_color(seed, seeds), zorder=3
            )
            values += [value for _, value in points if abs(value) < float("inf")]
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
    crowded = len(groups) > 3 or max(len(group.name) for group in groups) > 20
    axes.set_xticks(
        range(len(groups)),
        [group.name for group in groups],
        fontsize="small",
        rotation=20 if crowded else 0,
        ha="right" if crowded else "center",
    )
    axes.set_title(metric, fontsize="medium")
    axes.grid(axis="y", alpha=0.3)
