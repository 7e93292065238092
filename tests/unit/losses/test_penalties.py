"""Penalties on gradients that are known: those of linear critics."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fer_lightning.losses.penalties import blend, gradient_penalty, r1_penalty


def gradients(weight: Tensor, images: Tensor) -> Tensor:
    """Of the critic ``<weight, x>``, as autograd has them."""
    images = images.requires_grad_()
    (found,) = torch.autograd.grad((images * weight).sum(), images)
    return found


@pytest.mark.parametrize("length", [0.0, 0.5, 1.0, 3.0])
def test_a_linear_critic_is_penalised_by_the_length_of_its_weight(length: float) -> None:
    weight = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight *= length / weight.norm()
    found = gradients(weight, torch.rand(5, 3, 8, 8, dtype=torch.float64))
    assert gradient_penalty(found).item() == pytest.approx((length - 1) ** 2, abs=1e-12)
    assert r1_penalty(found).item() == pytest.approx(length**2 / 2, abs=1e-12)


def test_images_of_one_batch_are_penalised_each() -> None:
    found = torch.stack([torch.full((1, 2, 2), 0.5), torch.full((1, 2, 2), 1.5)])
    assert gradient_penalty(found).item() == pytest.approx((0 + 4) / 2)
    assert r1_penalty(found).item() == pytest.approx((0.5 + 4.5) / 2)


def test_a_gradient_of_zero_can_be_descended() -> None:
    zeros = torch.zeros(2, 1, 3, 3, requires_grad=True)
    gradient_penalty(zeros).backward()
    assert zeros.grad is not None
    assert zeros.grad.isfinite().all()


def test_blends_lie_between_with_a_share_for_each_image() -> None:
    real, fake = torch.full((200, 2, 3, 3), 2.0), torch.full((200, 2, 3, 3), -1.0)
    blends = blend(real, fake, torch.Generator().manual_seed(1))
    shares = (blends[:, 0, 0, 0] + 1) / 3
    assert torch.equal(blends, blends[:, :1, :1, :1].expand_as(blends))
    assert shares.min() >= 0
    assert shares.max() <= 1
    assert [shares.mean().item(), shares.std().item()] == pytest.approx([0.5, 12**-0.5], abs=0.05)
