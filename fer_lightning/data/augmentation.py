"""Random changes to a whole training batch, on its device."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from fer_lightning.data.corpora.base import AugmentationConfig

AREA, ASPECT = (0.02, 0.33), (0.3, 3.3)
"""Of an erased rectangle: its share of the image, and its height by its width."""


def augment(images: Tensor, config: AugmentationConfig, generator: Generator) -> Tensor:
    """Mirror, rotate, shift, magnify, crop and erase each image on its own; edges are replicated.

    Args:
        images: (N, C, H, W), square, in [-1, 1].
        config: What to do, and how far.
        generator: CPU generator; the same state gives the same changes on every device.

    Returns:
        The same shape; ``images`` itself where nothing is switched on.
    """
    count, device = len(images), images.device
    if config.flip:
        flipped = (torch.rand(count, generator=generator) < 0.5).to(device)
        images = torch.where(flipped[:, None, None, None], images.flip(3), images)
    if config.rotation or config.shift or config.crop < 1 or config.zoom_most > 1:
        transforms = _transforms(count, config, generator).to(device)
        grid = F.affine_grid(transforms, list(images.shape), align_corners=False)
        images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return _erase(images, config.erasing, generator) if config.erasing else images


def _transforms(count: int, config: AugmentationConfig, generator: Generator) -> Tensor:
    """Where each image is sampled, (N, 2, 3): the crop of what is rotated, shifted, magnified."""
    angles = (torch.rand(count, generator=generator) * 2 - 1) * math.radians(config.rotation)
    # affine_grid counts in half sides, so a shift by a fraction of the side is twice that.
    shifts = (torch.rand(count, 2, generator=generator) * 2 - 1) * 2 * config.shift
    cos, sin = angles.cos(), angles.sin()
    rotation = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    if config.crop < 1:
        sides = 1 - torch.rand(count, 1, generator=generator) * (1 - config.crop)
        centres = (torch.rand(count, 2, generator=generator) * 2 - 1) * (1 - sides)
        shifts = shifts + (rotation @ centres[:, :, None])[:, :, 0]
        rotation = rotation * sides[:, :, None]
    if config.zoom_most > 1:
        share = torch.rand(count, 1, 1, generator=generator)
        rotation = rotation / (config.zoom_least + share * (config.zoom_most - config.zoom_least))
    return torch.cat([rotation, shifts[:, :, None]], 2)


def _erase(images: Tensor, probability: float, generator: Generator) -> Tensor:
    """Fill a rectangle of some images with noise, uniform in [-1, 1] for each value.

    Zhong et al. 2020, algorithm 1, but that the aspect is drawn on a logarithmic scale, which makes
    rectangles as often flat as tall, and only from those that fit, so that none is drawn again.
    """
    count, _, height, width = images.shape
    chosen, area, aspect, top, left = torch.rand(5, count, generator=generator)
    area = AREA[0] + area * (AREA[1] - AREA[0])
    low, high = area.clamp(min=ASPECT[0]).log(), (1 / area).clamp(max=ASPECT[1]).log()
    aspect = (low + aspect * (high - low)).exp()
    rows = _within(height, (area * aspect).sqrt(), top) & (chosen < probability)[:, None]
    columns = _within(width, (area / aspect).sqrt(), left)
    # As little noise and as small masks as will do: a CPU draws them for every device.
    needed = int((rows.sum(1) * columns.sum(1)).sum()) * images.shape[1]
    noise = torch.rand(needed, generator=generator) * 2 - 1
    rows, columns = rows.to(images.device), columns.to(images.device)
    erased = (rows[:, None, :, None] & columns[:, None, None, :]).expand(images.shape)
    return images.masked_scatter(erased, noise.to(images))


def _within(pixels: int, side: Tensor, place: Tensor) -> Tensor:
    """Which pixels of an axis lie within an interval of ``side``, (N, pixels); all in [0, 1]."""
    start = (place * (1 - side))[:, None]
    centres = (torch.arange(pixels) + 0.5) / pixels
    return (centres >= start) & (centres < start + side[:, None])
