"""Faces of one format as those of another, by operations that gradients pass through."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

LUMA = (0.299, 0.587, 0.114)
"""ITU-R 601, as the data layer turns colour into gray."""


def converted(images: Tensor, image_size: int, channels: int) -> Tensor:
    """Images in the size and the colours that a network was trained on.

    Colour becomes gray by luma, gray is repeated; another size is interpolated with antialiasing.

    Args:
        images: (N, C, H, W), C 1 (gray) or 3 (RGB), of any range.
        image_size: Wanted side in pixels.
        channels: Wanted channels, 1 or 3.

    Returns:
        (N, channels, image_size, image_size); ``images`` itself where nothing differs.
    """
    if images.shape[1] == 3 and channels == 1:
        red, green, blue = images.unbind(1)
        images = (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[:, None]
    elif images.shape[1] == 1 and channels == 3:
        images = images.expand(-1, 3, -1, -1)
    if images.shape[2] != image_size:
        size = (image_size, image_size)
        # On a CPU antialiasing knows no half precision.
        made = F.interpolate(images.float(), size, mode="bilinear", antialias=True)
        images = made.to(images.dtype)
    return images
