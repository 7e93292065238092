"""Pictures for people: grids of faces with labels, curves, confusion matrices, bars of shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fer_lightning.data.archive import UNKNOWN, FaceArchive

CELL = 64
"""Smaller faces are enlarged to a multiple of their side of at least this, in pixels."""


def labelled_grid(rows: Sequence[NDArray[np.uint8]], labels: Sequence[str]) -> Image.Image:
    """One row of faces a label, the label to its left.

    Args:
        rows: uint8 arrays of shape (columns, H, W, C), C 1 or 3; rows may differ in length.
        labels: As many as rows; all empty ones take no space.
    """
    side, channels = rows[0].shape[1], rows[0].shape[3]
    zoom = max(1, -(-CELL // side))
    step, gap = side * zoom + 2, 2
    font = ImageFont.load_default(size=max(12, step // 6))
    left = int(max(font.getlength(label) for label in labels)) + 16 if any(labels) else gap
    width = left + max(len(row) for row in rows) * step + gap
    grid = Image.new("RGB", (width, len(rows) * step + gap), "white")
    draw = ImageDraw.Draw(grid)
    for y, (row, label) in enumerate(zip(rows, labels, strict=True)):
        draw.text((8, y * step + step // 2), label, "black", font, anchor="lm")
        for x, face in enumerate(row):
            image = Image.fromarray(face[:, :, 0] if channels == 1 else face)
            image = image.resize((side * zoom,) * 2, Image.Resampling.NEAREST)
            grid.paste(image, (left + x * step, gap + y * step))
    return grid


def preview(archive: FaceArchive, columns: int = 10) -> Path:
    """``preview.png`` in an archive's folder, drawn once: the first faces of every class."""
    path = archive.path / "preview.png"
    if not path.is_file():
        emotions = np.array([emotion or UNKNOWN for emotion in archive.column("emotion")])
        classes = [name for name in archive.manifest["classes"] if name in emotions]
        chosen = [np.flatnonzero(emotions == name)[:columns] for name in classes]
        labelled_grid([archive.faces[rows] for rows in chosen], classes).save(path)
    return path


def loss_curves(
    rows: Sequence[Mapping[str, str]],
    panels: Mapping[str, Mapping[str, str]],
    path: Path,
    title: str,
) -> Path:
    """Draw columns of ``metrics.csv`` over images seen; returns ``path``.

    Args:
        rows: Rows of the file; cells are text, empty where nothing was logged.
        panels: For each vertical axis, column to name in the legend; those without values are
            left out, and so is an axis with none.
        path: PNG to write.
        title: Above the plot.
    """
    from matplotlib.figure import Figure

    logged = {
        axis: {
            name: points
            for column, name in columns.items()
            if (
                points := [(int(r["images_seen"]), float(r[column])) for r in rows if r.get(column)]
            )
        }
        for axis, columns in panels.items()
    }
    drawn = {axis: lines for axis, lines in logged.items() if lines} or {"": {}}
    figure = Figure(figsize=(8, 4.5 + 3 * (len(drawn) - 1)), layout="constrained")
    places = figure.subplots(len(drawn), sharex=True, squeeze=False)[:, 0]
    for axes, (axis, lines) in zip(places, drawn.items(), strict=True):
        for name, points in lines.items():
            axes.plot(*zip(*points, strict=True), label=name, linewidth=1.2)
        axes.set_ylabel(axis)
        axes.grid(alpha=0.3)
        if lines:
            axes.legend()
    places[0].set_title(title)
    places[-1].set_xlabel("real images seen")
    figure.savefig(path)
    return path


