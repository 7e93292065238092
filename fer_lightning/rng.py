"""Random streams: one for each purpose, none of them shared."""

from __future__ import annotations

import random
from typing import Any

import lightning
import numpy as np
import torch
from torch import Generator

NOISE, SAMPLES, WEIGHTS, GLOBAL, EVALUATION, SUBSETS = 1, 2, 3, 4, 5, 6
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


def seed_globally(seed: int, rank: int) -> None:
    """Seed what draws from Python's, NumPy's and torch's global states, such as dropout.

    The first rank takes the seed itself, every other rank another one.
    """
    own = seed if rank == 0 else stream_seed(seed, GLOBAL, rank) % 2**32
    lightning.seed_everything(own, verbose=False)


def global_states() -> dict[str, Any]:
    """Python's, NumPy's and torch's global random states as plain numbers and tensors."""
    version, words, gauss = random.getstate()
    # The legacy state is no choice of ours: packages that draw from it should go on with it.
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    return {
        "python": [version, list(words), gauss],
        "numpy": [name, np.asarray(keys).tolist(), *rest],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    }


def restore_global_states(states: dict[str, Any]) -> None:
    """Inverse of :func:`global_states`."""
    version, words, gauss = states["python"]
    random.setstate((version, tuple(words), gauss))
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, np.array(keys, np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if states["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
