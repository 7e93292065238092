"""Losses of GANmut (equation numbers are those of paper E)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from fer_lightning.losses.masked import masked_mean
from fer_lightning.models.ganmut.config import GANmutConfig
from fer_lightning.models.ganmut.networks import Verdict
from fer_lightning.models.ganmut.space import THRESHOLD, DrawnPoints


def discriminator_terms(
    config: GANmutConfig,
    real: Verdict,
    fake: Verdict,
    emotions: Tensor,
    points: Tensor,
    penalty: Tensor | None,
) -> dict[str, Tensor]:
    r"""The discriminator's loss, eq. 8 with the sign of its penalty set right.

    .. math:: L_D = -\mathbb E[D_{src}(x)] + \mathbb E[D_{src}(G(x, z))]
              + \lambda_{cls} CE(D_{cls}(x), y) + \lambda_{reg} R
              + \lambda_{info} MSE(D_{coor}(G(x, z)), z)

    Args:
        config: The weights.
        real: Of real faces.
        fake: Of edits.
        emotions: Classes of the real faces, (N,).
        points: Those that the edits were made by, (N, dimension), without a graph.
        penalty: R; None for none.

    Returns:
        ``loss``, the weighted sum, and each term without its weight: ``real``, ``fake``, ``class``,
        ``point`` and ``penalty``.
    """
    terms = {
        "real": -real.scores.mean(),
        "fake": fake.scores.mean(),
        "class": F.cross_entropy(real.logits, emotions),
        "point": F.mse_loss(fake.points, points),
    }
    total = (
        terms["real"]
        + terms["fake"]
        + config.class_weight * terms["class"]
        + config.discriminator_point_weight * terms["point"]
    )
    if penalty is not None:
        terms["penalty"] = penalty
        total = total + config.penalty_weight * penalty
    return {"loss": total, **terms}


def linear_generator_terms(
    config: GANmutConfig, fake: Verdict, drawn: DrawnPoints, difference: Tensor
) -> dict[str, Tensor]:
    r"""The generator's loss in a linear space, eq. 9.

    .. math:: L_G = -\mathbb E[D_{src}(G)] + \lambda_{rec} L_{rec}
              + \lambda_{cls} CE(D_{cls}(G), y_t) + \lambda_\rho L_\rho
              + \lambda_{info} MSE(D_{coor}(G), z)

    Rows with a random direction have no class to be. :math:`L_\rho` is the mean square of
    :math:`\max \mathrm{softmax} D_{cls}(G) - \rho` (eq. 6) over rows with rho > 0.2, random
    directions among them. The point's term reaches the axes, too.

    Args:
        config: The weights.
        fake: Of edits.
        drawn: What the edits were asked for.
        difference: L_rec, the mean absolute difference of the cycle to its source (eq. 7).

    Returns:
        ``loss``, the weighted sum, and each term without its weight: ``fake``, ``reconstruction``,
        ``class``, ``strength`` and ``point``.
    """
    assert drawn.intensity is not None  # a linear space has drawn it
    certainty = F.softmax(fake.logits, 1).amax(1)
    apart = (certainty - drawn.intensity).square()
    terms = {
        "fake": -fake.scores.mean(),
        "reconstruction": difference,
        "class": _class_loss(fake, drawn),
        "strength": masked_mean(apart, drawn.intensity > THRESHOLD),
        "point": F.mse_loss(fake.points, drawn.points),
    }
    total = (
        terms["fake"]
        + config.reconstruction_weight * difference
        + config.class_weight * terms["class"]
        + config.strength_weight * terms["strength"]
        + config.generator_point_weight * terms["point"]
    )
    return {"loss": total, **terms}


def gaussian_generator_terms(
    config: GANmutConfig, fake: Verdict, drawn: DrawnPoints, difference: Tensor, distances: Tensor
) -> dict[str, Tensor]:
    r"""The generator's loss in a space of normal distributions (E.6).

    .. math:: L_G = -\mathbb E[D_{src}(G)] + \lambda_{rec} L_{rec}
              + \lambda_{cls} (KL(p_t \Vert p_D) + KL(p_D \Vert p_t)) + \lambda_{pred} L_{pred}

    with :math:`p_t = \mathrm{softmax}(-d^2)`, :math:`p_D = \mathrm{softmax} D_{cls}(G)`, and the
    cross entropy of the means' own rows as :math:`L_{pred}`.

    Args:
        config: The weights.
        fake: Of edits.
        drawn: What the edits were asked for.
        difference: L_rec.
        distances: d², squared Mahalanobis distances of the points to the emotions, (N, K).

    Returns:
        ``loss``, the weighted sum, and each term without its weight: ``fake``, ``reconstruction``,
        ``class`` and ``prediction``.
    """
    wanted, seen = F.log_softmax(-distances, 1), F.log_softmax(fake.logits.to(distances), 1)
    terms = {
        "fake": -fake.scores.mean(),
        "reconstruction": difference,
        # Both divergences in one: sum of (p - q) (log p - log q).
        "class": ((wanted.exp() - seen.exp()) * (wanted - seen)).sum(1).mean(),
        "prediction": _class_loss(fake, drawn),
    }
    total = (
        terms["fake"]
        + config.reconstruction_weight * difference
        + config.class_weight * terms["class"]
        + config.prediction_weight * terms["prediction"]
    )
    return {"loss": total, **terms}


def _class_loss(fake: Verdict, drawn: DrawnPoints) -> Tensor:
    """Cross entropy of the rows that stand for an emotion."""
    each = F.cross_entropy(fake.logits, drawn.emotions, reduction="none")
    return masked_mean(each, drawn.directed)