def confusion_picture(
    matrix: NDArray[np.int64], classes: Sequence[str], path: Path, title: str
) -> Path:
    """Draw a confusion matrix: in each cell the share of its row, and below the images.

    Args:
        matrix: Images, (K, K), rows the true class; a row may be empty.
        classes: The K names.
        path: PNG to write.
        title: Above the matrix; broken into lines where it is long.

    Returns:
        ``path``.
    """
    from matplotlib.figure import Figure

    count = len(classes)
    totals = matrix.sum(axis=1)
    shares = matrix / np.maximum(totals, 1)[:, None]
    width = 2.2 + 0.85 * count
    figure = Figure(figsize=(width, 1.6 + 0.7 * count), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), images in np.ndenumerate(matrix):
        if totals[row]:
            share = shares[row, column]
            colour = "white" if share > 0.5 else "black"
            axes.text(column, row, f"{share:.1%}", c=colour, ha="center", va="bottom", fontsize=10)
            axes.text(
                column, row + 0.06, f"{images:,}", c=colour, ha="center", va="top", fontsize=7.5
            )
    axes.set_xticks(range(count), classes)
    names = [f"{name}\n{total:,}" for name, total in zip(classes, totals, strict=True)]
    axes.set_yticks(range(count), names)
    axes.set_xticks(np.arange(count - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(count - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted", ylabel="true")
    figure.suptitle(fill(title, int(width * 11)), fontsize="medium")
    figure.savefig(path, dpi=110)
    return path


def shares_picture(
    shares: Mapping[str, NDArray[np.float64]], names: Sequence[str], path: Path, title: str
) -> Path:
    """Draw how often each of some answers is given: for each a group of bars.

    Args:
        shares: Name in the legend to shares of the images, (K,), in [0, 1].
        names: The K answers.
        path: PNG to write.
        title: Above the bars; broken into lines where it is long.

    Returns:
        ``path``.
    """
    from matplotlib.figure import Figure

    width, bar = 1.6 + 1.1 * len(names), 0.8 / len(shares)
    figure = Figure(figsize=(width, 3.8), layout="constrained")
    axes = figure.subplots()
    left = np.arange(len(names)) - 0.4 + bar / 2
    for number, (name, values) in enumerate(shares.items()):
        colour = "0.7" if number == 0 else f"C{number - 1}"
        bars = axes.bar(left + number * bar, 100 * values, 0.92 * bar, label=name, color=colour)
        axes.bar_label(bars, [f"{100 * value:.0f}" for value in values], fontsize=7)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("% of the images")
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=len(shares), frameon=False)
    figure.suptitle(fill(title, int(width * 11)), fontsize="medium")
    figure.savefig(path, dpi=110)
    return path


Curve = tuple[NDArray[np.float64], NDArray[np.float64], float]
"""False positive rates, true positive rates, and the area under the curve."""


def roc_picture(panels: Mapping[str, Mapping[str, Curve]], path: Path, title: str) -> Path:
    """Draw ROC curves, a panel for every class or action unit.

    Args:
        panels: Title of each panel to its curves by name; a panel may have none.
        path: PNG to write.
        title: Above all; broken into lines where it is long.

    Returns:
        ``path``.
    """
    from matplotlib.figure import Figure

    columns = min(len(panels), 4)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(0.4 + 2.9 * columns, 0.9 + 2.9 * rows), layout="constrained")
    places = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, (panel, curves) in zip(places.flat, panels.items(), strict=False):
        axes.plot([0, 1], [0, 1], color="0.8", linewidth=0.8)
        for name, (false, true, area) in curves.items():
            axes.plot(false, true, label=f"{area:.3f} {name}", linewidth=1.2)
        if curves:
            axes.legend(loc="lower right", fontsize=8, title="AUC", title_fontsize=8, frameon=False)
        else:
            axes.text(0.5, 0.5, "no curve", ha="center", va="center", color="0.4")
        axes.set_title(panel, fontsize="medium")
        axes.set(aspect="equal", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    for axes in places.flat[len(panels) :]:
        axes.set_axis_off()
    figure.supxlabel("false positive rate", fontsize="medium")
    figure.supylabel("true positive rate", fontsize="medium")
    figure.suptitle(fill(title, int(columns * 38)), fontsize="medium")
    figure.savefig(path, dpi=110)
    return path
