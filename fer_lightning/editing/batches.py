"""Edits of many faces, a few at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from fer_lightning.models.editing import EditingModule

BATCH = 32
"""Faces edited at once."""


def edited(module: EditingModule, faces: Tensor, points: Tensor) -> Tensor:
    """Edit any number of faces.

    Args:
        module: The model.
        faces: (N, C, H, W) in [-1, 1].
        points: (N, dimension), one of each face.

    Returns:
        float32 of the shape of ``faces``, in [-1, 1], without gradients, on the CPU.
    """
    batches = zip(torch.split(faces, BATCH), torch.split(points, BATCH), strict=True)
    with torch.no_grad(), module.uncompiled():
        made = [
            module.edit(some.to(module.device), their_points.to(module.device)).cpu()
            for some, their_points in batches
        ]
    return torch.cat(made)
