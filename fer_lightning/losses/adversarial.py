"""Adversarial losses on logits, means over the batch."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def real_loss(logits: Tensor, label_smoothing: float = 0.0) -> Tensor:
    r"""Cross entropy of real images against the target ``1 - label_smoothing``.

    Without smoothing :math:`-\mathbb E[\log D(x)]`, the first term of the discriminator's loss
    (Goodfellow et al. 2014, eq. 1), as a softplus that cannot overflow.

    Args:
        logits: (N,) or (N, 1), before the sigmoid.
        label_smoothing: One-sided, in [0, 1).
    """
    return F.softplus(-logits).mean() + label_smoothing * logits.mean()


def fake_loss(logits: Tensor) -> Tensor:
    r""":math:`-\mathbb E[\log(1 - D(G(z)))]`, the second term of the discriminator's loss."""
    return F.softplus(logits).mean()


def non_saturating_loss(logits: Tensor) -> Tensor:
    r""":math:`-\mathbb E[\log D(G(z))]`, the generator's non-saturating loss."""
    return F.softplus(-logits).mean()
