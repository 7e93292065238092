"""Random changes to a whole training batch, on its device."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from fer_lightning.data.corpora.base import AugmentationConfig


def augment(images: Tensor, config: AugmentationConfig, generator: Generator) -> Tensor:
    """Mirror, rotate and shift each image on its own; edges are replicated.

    Args:
        images: (N, C, H, W).
        config: What to do, and how far.
        generator: CPU generator; the same state gives the same changes on every device.

    Returns:
        The same shape; ``images`` itself where nothing is switched on.
    """
    count, device = len(images), images.device
    if config.flip:
        flipped = (torch.rand(count, generator=generator) < 0.5).to(device)
        images = torch.where(flipped[:, None, None, None], images.flip(3), images)
    if not config.rotation and not config.shift:
        return images
    angles = (torch.rand(count, generator=generator) * 2 - 1) * math.radians(config.rotation)
    # affine_grid counts in half sides, so a shift by a fraction of the side is twice that.
    shifts = (torch.rand(count, 2, generator=generator) * 2 - 1) * 2 * config.shift
    cos, sin = angles.cos(), angles.sin()
    rotation = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    transforms = torch.cat([rotation, shifts[:, :, None]], 2).to(device)
    grid = F.affine_grid(transforms, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)
