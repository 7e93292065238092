"""Structural similarity of generated images: the surrogates where no image has a pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.loader import FaceStore
from fer_lightning.metrics.functional.ssim import max_ssim_to, pairwise_ssim
from fer_lightning.rng import SUBSETS, stream_seed

GENERATED, REAL = 200, 1000
"""Most images that are compared: every pair costs, at 64 pixels some 0.15 ms on one core."""


def similarity_protocol(generated: int, real: int) -> dict[str, int]:
    """How many images :func:`similarity` compares of so many, as plain data."""
    return {"generated": min(generated, GENERATED), "real": min(real, REAL)}


def similarity(
    fakes: Tensor,
    archives: Sequence[FaceArchive],
    rows: NDArray[np.int64],
    seed: int,
    device: torch.device,
) -> dict[str, float]:
    """Structural similarity of generated images to the nearest real ones, and to each other.

    A GAN without a condition has no image to compare its own with, so these stand in for the SSIM
    of paper D's Table VII, and are not to be read beside it. The first is high for faithful faces
    and for copies, the second for a collapsed generator.

    Args:
        fakes: Generated images, uint8 (N, H, W, C), N at least 2; not more than 200 of them enter.
        archives: Where the real images are.
        rows: Their rows, (M,), M at least 1; not more than 1,000 of them enter.
        seed: Draws those that enter.
        device: Where the pairs are compared.

    Returns:
        ``ssim_nearest``, the mean over generated images of the similarity to the most similar real
        one, and ``ssim_pairwise``, the mean over all pairs of generated images; both in [-1, 1].
    """
    random = np.random.default_rng(stream_seed(seed, SUBSETS))
    some = random.permutation(len(fakes))[:GENERATED]
    others = rows[random.permutation(len(rows))[:REAL]]
    generated = fakes[torch.from_numpy(np.sort(some))].to(device).permute(0, 3, 1, 2)
    real = FaceStore(archives, torch.device("cpu")).gather(np.sort(others)).to(device)
    return {
        "ssim_nearest": float(max_ssim_to(generated, real.permute(0, 3, 1, 2)).mean()),
        "ssim_pairwise": pairwise_ssim(generated),
    }
