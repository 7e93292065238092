"""Penalties on the slope of a critic, from its gradient with respect to images."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def blend(real: Tensor, fake: Tensor, generator: Generator) -> Tensor:
    r"""Images between real and fake ones, where WGAN-GP measures the slope.

    :math:`\hat x = \alpha x + (1 - \alpha) G`, with an :math:`\alpha \sim U[0, 1]` for each image
    (Gulrajani et al. 2017, algorithm 1).

    Args:
        real: (N, C, H, W).
        fake: (N, C, H, W).
        generator: Draws alpha, on the device of the images.
    """
    share = torch.rand((len(real), 1, 1, 1), generator=generator, device=generator.device)
    return fake + share.to(real) * (real - fake)


def gradient_penalty(gradients: Tensor) -> Tensor:
    r"""WGAN-GP: :math:`\mathbb E (\lVert g \rVert_2 - 1)^2` (Gulrajani et al. 2017, eq. 3).

    Args:
        gradients: Of the critic's summed scores with respect to images, (N, C, H, W).
    """
    norms: Tensor = torch.linalg.vector_norm(gradients, dim=(1, 2, 3))
    return (norms - 1).square().mean()


def r1_penalty(gradients: Tensor) -> Tensor:
    r"""R1: :math:`\tfrac12 \mathbb E \lVert g \rVert_2^2` on real images (Mescheder et al. 2018).

    Args:
        gradients: As for :func:`gradient_penalty`.
    """
    return gradients.square().sum((1, 2, 3)).mean() / 2
