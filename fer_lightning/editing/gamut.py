"""The gamut of a model: what it makes of a face all over its emotion space."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from fer_lightning.data.batch import to_bytes, to_unit_range
from fer_lightning.editing.batches import edited
from fer_lightning.labels import NEUTRAL
from fer_lightning.models.editing import EditingModule

RINGS = 4
"""Rings of the disc around its centre; ring k holds 6 k faces, which leaves each equal room."""
STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Intensities of a strip."""
TILE = 84
"""Side of a face of the disc in pixels."""
DISC = 12.0
"""Side of the disc with its names, in tiles."""
STRIPS = 10.2
"""Width of the strips with their names, in tiles."""
COLUMNS = 8.8
"""That width in columns of strips."""
APART = math.radians(17)
"""Least angle between the names around a disc."""


def gamut_sheet(module: EditingModule, faces: Tensor) -> Image.Image:
    """Draw the edits of faces: a disc of emotions, and each emotion from neutral to its apex.

    The disc shows the plane of emotions: an edit stands at the point that it was made with, and in
    the middle the face as it is. Around it the emotions stand at their learnt angles, in radians
    as ``theta`` takes them; a learnt point nearer than the rim is a dot. A space of more dimensions
    has no disc.

    Args:
        module: Its edits are drawn; it is left as it was.
        faces: uint8 of shape (N, H, W, C), at the size and channels of the model.
    """
    from matplotlib.figure import Figure

    flat = module.dimension == 2
    width = STRIPS + DISC * flat
    tall = DISC if flat else STRIPS / COLUMNS * (len(module.classes) + 0.2)
    height = tall * len(faces)
    unit = TILE / 100  # inches a tile, at 100 dots an inch
    figure = Figure(figsize=(width * unit, height * unit), dpi=100)

    def part(left: float, wide: float, number: int) -> Any:
        bottom = tall * (len(faces) - 1 - number)
        return figure.add_axes((left / width, bottom / height, wide / width, tall / height))

    for number, face in enumerate(faces):
        if flat:
            _draw_disc(part(0, DISC, number), module, face)
        _draw_strips(part(width - STRIPS, STRIPS, number), module, face)
    return _as_image(figure)


def edits(module: EditingModule, face: Tensor, points: Tensor) -> NDArray[np.uint8]:
    """One face at many points.

    Args:
        module: The model.
        face: uint8 of shape (H, W, C).
        points: Of shape (N, dimension).

    Returns:
        RGB of shape (N, H, W, 3).
    """
    images = to_unit_range(face[None]).expand(len(points), -1, -1, -1)
    return _rgb(to_bytes(edited(module, images, points)).numpy())


def disc_points() -> NDArray[np.float64]:
    """Where the disc shows edits, by angle and radius: (N, 2), radius at most 1."""
    polar = [
        (2 * math.pi * n / (6 * k), k / RINGS) for k in range(1, RINGS + 1) for n in range(6 * k)
    ]
    return np.array(polar)


def spread(angles: Sequence[float], apart: float) -> list[float]:
    """Angles moved as little as needed so that neighbours on the circle are ``apart``.

    Args:
        angles: In radians, few enough for that.
        apart: Least difference.
    """
    from sklearn.isotonic import isotonic_regression

    order = np.argsort(np.mod(angles, 2 * np.pi))
    around = np.mod(angles, 2 * np.pi)[order]
    widest = int(np.argmax(np.diff(around, append=around[0] + 2 * np.pi)))
    order = np.roll(order, -1 - widest)  # so that the circle is cut where there is most room
    start = angles[order[0]]
    steps = apart * np.arange(len(order))
    line = np.mod(np.asarray(angles)[order] - start, 2 * np.pi)
    moved = np.empty(len(order))
    moved[order] = start + isotonic_regression(line - steps) + steps
    return [float(angle) for angle in moved]


def _draw_disc(axes: Any, module: EditingModule, face: Tensor) -> None:
    """Edits at their points, and around them the names of emotions at their learnt angles."""
    from matplotlib.patches import Circle

    learnt = {name: point.numpy() for name, point in module.directions().items()}
    reach = module.reach
    polar = disc_points()
    theta, rho = torch.from_numpy((polar * [1, reach]).astype(np.float32)).unbind(1)
    pictures = [_rgb(face[None].numpy())[0], *edits(module, face, module.polar(theta, rho))]
    edge = 1 + 0.5 / RINGS
    disc = _round_tiles(pictures, np.vstack([[0, 0], polar]))
    axes.imshow(disc, extent=(-edge, edge, -edge, edge))
    axes.add_patch(Circle((0, 0), 0.49 / RINGS, fill=False, linewidth=1.5))
    named = {name: point for name, point in learnt.items() if np.linalg.norm(point) > 0.05}
    angles = [math.atan2(point[1], point[0]) for point in named.values()]
    for (name, point), angle, at in zip(named.items(), angles, spread(angles, APART), strict=True):
        _name(axes, f"{name}\ntheta={angle % (2 * math.pi):.2f}", angle, at, edge)
        if np.linalg.norm(point) < 0.95 * reach:
            axes.plot(*(point / reach), "o", color="white", mec="black", ms=6, zorder=5)
    limit = DISC / (2 * RINGS + 1) * edge
    rings = ", ".join(f"{reach * ring / RINGS:.3g}" for ring in range(1, RINGS + 1))
    words = f"centre: the face as it is\nrings: rho={rings}"
    axes.text(-0.98 * limit, -0.97 * limit, words, ha="left", va="bottom", color="0.4", fontsize=10)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    axes.set_axis_off()


