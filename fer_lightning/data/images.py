"""Decodes image files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class UnusableImage(Exception):
    """An image that cannot be used; its row is excluded with ``reason``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_image(path: Path) -> NDArray[np.uint8]:
    """Decode an image file to upright RGB, shape (H, W, 3).

    Raises:
        UnusableImage: With reason ``missing`` or ``unreadable``.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16 bits, which Pillow would clip to 8
                upright = Image.fromarray((np.asarray(upright) / 257).astype(np.uint8))
            return np.asarray(upright.convert("RGB"))
    except FileNotFoundError:
        raise UnusableImage("missing") from None
    except Exception:  # decoders raise nearly anything on a damaged file
        raise UnusableImage("unreadable") from None
