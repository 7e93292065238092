"""Small videos in which every frame says its number."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def film(
    path: Path, frames: int = 60, codec: str = "libx264", rate: int = 25, distance: int = 12
) -> Path:
    """Write frames of 64 x 48 pixels: eight bars, black or white, are the number's bits.

    Args:
        path: The suffix decides the container.
        frames: How many.
        codec: FFmpeg's name.
        rate: Frames a second.
        distance: Frames from a key frame to the next.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.gop_size = distance
        for number in range(frames):
            bars = 255 * (number >> np.arange(8) & 1).astype(np.uint8).repeat(8)
            pixels = np.tile(bars[None, :, None], (48, 1, 3))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def number_of(image: NDArray[np.uint8]) -> int:
    """Which frame an image is."""
    bits = image.reshape(48, 8, 8, 3).mean((0, 2, 3)) > 128
    return int(bits @ 2 ** np.arange(8))
