"""Losses of paper A (papers.md A.4) on discriminator logits."""

from __future__ import annotations

from torch import Tensor

from fer_lightning.losses.adversarial import fake_loss, non_saturating_loss, real_loss


def discriminator_terms(real: Tensor, fake: Tensor, label_smoothing: float) -> dict[str, Tensor]:
    """The discriminator's two terms, their sum, which is descended, and their mean.

    The paper does not say whether its Table II prints the sum or the mean, so both are logged.

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
