"""Structural similarity among many images: do generated ones repeat each other, or real ones?

Every pair is compared, which calls for more than torchmetrics has: it filters five pictures a
pair, of which four belong to one image alone and are here filtered once. Values are its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

SIGMA, REACH = 1.5, 5
"""The Gaussian window: its deviation, and how far it reaches to either side (11 x 11)."""
LUMINANCE, CONTRAST = 0.01**2, 0.03**2
"""What keeps the two fractions finite, for values in [0, 1]."""
CHUNK = 8
"""Pairs compared at once: so many fit into a processor's cache."""


def pairwise_ssim(images: Tensor, chunk: int = CHUNK) -> float:
    """Mean structural similarity over all pairs of different images; 1 if all are one picture.

    High among generated images where a generator has collapsed.

    Args:
        images: Shape (N, C, H, W), N at least 2, H and W above 5; uint8, or floating in [0, 1].
        chunk: Pairs compared at once; decides memory, not the value.

    Raises:
        ValueError: If shape, values or number do not fit.
    """
    if len(images) < 2:
        raise ValueError(f"{len(images)} images have no pair")
    moments = _Moments.of(images)
    total = 0.0
    for number in range(len(images) - 1):
        for start in range(number + 1, len(images), chunk):
            total += float(_ssim(moments[number], moments[start : start + chunk]).sum())
    return total / (len(images) * (len(images) - 1) / 2)


def max_ssim_to(images: Tensor, references: Tensor, chunk: int = CHUNK) -> Tensor:
    """Structural similarity of each image to the reference that is most similar to it.

    Args:
        images: Shape (N, C, H, W), H and W above 5; uint8, or floating in [0, 1].
        references: Shape (M, C, H, W), M at least 1, likewise.
        chunk: Pairs compared at once; decides memory, not the value.

    Returns:
        float64 of shape (N,), in [-1, 1]; 1 for an equal image.

    Raises:
        ValueError: If shapes, values or numbers do not fit.
    """
    if images.shape[1:] != references.shape[1:] or not len(references):
        raise ValueError(f"images {tuple(images.shape)}, references {tuple(references.shape)}")
    own = _Moments.of(images)
    best = torch.full((len(images),), -1.0, dtype=torch.float64, device=images.device)
    for part in torch.split(references, chunk):
        others = _Moments.of(part)
        for number in range(len(images)):
            best[number] = torch.maximum(best[number], _ssim(own[number], others).max())
    return best


@dataclass(frozen=True)
class _Moments:
    """What the window finds around every pixel of each image alone.

    Attributes:
        values: The images, float32 (N, C, H, W) in [0, 1], or one without N.
        means: Weighted means, likewise.
        variances: Weighted variances, likewise.
        rows: The window along a column as a matrix, (H, H).
        columns: Likewise along a row, (W, W).
    """

    values: Tensor
    means: Tensor
    variances: Tensor
    rows: Tensor
    columns: Tensor

    @classmethod
    def of(cls, images: Tensor) -> _Moments:
        values = _unit(images)
        rows, columns = (_window(side, values.device) for side in images.shape[2:])
        means = rows @ (values @ columns.T)
        variances = (rows @ (values.square() @ columns.T) - means.square()).clamp_(min=0)
        return cls(values, means, variances, rows, columns)

    def __getitem__(self, at: int | slice) -> _Moments:
        return replace(
            self, values=self.values[at], means=self.means[at], variances=self.variances[at]
        )


def _ssim(own: _Moments, others: _Moments) -> Tensor:
    """Similarities of one image to all others, float64 of shape (M,).

    Wang et al. 2004, equation 13, with the mean over pixels and channels of equation 17.
    """
    products = own.means * others.means
    shared = own.rows @ ((own.values * others.values) @ own.columns.T)
    upper = products.mul(2).add_(LUMINANCE) * shared.sub_(products).mul_(2).add_(CONTRAST)
    lower = others.means.square().add_(own.means.square() + LUMINANCE)
    lower *= others.variances + (own.variances + CONTRAST)
    return upper.div_(lower).flatten(1).mean(1, dtype=torch.float64)


def _unit(images: Tensor) -> Tensor:
    """As float32 in [0, 1], checked."""
    if images.ndim != 4 or min(images.shape[2:]) <= REACH:
        raise ValueError(f"images of shape {tuple(images.shape)}: needs (N, C, H, W) above 5 x 5")
    if images.dtype == torch.uint8:
        return images.to(torch.float32).div_(255)
    if not images.is_floating_point():
        raise ValueError(f"images of {images.dtype}: needs uint8 or floating numbers")
    if len(images) and not (images.min() >= 0 and images.max() <= 1):
        raise ValueError("floating images need values in [0, 1]")
    return images.to(torch.float32)


def _window(side: int, device: torch.device) -> Tensor:
    """The Gaussian as a matrix (side, side), which reflects what lies beyond the border."""
    offsets = torch.arange(-REACH, REACH + 1)
    weights = torch.exp(-offsets.double().square() / (2 * SIGMA**2))
    places = (torch.arange(side)[:, None] + offsets).abs()
    places = torch.where(places >= side, 2 * (side - 1) - places, places)
    matrix = torch.zeros(side, side, dtype=torch.float64)
    matrix.scatter_add_(1, places, (weights / weights.sum()).expand(side, -1))
    return matrix.to(device, torch.float32)
