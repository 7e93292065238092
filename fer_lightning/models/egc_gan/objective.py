"""Losses of paper C on the discriminator's and the classifier's logits."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from fer_lightning.losses.adversarial import fake_loss, non_saturating_loss, real_loss
from fer_lightning.models.egc_gan.config import EGCGANConfig


def discriminator_terms(real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    r"""The discriminator's loss.

    .. math:: L_D = -\mathbb E[\log\sigma(D(x_1, y_1))]
              - \mathbb E[\log(1 - \sigma(D(G(E(x_2)), y_2)))]

    Args:
        real: Logits of target faces, (N,).
        fake: Logits of translations, (N,).

    Returns:
        ``loss`` (the sum), ``real``, ``fake``, and ``mean``, as for ``model=cgan``.
    """
    real_term, fake_term = real_loss(real), fake_loss(fake)
    total = real_term + fake_term
    return {"loss": total, "real": real_term, "fake": fake_term, "mean": total / 2}


def generator_terms(
    config: EGCGANConfig,
    fake: Tensor,
    judged: tuple[Tensor, Tensor] | None = None,
    reconstructed: tuple[Tensor, Tensor] | None = None,
    kept: tuple[Tensor, Tensor] | None = None,
) -> dict[str, Tensor]:
    r"""The loss of encoder and generator together.

    .. math:: L_{G,E} = -\mathbb E[\log\sigma(D(G(E(x_2)), y_2))]
              + \lambda_C\, CE(C(G(E(x_2))), y_2)

    Optionally plus L1 terms, which the paper does not have.

    Args:
        config: The weights of the terms.
        fake: The discriminator's logits of translations, (N,).
        judged: The classifier's logits of them, (N, K), and class indices, (N,).
        reconstructed: Translations and their sources, (N, C, H, W).
        kept: Translations of target faces and these faces, (N, C, H, W).

    Returns:
        ``loss`` (the weighted sum), and each term that was given, without its weight:
        ``adversarial``, ``classifier``, ``reconstruction``, ``identity``.
    """
    total = non_saturating_loss(fake)
    terms = {"adversarial": total}
    if judged is not None:
        logits, emotions = judged
        terms["classifier"] = F.cross_entropy(logits, emotions)
        total = total + config.classifier_weight * terms["classifier"]
    if reconstructed is not None:
        terms["reconstruction"] = F.l1_loss(*reconstructed)
        total = total + config.reconstruction_weight * terms["reconstruction"]
    if kept is not None:
        terms["identity"] = F.l1_loss(*kept)
        total = total + config.identity_weight * terms["identity"]
    return {"loss": total, **terms}
