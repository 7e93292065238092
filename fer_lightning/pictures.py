"""Pictures for people: grids of faces with labels, and loss curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

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
        labels: As many as rows.
    """
    side, channels = rows[0].shape[1], rows[0].shape[3]
    zoom = max(1, -(-CELL // side))
    step, gap = side * zoom + 2, 2
    font = ImageFont.load_default(size=max(12, step // 6))
    left = int(max(font.getlength(label) for label in labels)) + 16
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
    rows: Sequence[Mapping[str, str]], columns: Mapping[str, str], path: Path, title: str
) -> Path:
    """Draw columns of ``metrics.csv`` over images seen; returns ``path``.

    Args:
        rows: Rows of the file; cells are text, empty where nothing was logged.
        columns: Column to name in the legend; those without values are left out.
        path: PNG to write.
        title: Above the plot.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for column, name in columns.items():
        points = [(int(r["images_seen"]), float(r[column])) for r in rows if r.get(column)]
        if points:
            axes.plot(*zip(*points, strict=True), label=name, linewidth=1.2)
    axes.set(xlabel="real images seen", ylabel="loss", title=title)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)
    return path
