"""A picture of compared archives: what share of each class was found, and the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_lightning.analysis.archives import ArchiveFigures, class_names, label_shares
from fer_lightning.analysis.plots import save
from fer_lightning.data.archive import UNKNOWN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 0.82
"""Of the bars of one class together; 1 would leave no gap between classes."""

SOURCE = "0.6"
"""Colour of sources, a gray."""


def archives_plot(compared: Sequence[ArchiveFigures], path: Path, title: str) -> None:
    """Draw bars grouped by class: the share found with its interval, and the shares of labels.

    Args:
        compared: Archives; each keeps its colour, sources are gray.
        path: PNG to write, whole or not at all.
        title: Above the panels.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    classes = class_names(compared)
    emotions = [name for name in classes if name != UNKNOWN]
    detected = [one for one in compared if one.detector]
    colors = {one.name: f"C{number % 10}" for number, one in enumerate(compared)}
    width = max(7.4, 2.4 + 0.2 * len(classes) * (len(compared) + 2))
    figure = Figure(figsize=(width, 6.4), layout="constrained")
    above, below = figure.subplots(2, 1)
    if detected:
        _found_panel(above, detected, classes, colors)
    if emotions:
        _labels_panel(below, compared, emotions, colors)
    for axes in (above, below):
        axes.set_visible(axes.has_data())
    patches = [Patch(color=color, label=name) for name, color in colors.items()]
    figure.legend(
        handles=[*patches, Patch(color=SOURCE, label="source")],
        loc="outside right upper",
        fontsize="small",
    )
    figure.suptitle(title, fontsize="small")
    save(figure, path)


def _found_panel(
    axes: Axes,
    detected: Sequence[ArchiveFigures],
    classes: Sequence[str],
    colors: Mapping[str, str],
) -> None:
    step = WIDTH / len(detected)
    for number, one in enumerate(detected):
        for place, name in enumerate(classes):
            rate = one.classes[name].rate if name in one.classes else None
            if rate is None:
                continue
            x = place - WIDTH / 2 + (number + 0.5) * step
            low, high = rate.interval
            axes.bar(x, rate.value, 0.9 * step, color=colors[one.name])
            axes.vlines(x, low, high, color="black", linewidth=1)
    _finish(axes, classes, "share of images with a face found, 95 % intervals")
    axes.set_ylim(0, 1.02)


def _labels_panel(
    axes: Axes,
    compared: Sequence[ArchiveFigures],
    classes: Sequence[str],
    colors: Mapping[str, str],
) -> None:
    columns = label_shares(compared)
    step = WIDTH / len(columns)
    for number, (heading, shares) in enumerate(columns):
        places = [place - WIDTH / 2 + (number + 0.5) * step for place in range(len(classes))]
        heights = [shares.get(name, 0.0) for name in classes]
        axes.bar(places, heights, 0.9 * step, color=colors.get(heading, SOURCE))
    _finish(axes, classes, "share of the labelled images")


def _finish(axes: Axes, classes: Sequence[str], title: str) -> None:
    axes.set_xticks(range(len(classes)), classes, fontsize="small")
    axes.set_xlim(-0.6, len(classes) - 0.4)
    axes.set_title(title, fontsize="medium")
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
