"""What a classifier descends, and how it is mixed and scheduled: functions without a state."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fer_lightning.models.classifier.config import ClassifierConfig, Schedule


def cross_entropy(
    logits: Tensor, targets: Tensor, weights: Tensor | None, label_smoothing: float
) -> Tensor:
    """Cross entropy, a scalar; weighted means are over the weights, as in PyTorch.

    Args:
        logits: (N, K).
        targets: Class indices, int64 of shape (N,), or shares of the classes, (N, K).
        weights: Of the classes, (K,), or None. On several devices each takes the mean over the
            weights of its own share of a batch, and gradients are averaged.
        label_smoothing: Share of the target that all classes have in common (Szegedy et al.
            2016, section 7).
    """
    if weights is None or targets.dim() == 1:
        return F.cross_entropy(logits, targets, weights, label_smoothing=label_smoothing)
    # PyTorch's mean of shares is over images, so that one-hot shares would not be class indices.
    total = F.cross_entropy(
        logits, targets, weights, reduction="sum", label_smoothing=label_smoothing
    )
    return total / (targets * weights).sum()  # not a matrix product, which autocast would round


def balanced_weights(frequencies: Sequence[float]) -> list[float]:
    """Weights of classes by the inverse of their frequency, ``n / (K n_c)``.

    They are scikit-learn's ``class_weight="balanced"``. A class that is never shown weighs 0.
    """
    total, classes = sum(frequencies), len(frequencies)
    return [total / (classes * n) if n else 0.0 for n in frequencies]


def mix(images: Tensor, targets: Tensor, alpha: float, noise: Generator) -> tuple[Tensor, Tensor]:
    """Mixup (Zhang et al. 2018, equation 1): each batch is blended with its own permutation.

    The share is Beta(alpha, alpha), one for the batch, as in the paper's code.

    Args:
        images: (N, C, H, W).
        targets: Shares of the classes, (N, K).
        alpha: Above 0.
        noise: Generator on the device of the images.
    """
    # Beta as a ratio of Gammas, for torch's own Beta takes no generator; in float64, since those of
    # a small alpha are tiny.
    shape = torch.full((2,), alpha, dtype=torch.float64, device=images.device)
    gammas = torch._standard_gamma(shape, generator=noise)
    share = (gammas[0] / gammas.sum()).to(images.dtype)
    order = torch.randperm(len(images), generator=noise, device=images.device)
    return torch.lerp(images[order], images, share), torch.lerp(targets[order], targets, share)


def rate_factor(config: ClassifierConfig, images_seen: int, plateau: float) -> float:
    """What the learning rate is multiplied by at an image of the run.

    Args:
        config: The schedule.
        images_seen: The run's clock, this step's images included.
        plateau: Product of the factors by which plateaus have lowered it.
    """
    factor = plateau
    if config.schedule is Schedule.cosine and config.schedule_images:
        done = min(images_seen / config.schedule_images, 1.0)
        factor = 0.5 * (1 + math.cos(math.pi * done))  # Loshchilov & Hutter 2017, eq. 5
    if images_seen < config.warmup_images:
        factor *= images_seen / config.warmup_images
    return factor
