"""Shapes, parameter counts and initial weights of paper D's networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fer_lightning.models.dcgan.networks import Discriminator, Generator
from fer_lightning.nn.dcgan import initialise


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_parameter_counts_are_the_papers() -> None:
    assert parameters(Generator(100, 64, 3, 64)) == 3_576_704
    assert parameters(Generator(100, 64, 3, 128)) == 12_658_432
    assert parameters(Discriminator(64, 3, 64)) == 2_765_568


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (48, 1), (64, 3), (80, 3)])
def test_multiples_of_16_pixels(size: int, channels: int) -> None:
    images = Generator(10, size, channels, 4)(torch.randn(3, 10))
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    assert Discriminator(size, channels, 4)(images).shape == (3,)


def test_the_last_block_gives_8192_features_of_a_face() -> None:
    network = Discriminator(64, 3, 64).eval()
    seen: dict[str, torch.Tensor] = {}
    for name in ("block1", "block2", "block3", "block4"):
        network.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, name=name: seen.update({name: output.clone()})
        )
    network(torch.rand(2, 3, 64, 64) * 2 - 1)
    assert [tuple(seen[name].shape[1:]) for name in sorted(seen)] == [
        (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4),
    ]  # fmt: skip
    assert seen["block4"].flatten(1).shape == (2, 8192)
    # After the leaky ReLU: what is negative is small.
    assert -seen["block4"].min() < seen["block4"].max()


def test_norms_stand_where_the_paper_has_them() -> None:
    discriminator, generator = Discriminator(64, 3, 4), Generator(10, 64, 3, 4)
    normed = [
        name for name, module in discriminator.named_modules() if isinstance(module, nn.BatchNorm2d)
    ]
    assert normed == ["block2.1", "block3.1", "block4.1"]
    assert sum(isinstance(module, nn.BatchNorm2d) for module in generator.modules()) == 4
    convolutions = (nn.Conv2d, nn.ConvTranspose2d)
    layers = [*discriminator.modules(), *generator.modules()]
    assert [m.bias for m in layers if isinstance(m, convolutions)] == [None] * 10


def test_initial_weights_are_dcgans() -> None:
    torch.manual_seed(0)
    for network in (Generator(100, 64, 3, 16), Discriminator(64, 3, 16)):
        initialise(network, 0.02)
        weights = [p for p in network.parameters() if p.dim() == 4]
        flat = torch.cat([p.detach().flatten() for p in weights])
        assert flat.mean().item() == pytest.approx(0, abs=2e-4)
        assert flat.std().item() == pytest.approx(0.02, rel=0.01)
        norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
        scales = torch.cat([m.weight.detach() for m in norms])
        assert scales.mean().item() == pytest.approx(1, abs=0.01)
        assert scales.std().item() == pytest.approx(0.02, rel=0.2)
        assert all((m.bias == 0).all() for m in norms)
