"""Means over some rows of the batch of all ranks."""

from __future__ import annotations

import torch.distributed as dist
from torch import Tensor


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the chosen values of all ranks; 0 where none is chosen.

    Ranks may have chosen unequal numbers. What this gives is scaled so that its mean over ranks,
    which is what DDP takes of gradients, is the mean over all chosen values. All ranks call it
    together.

    Args:
        values: (N,).
        mask: bool of shape (N,).
    """
    chosen = mask.to(values.dtype)
    count, ranks = chosen.sum(), 1
    if dist.is_initialized():
        dist.all_reduce(count)
        ranks = dist.get_world_size()
    return ranks * (values * chosen).sum() / count.clamp(min=1)
