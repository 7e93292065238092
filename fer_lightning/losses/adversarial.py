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


def discriminator_terms(
    real: Tensor, fake: Tensor, label_smoothing: float = 0.0
) -> dict[str, Tensor]:
    """The discriminator's two terms, their sum, which is descended, and their mean.

    Papers print the one or the other, and not all say which, so both are logged.

    Args:
        real: Logits of real images, (N,).
        fake: Logits of fakes, (N,).
        label_smoothing: One-sided, in [0, 1).

    Returns:
        ``loss`` (the sum), ``real``, ``fake`` and ``mean``.
    """
    real_term, fake_term = real_loss(real, label_smoothing), fake_loss(fake)
    total = real_term + fake_term
    return {"loss": total, "real": real_term, "fake": fake_term, "mean": total / 2}


def generator_terms(fake: Tensor) -> dict[str, Tensor]:
    """The generator's non-saturating loss on logits of fakes, (N,)."""
    return {"loss": non_saturating_loss(fake)}
