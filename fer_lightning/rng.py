"""Random streams: one for each purpose, none of them shared."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator

NOISE, SAMPLES, WEIGHTS = 1, 2, 3
"""Purposes; a stream is drawn from (seed, purpose, part)."""


def stream_seed(seed: int, purpose: int, part: int = 0) -> int:
    """A 63-bit seed that differs for every seed, purpose and part (a rank, a shard)."""
    state = np.random.SeedSequence([seed, purpose, part]).generate_state(1, np.uint64)
    return int(state[0]) >> 1


def noise_generator(seed: int, rank: int, device: torch.device) -> Generator:
    """Training noise; ranks draw different streams, so that more devices see more noise."""
    return Generator(device).manual_seed(stream_seed(seed, NOISE, rank))


def sample_generator(seed: int, part: int = 0) -> Generator:
    """Noise for sample grids and for part ``part`` of a generated set, on the CPU."""
    return Generator().manual_seed(stream_seed(seed, SAMPLES, part))