def _round_tiles(pictures: Sequence[NDArray[np.uint8]], polar: NDArray[np.float64]) -> Image.Image:
    """Pictures as discs in a disc, at angles and at radii of at most 1."""
    side, tile = TILE * (2 * RINGS + 1), round(0.98 * TILE)
    mask = Image.new("L", (4 * tile, 4 * tile))
    ImageDraw.Draw(mask).ellipse((0, 0, 4 * tile - 1, 4 * tile - 1), fill=255)
    mask = mask.resize((tile, tile), Image.Resampling.BOX)
    disc = Image.new("RGB", (side, side), "white")
    for picture, (angle, radius) in zip(pictures, polar, strict=True):
        x, y = math.cos(angle) * radius * RINGS * TILE, -math.sin(angle) * radius * RINGS * TILE
        small = Image.fromarray(picture).resize((tile, tile), Image.Resampling.LANCZOS)
        disc.paste(small, (round((side - tile) / 2 + x), round((side - tile) / 2 + y)), mask)
    return disc


def _name(axes: Any, text: str, angle: float, at: float, edge: float) -> None:
    """A name outside the disc at an angle, and a line from it to the true one."""
    start, bend, end = (
        np.array([math.cos(a), math.sin(a)]) * r
        for a, r in ((angle, edge), (at, edge + 0.05), (at, edge + 0.07))
    )
    axes.plot(*np.stack([start, bend, end], 1), color="0.3", linewidth=1.2)
    side = "left" if end[0] > 0.25 else "right" if end[0] < -0.25 else "center"
    level = "bottom" if end[1] > 0.9 else "top" if end[1] < -0.9 else "center"
    axes.text(*(end * 1.015), text, ha=side, va=level, fontsize=11, linespacing=1.1)


def _draw_strips(axes: Any, module: EditingModule, face: Tensor) -> None:
    """A row an emotion, from neutral to its apex, after the face as it is."""
    names = [name for name in module.classes if name != NEUTRAL]
    numbers = torch.tensor([module.classes.index(name) for name in names], device=module.device)
    points = torch.stack([module.points(numbers, step) for step in STEPS], 1)
    pictures = edits(module, face, points.flatten(0, 1))
    rows = pictures.reshape(len(names), len(STEPS), *pictures.shape[1:])
    step, gap = round(STRIPS / COLUMNS * TILE), 0.15
    own = _rgb(face[None].numpy())[0]
    strips = Image.new("RGB", (round((len(STEPS) + 1 + gap) * step), len(names) * step), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate([own, *row]):
            tile = Image.fromarray(picture).resize((step - 4, step - 4), Image.Resampling.LANCZOS)
            strips.paste(tile, (round((x + gap * (x > 0)) * step) + 2, y * step + 2))
    axes.imshow(strips, extent=(0, len(STEPS) + 1 + gap, len(names), 0))
    for y, name in enumerate(names):
        axes.text(-0.12, y + 0.5, name, ha="right", va="center", fontsize=11)
    for x, text in enumerate(["input", *(f"{step:g}" for step in STEPS)]):
        place = x + 0.5 + gap * (x > 0)
        axes.text(place, -0.1, text, ha="center", va="bottom", fontsize=11)
    middle = len(STEPS) / 2 + 1 + gap
    axes.text(middle, len(names) + 0.1, "intensity", ha="center", va="top", fontsize=11)
    right = len(STEPS) + 1.3
    axes.set(xlim=(right - COLUMNS, right), ylim=(len(names) + 0.65, -0.55), aspect="equal")
    axes.set_axis_off()


def _rgb(faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Faces of shape (N, H, W, C), C 1 or 3, in RGB."""
    return np.repeat(faces, 3, axis=3) if faces.shape[3] == 1 else faces


def _as_image(figure: Any) -> Image.Image:
    """What a figure looks like."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="rgba")
    width, height = (int(side) for side in figure.bbox.size)
    return Image.frombytes("RGBA", (width, height), drawn.getvalue()).convert("RGB")
