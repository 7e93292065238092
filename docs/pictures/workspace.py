"""Draws the W&B workspace that compares a study: which panels, and what to choose in each.

Run as ``python docs/pictures/workspace.py FOLDER``. It is a drawing, made without an account: the
curves and cells are invented, the names are those that runs log.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

ARMS = {"arm a": "#4477aa", "arm b": "#228833", "arm c": "#ee6677"}
"""Colours of three arms, told apart by colour-blind readers, too."""
STYLES = ("-", "--", ":")
RUNS = (
    ("Group: study", 0),
    ("Job Type: train", 1),
    ("Tags: a · 3 runs", 2),
    ("Tags: b · 3 runs", 2),
    ("Tags: c · 3 runs", 2),
    ("Job Type: evaluate", 1),
    ("Tags: a · 3 runs", 2),
    ("Tags: b · 3 runs", 2),
    ("Tags: c · 3 runs", 2),
)


def main(folder: Path) -> None:
    """Write ``workspace.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    figure = plt.figure(figsize=(12, 6.6), layout="constrained")
    grid = figure.add_gridspec(2, 4, width_ratios=(1.25, 1, 1, 1))
    _runs(figure.add_subplot(grid[:, 0]))
    _curves(figure.add_subplot(grid[0, 1:3]))
    _bars(figure.add_subplot(grid[0, 3]))
    _matrix(figure.add_subplot(grid[1, 1]))
    _pictures(figure.add_subplot(grid[1, 2]))
    _table(figure.add_subplot(grid[1, 3]))
    figure.suptitle("A drawing, no screenshot: a workspace that compares a study", fontsize=12)
    figure.savefig(folder / "workspace.png", dpi=90, metadata={"Software": None})


def _runs(axes: Axes) -> None:
    _panel(axes, "1  Runs", "Group by: Group, Job Type, Tags")
    for number, (text, depth) in enumerate(RUNS):
        axes.text(0.04 + 0.09 * depth, 0.95 - 0.075 * number, text, va="top", fontsize=9)
    axes.text(0.04, 0.12, "Filter: Group = study", fontsize=9, style="italic")


def _curves(axes: Axes) -> None:
    images = np.linspace(0, 1, 60)
    for number, (name, style) in enumerate(zip(ARMS, STYLES, strict=True)):
        mean = (0.55 + 0.05 * number) * (1 - np.exp(-4 * images))
        axes.plot(images, mean, style, color=ARMS[name], label=name)
        axes.fill_between(images, mean - 0.03, mean + 0.03, color=ARMS[name], alpha=0.2, lw=0)
    axes.set(xlabel="images_seen", ylabel="val_macro_f1", xticks=[], yticks=[])
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    axes.set_title("2  Line plot · x: images_seen · group: mean, range: std dev", fontsize=9)


def _bars(axes: Axes) -> None:
    heights = [0.55, 0.6, 0.65]
    axes.barh(list(ARMS), heights, color=list(ARMS.values()), xerr=0.03, height=0.6)
    axes.invert_yaxis()
    axes.set(xlabel="accuracy", xticks=[])
    axes.tick_params(labelsize=8)
    axes.set_title("3  Bar chart · of Job Type evaluate", fontsize=9)


def _matrix(axes: Axes) -> None:
    axes.imshow(0.15 + 0.8 * np.eye(7) + 0.1 * np.eye(7)[::-1], cmap="Blues", vmin=0, vmax=1.2)
    axes.set(xlabel="Predicted", ylabel="Actual", xticks=[], yticks=[])
    axes.set_title("4  confusion_matrix", fontsize=9)


def _pictures(axes: Axes) -> None:
    _panel(axes, "5  samples", "step slider: images_seen")
    for number in range(9):
        place = (0.14 + 0.26 * (number % 3), 0.3 + 0.22 * (number // 3))
        axes.add_patch(plt.Rectangle(place, 0.2, 0.18, color="#bbbbbb"))
    axes.plot([0.12, 0.88], [0.14, 0.14], color="#555555")
    axes.plot([0.6], [0.14], "o", color="#555555")


def _table(axes: Axes) -> None:
    _panel(axes, "6  tables/classes", "a row a class")
    for row, cells in enumerate(
        (("class", "recall", "f1"), ("anger", "…", "…"), ("disgust", "…", "…"), ("fear", "…", "…"))
    ):
        for column, text in enumerate(cells):
            weight = "normal" if row else "bold"
            place = (0.06 + 0.32 * column, 0.85 - 0.16 * row)
            axes.text(*place, text, fontsize=9, weight=weight, va="top")


def _panel(axes: Axes, title: str, choice: str) -> None:
    """An empty panel with its title and, below it, what to choose."""
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    axes.set_title(f"{title} · {choice}", fontsize=9)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
