"""Background removal: which part of a crop is face, and black elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_X = [0.5, 0.62, 0.73, 0.81, 0.845, 0.845, 0.82, 0.77, 0.69, 0.6, 0.5]
_Y = [0.24, 0.245, 0.28, 0.36, 0.48, 0.62, 0.76, 0.89, 1.0, 1.07, 1.095]
# One half from forehead to chin, by hand: drawn over the mean of 190 photographs aligned to the
# template and over 48 single ones, so that raised brows, cheeks and the chin under an open mouth
# are inside. The other half mirrors it at the template's middle.
_HALF = np.array([_X, _Y]).T
FACE_OUTLINE: NDArray[np.float64] = np.concatenate([_HALF, [1, 0] + [-1, 1] * _HALF[-2:0:-1]])
"""Convex outline of a face in the coordinates of :data:`~fer_lightning.detectors.crop.TEMPLATE`,
x and y of shape (20, 2), clockwise as seen."""

CORNERS = 64
"""Of the polygon that stands for an ellipse: it is within 0.13 percent of the radius."""


def ellipse(box: NDArray[np.floating]) -> NDArray[np.float64]:
    """Outline of the ellipse that is inscribed in a box.

    Args:
        box: Left, top, right, bottom.

    Returns:
        x and y of shape (64, 2), clockwise as seen.
    """
    start, end = box.astype(np.float64).reshape(2, 2)
    angle = 2 * np.pi * np.arange(CORNERS) / CORNERS
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    outline: NDArray[np.float64] = (start + end) / 2 + (end - start) / 2 * circle
    return outline


def black_outside(image: NDArray[np.uint8], outline: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Keep what is inside an outline; the edge is antialiased.

    Args:
        image: RGB of shape (H, W, 3).
        outline: Corners of a convex polygon, clockwise as seen: x and y of shape (N, 2), as
            fractions of the image's width and height.
    """
    height, width = image.shape[:2]
    kept = coverage(outline * [width, height], height, width)
    return (image * kept[..., None] + 0.5).astype(np.uint8)


def coverage(corners: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """How much of each pixel a convex polygon covers, save for rounding at its corners.

    A pixel whose centre is at the distance d inside the nearest edge is covered by d + 1/2 of
    its side, within [0, 1].

    Args:
        corners: x and y in pixels of shape (N, 2), clockwise as seen.
        height: Of the mask in pixels.
        width: Of the mask in pixels.

    Returns:
        Fractions of shape (height, width).
    """
    along = np.roll(corners, -1, axis=0) - corners
    inward = np.stack([-along[:, 1], along[:, 0]], axis=1)
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    depth = np.full((height, width), np.inf)
    for (normal_x, normal_y), (corner_x, corner_y) in zip(inward, corners, strict=True):
        edge = (normal_x * (x - corner_x))[None, :] + (normal_y * (y - corner_y))[:, None]
        np.minimum(depth, edge, out=depth)
    return np.clip(depth + 0.5, 0, 1)
