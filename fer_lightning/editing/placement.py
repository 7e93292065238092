"""Puts what has changed in a crop back into the picture that it was cut from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional as F

from fer_lightning.detectors.base import Detection, DetectorConfig
from fer_lightning.detectors.crop import crop_map, cut_face

FEATHER = 0.08
"""Standard deviation of the blur that softens the seam, as a fraction of the crop's side."""
BAND = 1 << 20
"""Pixels of a picture that are changed at once; a hundred megapixels would need gigabytes."""
CORNERS = np.array([[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]], np.float64)
"""The crop's, homogeneous, in the coordinates of :attr:`Placed.to_crop`."""


@dataclass(frozen=True)
class Placed:
    """A face as the data layer cuts it, and where it stands.

    Attributes:
        crop: RGB of shape (size, size, 3).
        to_crop: Affine map of shape (2, 3) from x and y in the picture to the crop, whose corners
            are (0, 0) and (1, 1).
        mask: How much of a change is put back, (size, size) in [0, 1]. It fades out towards the
            crop's edges within the picture, and towards what the detector's policy has made black.
    """

    crop: NDArray[np.uint8]
    to_crop: NDArray[np.float64]
    mask: NDArray[np.float32]


def place(image: NDArray[np.uint8], face: Detection, config: DetectorConfig, size: int) -> Placed:
    """Cut a face by the policy of ``config``, and remember where it was.

    Args:
        image: RGB of shape (H, W, 3).
        face: Found in it.
        config: As for :func:`~fer_lightning.detectors.crop.cut_face`.
        size: Side of the crop in pixels.
    """
    cut = cut_face(image, [face], config, size)
    white = np.broadcast_to(np.uint8(255), image.shape)
    kept = cut_face(white, [face], config, size)
    assert cut is not None  # there is a face
    assert kept is not None
    to_crop = crop_map(face, config, image.shape[:2]).affine()
    return Placed(cut.image, to_crop, _soft(kept.image[:, :, 0] / 255, to_crop, image.shape[:2]))


def _soft(
    kept: NDArray[np.float64], to_crop: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """What is kept of a crop, faded out towards its end; but not where the picture ends, too."""
    size = len(kept)
    pad = math.ceil(4 * FEATHER * size)
    at = (np.arange(-pad, size + pad) + 0.5) / size
    x, y = np.meshgrid(at, at)
    ones = np.ones(x.size)
    places = _inverse(to_crop) @ np.stack([x.ravel(), y.ravel(), ones])
    # Beyond the picture there is what stands at its edge.
    places = places.clip(0, np.array([[shape[1]], [shape[0]]]))
    back = to_crop @ np.vstack([places, ones])
    inside = np.all((back > -1e-6) & (back < 1 + 1e-6), axis=0)
    column, row = (back * size).astype(int).clip(0, size - 1)
    wide = np.where(inside, kept[row, column], 0.0).reshape(x.shape)
    blurred = gaussian_filter(wide, FEATHER * size, mode="nearest", truncate=4.0)
    inner = blurred[pad : pad + size, pad : pad + size]
    mask: NDArray[np.float32] = np.clip(2 * inner - 1, 0, 1).astype(np.float32)
    return mask


def put_back(
    image: NDArray[np.uint8], placed: Placed, change: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """A picture with the change of one of its faces, in its own resolution.

    The change is added, so that the picture keeps the detail that the crop has not.

    Args:
        image: RGB of shape (H, W, 3).
        placed: The face.
        change: What is added to the crop, (size, size, C), in grey levels; C 1 or 3, of which 1 is
            added to all colours alike.

    Returns:
        RGB of the same shape. Outside of the crop, and where nothing changes, it is the picture's
        own values.
    """
    height, width = image.shape[:2]
    points = _inverse(placed.to_crop) @ CORNERS
    left, top = np.floor(points.min(1)).clip(0, [width, height]).astype(int)
    right, bottom = np.ceil(points.max(1)).clip(0, [width, height]).astype(int)
    if right <= left or bottom <= top:
        return image
    values, mask = (_shrunk(each, placed.to_crop) for each in (change, placed.mask[..., None]))
    result = image.copy()
    rows = max(1, BAND // (right - left))
    for start in range(top, bottom, rows):
        band = slice(start, min(start + rows, bottom))
        x, y = np.meshgrid(np.arange(left, right) + 0.5, np.arange(band.start, band.stop) + 0.5)
        grid = placed.to_crop @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
        grid = grid.reshape(2, *x.shape)
        added = _sampled(values, grid, "bicubic")
        added *= _sampled(mask, grid, "bilinear")
        added *= np.all((grid >= 0) & (grid <= 1), axis=0)[..., None]
        window = result[band, left:right]
        window[:] = np.clip(np.round(window + added), 0, 255).astype(np.uint8)
    return result


def _shrunk(values: NDArray[np.float32], to_crop: NDArray[np.float64]) -> Tensor:
    """Values of a crop, (size, size, C), antialiased to the face's own size where it is smaller.

    Returns:
        Of shape (1, C, side, side).
    """
    tensor = torch.from_numpy(values).permute(2, 0, 1)[None]
    # Pixels of the picture along the crop's longer side.
    scales = np.linalg.norm(_inverse(to_crop)[:, :2], axis=0)
    side = min(len(values), max(1, math.ceil(scales.max())))
    if side < len(values):
        tensor = F.interpolate(tensor, (side, side), mode="bilinear", antialias=True)
    return tensor


def _sampled(values: Tensor, grid: NDArray[np.float64], mode: str) -> NDArray[np.float32]:
    """Values of a crop, (1, C, side, side), at places in it, (2, h, w): (h, w, C)."""
    places = torch.from_numpy(2 * grid - 1).permute(1, 2, 0)[None].to(values.dtype)
    found = F.grid_sample(values, places, mode=mode, padding_mode="border", align_corners=False)
    sampled: NDArray[np.float32] = found[0].permute(1, 2, 0).numpy()
    return sampled


def _inverse(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of an affine map, both of shape (2, 3)."""
    return np.linalg.inv(np.vstack([affine, [0, 0, 1]]))[:2]
