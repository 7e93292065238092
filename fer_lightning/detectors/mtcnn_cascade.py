"""MTCNN's three networks run over images of mixed sizes at once; imported where a face is sought."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.ops import nms

WINDOW = 12
"""Side in pixels of the window that the first network slides over a pyramid level."""
STRIDE = 2
"""Pixels from one window to the next."""
CANDIDATES = 64
"""Crops that a network judges at once: more of them leave the cache of a CPU."""


class Networks(NamedTuple):
    """The networks of facenet-pytorch, in order; each gives box shifts first and scores last."""

    pnet: nn.Module
    rnet: nn.Module
    onet: nn.Module


@dataclass(frozen=True)
class Candidates:
    """Boxes that may hold a face, on the CPU.

    Attributes:
        box: Left, top, right, bottom in pixels of the source image, float32 of shape (K, 4).
        score: Confidence in [0, 1], float32 of shape (K,).
        shift: What the last network would move the sides by, in widths and heights of the box,
            float32 of shape (K, 4).
        image: Index of the image, int64 of shape (K,).
        level: Level of its image's pyramid that showed the box, int64 of shape (K,).
        landmarks: x and y of five points as fractions of the box, float32 of shape (K, 2, 5);
            zeros before the third network.
    """

    box: Tensor
    score: Tensor
    shift: Tensor
    image: Tensor
    level: Tensor
    
