"""SE and CBAM against their equations, and where a ResNet has them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.models import resnet18
from torchvision.models.resnet import BasicBlock

from fer_lightning.models.classifier.attention import CBAM, SqueezeExcitation, attend


@pytest.fixture
def maps() -> Tensor:
    torch.manual_seed(0)
    return torch.randn(3, 8, 5, 4)


def test_squeeze_and_excitation_is_the_papers_equation(maps: Tensor) -> None:
    block = SqueezeExcitation(8, reduction=4)
    first, second = block.parameters()
    assert (first.shape, second.shape) == ((2, 8), (8, 2))
    expected = torch.empty_like(maps)
    for image in range(3):
        hidden = (first @ maps[image].sum((1, 2)) / 20).clamp(min=0)
        weights = 1 / (1 + (-second @ hidden).exp())
        for channel in range(8):
            expected[image, channel] = maps[image, channel] * weights[channel]
    torch.testing.assert_close(block(maps), expected)


def test_cbam_weighs_channels_then_places(maps: Tensor) -> None:
    block = CBAM(8, reduction=4).eval()
    first, second, kernel, scale, shift = block.parameters()
    torch.nn.init.normal_(scale)
    torch.nn.init.normal_(shift)

    def mlp(vectors: Tensor) -> Tensor:
        return (vectors @ first.T).clamp(min=0) @ second.T

    flat = maps.flatten(2)
    channels = torch.sigmoid(mlp(flat.mean(2)) + mlp(flat.max(2).values))
    refined = torch.einsum("nchw,nc->nchw", maps, channels)
    planes = torch.stack([refined.mean(1), refined.max(1).values], 1)
    windows = F.unfold(planes, 7, padding=3)  # (N, 2 * 49, places)
    places = torch.einsum("nkp,k->np", windows, kernel.flatten()).view(3, 1, 5, 4)
    places = places / (1 + 1e-5) ** 0.5 * scale + shift  # running mean 0, variance 1
    torch.testing.assert_close(block(maps), refined * torch.sigmoid(places))


@pytest.mark.parametrize("attention", [SqueezeExcitation, CBAM])
def test_a_block_that_gets_few_channels_keeps_one_hidden_value(
    attention: type[SqueezeExcitation] | type[CBAM], maps: Tensor
) -> None:
    block = attention(8)
    assert next(block.parameters()).shape == (1, 8)
    assert block(maps).shape == maps.shape


def test_a_closed_gate_leaves_the_shortcut_alone() -> None:
    class Closed(SqueezeExcitation):
        def forward(self, maps: Tensor) -> Tensor:
            return maps * 0

    network = resnet18().eval()
    attend(network, Closed)
    blocks = [module for module in network.modules() if isinstance(module, BasicBlock)]
    assert len(blocks) == 8
    features = torch.rand(1, 64, 6, 6)
    torch.testing.assert_close(network.layer1(features), features)  # what is added is nothing
    assert [len(block.bn2) for block in blocks] == [2] * 8
