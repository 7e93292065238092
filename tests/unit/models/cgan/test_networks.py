"""Shapes and parameter counts of paper A's networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fer_lightning.models.cgan.networks import Discriminator, Generator
from fer_lightning.nn.dcgan import initialise


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def discriminator(
    size: int = 64, channels: int = 1, width: int = 64, spectral: bool = True, dense: bool = False
) -> Discriminator:
    network = Discriminator(7, size, channels, width, dropout=0.0)
    initialise(network, 0.02)
    network.normalise(spectral, dense)
    return network


def test_parameter_counts_are_the_papers() -> None:
    generator = Generator(150, 7, 64, 1, 64)
    assert parameters(generator) == 7_932_353
    assert parameters(generator.dense) == 5_177_344
    assert parameters(discriminator()) == 2_769_857
    assert parameters(discriminator(spectral=False)) == 2_769_857


@pytest.mark.parametrize(("size", "channels", "width"), [(64, 1, 8), (48, 3, 4), (16, 1, 2)])
def test_any_multiple_of_16_pixels(size: int, channels: int, width: int) -> None:
    emotions = torch.tensor([0, 6, 3])
    images = Generator(10, 7, size, channels, width)(torch.randn(3, 10), emotions)
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    assert discriminator(size, channels, width)(images, emotions).shape == (3,)


def test_the_label_reaches_both_networks() -> None:
    generator = Generator(10, 7, 16, 1, 4).eval()
    latent = torch.randn(1, 10).expand(2, -1)
    emotions = torch.tensor([1, 2])
    one, two = generator(latent, emotions)
    assert not torch.allclose(one, two)
    logits = discriminator(16, 1, 4).eval()(torch.zeros(2, 1, 16, 16), emotions)
    assert logits[0] != logits[1]


def test_spectral_norm_bounds_the_convolutions_alone() -> None:
    torch.manual_seed(0)
    network = discriminator(16, 1, 4)
    convolutions = [m for m in network.blocks if isinstance(m, nn.Conv2d)]
    norms = [torch.linalg.matrix_norm(c.weight.flatten(1), 2).item() for c in convolutions]
    assert norms == pytest.approx([1] * 4, abs=0.03)  # from the first step on
    assert not nn.utils.parametrize.is_parametrized(network.dense)
    assert nn.utils.parametrize.is_parametrized(discriminator(dense=True).dense)
    plain = discriminator(spectral=False)
    assert not any(nn.utils.parametrize.is_parametrized(m) for m in plain.modules())


@pytest.mark.parametrize("spectral", [True, False])
def test_initial_weights_are_dcgans(spectral: bool) -> None:
    torch.manual_seed(0)
    generator, judge = Generator(50, 7, 64, 1, 16), discriminator(width=16, spectral=spectral)
    initialise(generator, 0.02)
    assert generator.dense.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert generator.blocks[0].weight.mean().item() == pytest.approx(1, abs=0.01)
    assert generator.dense.bias.abs().max() == 0
    layer = judge.blocks[4]
    weight = layer.parametrizations.weight.original if spectral else layer.weight
    assert weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_no_label_is_planes_of_zeros() -> None:
    torch.manual_seed(0)
    network = discriminator(16, 1, 4).eval()
    images = torch.randn(2, 1, 16, 16)
    seen: list[torch.Tensor] = []
    network.blocks.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    network(images, torch.tensor([-1, 3]))
    planes = seen[0][:, 1:]
    assert (planes[0] == 0).all()
    assert (planes[1, 3] == 1).all()
    assert planes[1].sum() == 16 * 16
    assert torch.equal(seen[0][:, :1], images)
