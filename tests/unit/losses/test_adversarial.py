"""Losses on logits against their definitions, and where a naive form would overflow."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from fer_lightning.losses.adversarial import fake_loss, non_saturating_loss, real_loss

LOGITS = torch.tensor([-3.0, -0.2, 0.0, 1.5, 4.0], dtype=torch.float64)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_real_is_binary_cross_entropy(smoothing: float) -> None:
    target = torch.full_like(LOGITS, 1 - smoothing)
    expected = F.binary_cross_entropy_with_logits(LOGITS, target)
    assert real_loss(LOGITS, smoothing).item() == pytest.approx(expected.item(), abs=1e-12)


def test_fake_and_generator_are_binary_cross_entropy() -> None:
    zeros, ones = torch.zeros_like(LOGITS), torch.ones_like(LOGITS)
    of_fake = F.binary_cross_entropy_with_logits(LOGITS, zeros).item()
    of_generator = F.binary_cross_entropy_with_logits(LOGITS, ones).item()
    assert fake_loss(LOGITS).item() == pytest.approx(of_fake, abs=1e-12)
    assert non_saturating_loss(LOGITS).item() == pytest.approx(of_generator, abs=1e-12)


def test_at_equilibrium_every_term_is_log_two() -> None:
    undecided = torch.zeros(4)
    for loss in (real_loss, fake_loss, non_saturating_loss):
        assert loss(undecided).item() == pytest.approx(math.log(2))


def test_extreme_logits_stay_finite() -> None:
    extreme = torch.tensor([-1e4, 1e4])
    for loss in (real_loss, fake_loss, non_saturating_loss):
        assert loss(extreme).item() == pytest.approx(5e3)
