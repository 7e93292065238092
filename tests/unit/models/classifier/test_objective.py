"""The classifier's loss against its definition, its mixing and its schedules."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import Generator
from torch.nn import functional as F

from fer_lightning.models.classifier.config import ClassifierConfig, Schedule
from fer_lightning.models.classifier.objective import (
    balanced_weights,
    cross_entropy,
    mix,
    rate_factor,
)

LOGITS = torch.randn(6, 3, generator=Generator().manual_seed(0), dtype=torch.float64)
LABELS = torch.tensor([0, 1, 2, 2, 1, 0])
WEIGHTS = torch.tensor([0.5, 1.0, 3.0], dtype=torch.float64)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_shares_of_one_class_are_its_index(weights: torch.Tensor | None, smoothing: float) -> None:
    shares = F.one_hot(LABELS, 3).double()
    of_shares = cross_entropy(LOGITS, shares, weights, smoothing)
    assert of_shares.item() == pytest.approx(
        cross_entropy(LOGITS, LABELS, weights, smoothing).item(), rel=1e-12
    )


def test_shares_are_the_expected_loss() -> None:
    shares = torch.softmax(LOGITS.flip(0), 1)
    expected = -(shares * LOGITS.log_softmax(1)).sum(1).mean()
    assert cross_entropy(LOGITS, shares, None, 0.0).item() == pytest.approx(expected.item())


def test_weights_are_scikit_learns() -> None:
    labels = [0] * 10 + [1] * 3 + [2] * 5
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert balanced_weights([10, 3, 5]) == pytest.approx(expected)
    assert balanced_weights([4, 0]) == [0.5, 0.0]


def test_mixing_blends_images_and_shares_alike() -> None:
    images = torch.arange(4.0)[:, None, None, None].expand(4, 1, 2, 2)
    mixed, shares = mix(images, torch.eye(4), 0.4, Generator().manual_seed(3))
    assert not torch.equal(mixed, images)
    assert shares.sum(1).tolist() == pytest.approx([1.0] * 4)
    torch.testing.assert_close(mixed[:, 0, 0, 0], shares @ torch.arange(4.0))


def test_mixing_works_in_low_precision_and_for_a_small_alpha() -> None:
    noise = Generator().manual_seed(0)
    images = torch.rand((4, 1, 2, 2), dtype=torch.bfloat16)
    mixed, _ = mix(images, torch.eye(4, dtype=torch.bfloat16), 0.4, noise)
    assert mixed.dtype is torch.bfloat16
    first = torch.zeros(2, 2)
    first[0, 0] = 1
    shares = [mix(images[:2].float(), first, 0.02, noise)[1][0, 0].item() for _ in range(200)]
    assert not any(0.4 < share < 0.6 for share in shares)  # Beta(0.02, 0.02) is nearly a coin


def test_mixing_draws_from_its_own_generator() -> None:
    images, shares = torch.rand(8, 1, 4, 4), torch.eye(8)
    first, _ = mix(images, shares, 1.0, Generator().manual_seed(1))
    torch.rand(5)
    again, _ = mix(images, shares, 1.0, Generator().manual_seed(1))
    other, _ = mix(images, shares, 1.0, Generator().manual_seed(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_cosine_falls_to_zero_and_stays() -> None:
    config = ClassifierConfig(schedule=Schedule.cosine, schedule_images=1000)
    factors = [rate_factor(config, images, 1.0) for images in (0, 250, 500, 1000, 5000)]
    quarter = (1 + math.cos(math.pi / 4)) / 2
    assert factors == pytest.approx([1.0, quarter, 0.5, 0.0, 0.0])


def test_the_rate_rises_first() -> None:
    config = ClassifierConfig(schedule=Schedule.constant, warmup_images=100)
    assert [rate_factor(config, n, 1.0) for n in (25, 100, 200)] == [0.25, 1.0, 1.0]


def test_plateaus_multiply() -> None:
    assert rate_factor(ClassifierConfig(), 10, 0.25) == 0.25
