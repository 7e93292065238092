"""Means over chosen rows; over two processes in tests/distributed."""

from __future__ import annotations

import pytest
import torch

from fer_lightning.losses.masked import masked_mean


def test_the_chosen_values_alone_count() -> None:
    values = torch.tensor([1.0, 2.0, 6.0, 100.0], requires_grad=True)
    mean = masked_mean(values, torch.tensor([True, False, True, False]))
    mean.backward()
    assert mean.item() == pytest.approx(3.5)
    assert values.grad is not None
    assert values.grad.tolist() == [0.5, 0, 0.5, 0]


def test_nothing_chosen_is_zero() -> None:
    values = torch.ones(3, requires_grad=True)
    mean = masked_mean(values, torch.zeros(3, dtype=torch.bool))
    mean.backward()
    assert mean.item() == 0
    assert values.grad is not None
    assert values.grad.tolist() == [0, 0, 0]
