"""Pictures of a comparison: every seed of every configuration, and differences to a baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Literal

from fer_lightning.analysis.differences import Difference
from fer_lightning.analysis.tables import Group
from fer_lightning.files import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 12
"""More metrics than these are in the table alone."""
GROUPS = 24
"""More configurations than these are in the tables alone."""
DIFFERENCES = 4
"""Metrics whose differences are drawn, the first of them."""
SQUEEZED = 4
"""A difference that reaches further than so many times the median one leaves its panel."""


def panel_metrics(groups: Sequence[Group], metrics: Sequence[str]) -> list[str]:
    """Metrics that get a panel: measured, no class's own (``name/class``), no more than fit."""
    measured = {name for group in groups for record in group.records for name in record.metrics}
    return [name for name in metrics if name in measured and "/" not in name][:PANELS]


def comparison_plot(
    groups: Sequence[Group], metrics: Sequence[str], path: Path, title: str
) -> None:
    """Draw small multiples.

    Args:
        groups: Configurations, from left to right; the first :data:`GROUPS` are drawn.
        metrics: Names; see :func:`panel_metrics` for which are drawn.
        path: PNG to write, whole or not at all.
        title: Above the panels.
    """
    from matplotlib.figure import Figure

    if len(groups) > GROUPS:
        title = f"{title}: the first {GROUPS} of {len(groups)} configurations"
        groups = groups[:GROUPS]
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
    _seed_legend(figure, panels.flat[0], _seeds(groups))
    figure.suptitle(
        f"{title}\ndots: seeds · bars: mean and its 95 % interval, cut where they leave the panel",
        fontsize="small",
    )
    save(figure, path)


def difference_plot(
    differences: Sequence[Difference], metrics: Sequence[str], path: Path, title: str
) -> None:
    """Draw each configuration's paired differences from its baseline, a panel a metric.

    Args:
        differences: From :func:`fer_lightning.analysis.differences.differences`; configurations
            from top to bottom, the first :data:`GROUPS` of them.
        metrics: Names, of which the first that are of all classes and have pairs are drawn.
        path: PNG to write, whole or not at all.
        title: Above the panels.
    """
    from matplotlib.figure import Figure

    groups = list({one.group.name: one.group for one in differences}.values())[:GROUPS]
    drawn = {group.name for group in groups}
    differences = [one for one in differences if one.group.name in drawn]
    references = list({one.baseline.name: one.baseline for one in differences}.values())
    having = {one.metric for one in differences if one.result.summary.n}
    chosen = [m for m in panel_metrics(groups, metrics) if m in having][:DIFFERENCES]
    columns = max(min(len(chosen), 2), 1)
    rows = max(1, -(-len(chosen) // columns))
    size = (max(1.6 + columns * 3.6, 7.4), 1.2 + rows * (0.9 + 0.3 * len(groups)))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for number, axes in enumerate(panels.flat):
        if number < len(chosen):
            shown = [one for one in differences if one.metric == chosen[number]]
            _differences_panel(axes, shown, groups, _seeds([*groups, *references]))
            axes.set_title(chosen[number], fontsize="medium")
        else:
            axes.set_axis_off()
    _seed_legend(figure, panels.flat[0], _seeds([*groups, *references]))
    names = " or ".join(group.name for group in references)
    figure.suptitle(
        f"{title}: difference from {names}\n"
        "dots: seeds · bars: mean and its 95 % interval, black where there is a verdict\n"
        "what leaves the panel is cut, and the mean written",
        fontsize="small",
    )
    save(figure, path)


def _differences_panel(
    axes: Axes, differences: Sequence[Difference], groups: Sequence[Group], seeds: Sequence[int]
) -> None:
    rows = [group.name for group in groups]
    limit = _limit(differences)
    for one in differences:
        y, summary = rows.index(one.group.name), one.result.summary
        color = "black" if one.verdict in ("higher", "lower") else "silver"
        if summary.low is not None and summary.high is not None:
            axes.hlines(y, summary.low, summary.high, color=color, linewidth=2.5)
        if summary.mean is not None:
            axes.vlines(summary.mean, y - 0.22, y + 0.22, color=color, linewidth=2.5)
            if abs(summary.mean) > limit:
                side = math.copysign(1, summary.mean)
                text = f"{summary.mean:+.3g} \u2192" if side > 0 else f"\u2190 {summary.mean:+.3g}"
                align: Literal["right", "left"] = "right" if side > 0 else "left"
                place = (side * limit * 0.98, y - 0.12)  # above what the panel shows of its bar
                axes.text(*place, text, ha=align, va="bottom", fontsize="small")
        for seed, value in _by_seed(one).items():
            axes.plot(value, y, ".", color=_color(seed, seeds), markersize=6, zorder=3)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlim(-limit, limit)
    axes.set_yticks(range(len(rows)), rows, fontsize="small")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="x", labelsize="small")
    axes.grid(axis="x", alpha=0.3)


def _by_seed(one: Difference) -> dict[int, float]:
    """Finite differences of the pairs."""
    found = {
        seed: _value(one.group, seed, one.metric) - _value(one.baseline, seed, one.metric)
        for seed in one.group.seeds or one.baseline.seeds
    }
    return {seed: value for seed, value in found.items() if math.isfinite(value)}


def _limit(differences: Sequence[Difference]) -> float:
    """End of a panel: it shows all but what would squeeze most of the others into a line."""
    reach: list[float] = []
    for one in differences:
        summary = one.result.summary
        ends = [summary.low, summary.high, *_by_seed(one).values()]
        reach.append(max((abs(end) for end in ends if end is not None), default=0.0))
    usual = SQUEEZED * median(reach or [0.0])
    return 1.1 * max((r for r in reach if r <= usual), default=0.0) or 1.0


def _seeds(groups: Sequence[Group]) -> list[int]:
    """All seeds; one stands in for them where nothing depends on the seed."""
    found = {seed for group in groups for seed in group.seeds}
    return sorted(found) or ([0] if groups else [])


def _seed_legend(figure: Figure, axes: Axes, seeds: Sequence[int]) -> None:
    for seed in seeds:
        axes.plot([], [], ".-", linewidth=0.8, color=_color(seed, seeds), label=f"{seed}")
    figure.legend(title="seed", loc="outside right upper", fontsize="small")


def save(figure: Figure, path: Path) -> None:
    """Write a PNG whole or not at all."""
    with whole(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=110)


def _color(seed: int, seeds: Sequence[int]) -> str:
    return f"C{seeds.index(seed) % 10}"


def _value(group: Group, seed: int, metric: str) -> float:
    """NaN where it was not measured, which breaks a line; what is alike for all seeds has one."""
    having = (r for r in group.records if r.seed in (None, seed) and metric in r.metrics)
    return next((record.metrics[metric] for record in having), math.nan)


def _panel(axes: Axes, groups: Sequence[Group], metric: str) -> None:
    seeds = _seeds(groups)
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
