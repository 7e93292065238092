"""Faces of one format as those of another."""

from __future__ import annotations

import pytest
import torch

from fer_lightning.data.conversion import converted


def colours(size: int = 8) -> torch.Tensor:
    return torch.rand((2, 3, size, size), generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_what_fits_is_left_alone() -> None:
    images = colours()
    assert converted(images, 8, 3) is images


def test_colour_becomes_gray_by_luma_and_gray_is_repeated() -> None:
    images = colours()
    gray = converted(images, 8, 1)
    red, green, blue = images.unbind(1)
    torch.testing.assert_close(gray[:, 0], 0.299 * red + 0.587 * green + 0.114 * blue)
    assert torch.equal(converted(gray, 8, 3), torch.cat([gray] * 3, 1))
    white = torch.ones(1, 3, 8, 8)
    torch.testing.assert_close(converted(white, 8, 1), torch.ones(1, 1, 8, 8))


@pytest.mark.parametrize("size", [4, 12])
def test_another_size_keeps_the_mean_and_lets_gradients_through(size: int) -> None:
    images = colours(16).requires_grad_()
    found = converted(images, size, 1)
    assert found.shape == (2, 1, size, size)
    assert found.mean().item() == pytest.approx(converted(images, 16, 1).mean().item(), abs=0.02)
    found.sum().backward()
    assert images.grad is not None
    assert images.grad.abs().min() > 0  # antialiased: no pixel is passed over
