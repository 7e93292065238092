"""The averaged network against the closed form."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fer_lightning.nn.ema import AveragedNetwork


def test_a_share_halves_over_the_half_life() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = AveragedNetwork(network, half_life=100)
    nn.init.ones_(network.weight)
    for step in range(10):
        average.update(network, images=10, images_seen=10_000 + step)
    assert average.network.weight.item() == pytest.approx(0.5, abs=1e-6)


def test_early_on_it_follows_closely() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = AveragedNetwork(network, half_life=10**6)
    nn.init.ones_(network.weight)
    average.update(network, images=100, images_seen=200)  # half-life 5 % of 200 images
    assert average.network.weight.item() == pytest.approx(1 - 2**-10)


def test_buffers_are_copied_and_nothing_trains() -> None:
    network = nn.BatchNorm1d(2)
    average = AveragedNetwork(network, half_life=10)
    network(torch.randn(8, 2))
    average.update(network, 8, 8)
    assert torch.equal(average.network.running_mean, network.running_mean)
    assert not any(p.requires_grad for p in average.parameters())
    assert not average.network.training
