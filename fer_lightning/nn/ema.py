"""Exponential moving average of a network's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


class AveragedNetwork(nn.Module):
    """A frozen copy of a network that follows it slowly; better samples at no training cost.

    Args:
        network: The network to follow.
        half_life: Real images after which a weight's share has halved.
    """

    def __init__(self, network: nn.Module, half_life: int) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.half_life = half_life

    @torch.no_grad()
    def update(self, network: nn.Module, images: int, images_seen: int) -> None:
        """Move towards ``network`` after a step.

        Args:
            network: The trained network.
            images: Real images of this step.
            images_seen: Real images so far; the half-life grows to its full length with them
                (5 % of them at most), so that the first noise is soon forgotten.
        """
        half_life = max(min(self.half_life, 0.05 * images_seen), 1e-8)
        weight = 1 - 0.5 ** (images / half_life)
        torch._foreach_lerp_(
            list(self.network.parameters()), [p.detach() for p in network.parameters()], weight
        )
        for average, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            average.copy_(buffer)
