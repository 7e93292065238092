"""RetinaFace's prior boxes, and the faces that its network describes relative to them."""

from __future__ import annotations

import torch
from torch import Tensor

LEVELS = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
"""For each level of the pyramid its stride and the sides of its boxes, in pixels."""
VARIANCES = (0.1, 0.2)
"""What shifts of places, and of the logarithms of sides, were divided by in training."""


def prior_boxes(height: int, width: int) -> Tensor:
    """Squares that cover an image of that height and width, in the order of the network's output.

    Returns:
        Centre x, centre y and side in pixels, float32 of shape (P, 3): level by level, row by
        row, column by column, the smaller of two boxes first.
    """
    levels = []
    for stride, sides in LEVELS:
        y, x = ((torch.arange(-(-n // stride)) + 0.5) * stride for n in (height, width))
        place = torch.cartesian_prod(y, x, torch.tensor(sides, dtype=torch.float32))
        levels.append(place[:, [1, 0, 2]])
    return torch.cat(levels)


def decode_boxes(priors: Tensor, shifts: Tensor) -> Tensor:
    """Boxes from prior boxes (K, 3) and shifts (K, 4) of their centres and sides.

    Returns:
        Left, top, right, bottom in pixels, of shape (K, 4); may reach beyond the image.
    """
    side = priors[:, 2:]
    centre = priors[:, :2] + VARIANCES[0] * shifts[:, :2] * side
    half = side * (VARIANCES[1] * shifts[:, 2:]).exp() / 2
    return torch.cat([centre - half, centre + half], 1)


def decode_landmarks(priors: Tensor, shifts: Tensor) -> Tensor:
    """Landmarks (K, 5, 2), x and y in pixels, from prior boxes (K, 3) and shifts (K, 10)."""
    return priors[:, None, :2] + VARIANCES[0] * shifts.view(-1, 5, 2) * priors[:, None, 2:]
