"""What a face looks like, in 64 bits and in 256 numbers, whatever its size, light and encoding."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

SIDE = 32
"""Faces are brought to this side before the transform."""

BITS = 64

THUMBNAIL = 16
"""Side of the thumbnails by which candidates are confirmed."""

EVEN = 2.0
"""A face whose gray values deviate less than this (of 255) shows nothing."""

CHUNK = 1024
"""Faces hashed at once."""

VALUES = 1 << 21
"""Values of faces in memory as floats at once: 8 MiB."""

# The 64 lowest frequencies but the constant one, in the order of JPEG's zigzag.
_ORDER = sorted(
    ((y, x) for y in range(SIDE) for x in range(SIDE) if y + x),
    key=lambda place: (sum(place), place),
)[:BITS]
_ROWS, _COLUMNS = np.array(_ORDER).T

MIRROR = np.packbits(_COLUMNS % 2 == 1).view(">u8").astype(np.uint64)[0]
"""Mirroring a face turns the signs of the odd horizontal frequencies: XOR gives its hash."""

BLANK = np.uint64(0)
"""Hash of all even faces."""


def perceptual_hash(faces: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Signs of the 64 lowest frequencies of each face.

    This is the hash known as pHash (discrete cosine transform of the gray image at 32 x 32) but
    that coefficients are compared with zero, not with their median, so that the hash of the
    mirrored face follows from the hash. Brightness and contrast do not change it.

    Args:
        faces: uint8 of shape (N, H, W, C), C 1 or 3; read in chunks, so a memory map will do.

    Returns:
        uint64 of shape (N,); :data:`BLANK` for an even face.
    """
    hashes = np.full(len(faces), BLANK)
    for start in range(0, len(faces), CHUNK):
        gray = _shrink(faces[start : start + CHUNK], SIDE)
        waves = scipy.fft.dctn(gray, axes=(1, 2), norm="ortho")[:, _ROWS, _COLUMNS]
        octets = np.ascontiguousarray(np.packbits(waves > 0, axis=1))
        words = octets.view(">u8")[:, 0].astype(np.uint64)
        words[gray.std((1, 2)) < EVEN] = BLANK
        hashes[start : start + len(words)] = words
    return hashes


def thumbnails(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Gray values at 16 x 16, less their mean, of length one: a dot product is a correlation.

    Args:
        faces: uint8 of shape (N, H, W, C).

    Returns:
        float32 of shape (N, 256); zeros for an even face.
    """
    gray = _shrink(faces, THUMBNAIL).reshape(len(faces), -1)
    gray -= gray.mean(1, keepdims=True)
    lengths = np.linalg.norm(gray, axis=1, keepdims=True)
    gray /= np.maximum(lengths, 1e-6)
    return gray


def _shrink(faces: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Luma at ``side`` x ``side`` by the mean over each area, float32 of shape (N, side, side)."""
    count, height, width, channels = faces.shape
    luma = np.array([0.299, 0.587, 0.114] if channels == 3 else [1], np.float32)
    rows, columns = _areas(height, side), _areas(width, side)
    shrunk = np.empty((count, side, side), np.float32)
    step = max(1, VALUES // (height * width * channels))
    for start in range(0, count, step):
        part = slice(start, start + step)
        shrunk[part] = rows @ (faces[part].astype(np.float32) @ luma) @ columns.T
    return shrunk


@lru_cache
def _areas(size: int, side: int) -> NDArray[np.float32]:
    """Share of each of ``size`` pixels in each of ``side`` cells, (side, size)."""
    edges = np.linspace(0, size, side + 1)
    pixels = np.arange(size)
    ends = np.minimum(edges[1:, None], pixels + 1)
    shares = (ends - np.maximum(edges[:-1, None], pixels)).clip(0)
    weights: NDArray[np.float32] = (shares / shares.sum(1, keepdims=True)).astype(np.float32)
    return weights
