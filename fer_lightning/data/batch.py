"""What a model receives."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass
class FaceBatch:
    """Faces and their labels.

    Attributes:
        images: float32 of shape (N, C, H, W) in [-1, 1], channels-last in memory.
        emotions: int64 of shape (N,), class indices of the data module; -1 where unknown.
        targets: float32 of shape (N, K), the share of each class, with sum 1; None without
            ``data.soft_labels``.
        source: float32 of shape (N, C, H, W) in [-1, 1], faces of the source domain with the same
            emotions; None where a model trains on one domain.
    """

    images: Tensor
    emotions: Tensor
    targets: Tensor | None = None
    source: Tensor | None = None

    def __len__(self) -> int:
        return len(self.emotions)

    def detached(self) -> FaceBatch:
        """The batch without the graph that made its images."""
        return replace(self, images=self.images.detach())

    def to(self, device: torch.device | str) -> FaceBatch:
        """The batch on another device."""
        targets, source = (
            None if each is None else each.to(device) for each in (self.targets, self.source)
        )
        return FaceBatch(self.images.to(device), self.emotions.to(device), targets, source)


def to_unit_range(faces: Tensor) -> Tensor:
    """uint8 faces (N, H, W, C) as float32 (N, C, H, W) in [-1, 1], by ``x / 127.5 - 1``."""
    # Arithmetic before the view: on permuted strides it takes twice as long.
    return faces.to(torch.float32).div_(127.5).sub_(1.0).permute(0, 3, 1, 2)


def to_bytes(images: Tensor) -> Tensor:
    """Inverse of :func:`to_unit_range`: uint8 (N, H, W, C), rounded and clipped."""
    return images.add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
