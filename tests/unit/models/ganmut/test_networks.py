"""Shapes, parameter counts and the slope of GANmut's networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from fer_lightning.labels import EMOTIONS
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.ganmut.config import GANmutConfig, Space
from fer_lightning.models.ganmut.networks import (
    Discriminator,
    Generator,
    Verdict,
    build_networks,
)

SMALL = {"generator_width": 4, "generator_blocks": 1, "discriminator_width": 4, "depth": 4}


def build(size: int = 128, channels: int = 3, **settings: Any) -> tuple[Generator, Discriminator]:
    faces = FaceFormat(
        image_size=size, channels=channels, classes=EMOTIONS[:7], frequencies=[1] * 7
    )
    return build_networks(GANmutConfig(**settings), faces)


def small(size: int = 32, **settings: Any) -> tuple[Generator, Discriminator]:
    torch.manual_seed(0)
    return build(size, **{**SMALL, **settings})


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("space", "dimension", "generator", "discriminator"),
    [
        # The official linear layer has a bias of six values that nothing reads.
        (Space.linear, 2, 8_421_138 - 6, 44_794_816),
        (Space.linear, 3, 8_424_280 - 6, 44_803_008),
        (Space.gaussian, 2, 8_421_155, 44_794_816),
        (Space.gaussian, 3, 8_424_340, 44_803_008),
    ],
)
def test_parameter_counts_are_the_official_ones(
    space: Space, dimension: int, generator: int, discriminator: int
) -> None:
    with torch.device("meta"):
        networks = build(space=space, dimension=dimension)
    assert [parameters(network) for network in networks] == [generator, discriminator]


def test_counts_are_those_of_stargan_with_its_labels() -> None:
    """Five one-hot planes instead of two coordinates, no axes, and no head for coordinates."""
    with torch.device("meta"):
        generator, discriminator = build()
    planes, axes = 64 * 7 * 7 * (5 - 2), 6 * 2
    assert parameters(generator) + planes - axes == 8_430_528
    heads = 2048 * 2 * 2 * (7 + 2 - 5)
    assert parameters(discriminator) - heads == 44_762_048


def test_shapes_are_the_papers() -> None:
    with torch.device("meta"):
        generator, discriminator = build()
        hidden = torch.zeros(2, 5, 128, 128)
        shapes = []
        for layer in generator.layers:
            hidden = layer(hidden)
            if not shapes or hidden.shape[1:] != shapes[-1]:
                shapes.append(hidden.shape[1:])
        assert [tuple(shape) for shape in shapes] == [
            (64, 128, 128),
            (128, 64, 64),
            (256, 32, 32),
            (128, 64, 64),
            (64, 128, 128),
            (3, 128, 128),
        ]
        features = torch.zeros(2, 3, 128, 128)
        for level, block in enumerate(discriminator.blocks):
            features = block(features)
            side = 64 // 2**level
            assert features.shape == (2, 64 * 2**level, side, side)
        said = discriminator(torch.zeros(2, 3, 128, 128))
    assert isinstance(said, Verdict)
    assert [tuple(part.shape) for part in said] == [(2, 1, 2, 2), (2, 7), (2, 2)]


@pytest.mark.parametrize(
    ("size", "depth", "channels", "dimension", "side"),
    [(64, 6, 3, 2, 1), (48, 4, 1, 2, 3), (32, 4, 3, 3, 2), (64, 4, 1, 3, 4)],
)
def test_any_size_that_the_depth_allows(
    size: int, depth: int, channels: int, dimension: int, side: int
) -> None:
    generator, discriminator = small(size, depth=depth, channels=channels, dimension=dimension)
    images = torch.rand(3, channels, size, size) * 2 - 1
    edits = generator(images, torch.rand(3, dimension))
    assert edits.shape == images.shape
    assert edits.abs().max() <= 1
    said = discriminator(edits)
    assert isinstance(said, Verdict)
    assert said.scores.shape == (3, 1, side, side)
    assert said.logits.shape == (3, 7)
    assert said.points.shape == (3, dimension)
    assert discriminator(edits, slope=True).shape == images.shape


def test_the_point_changes_the_edit_although_its_planes_are_constant() -> None:
    generator, _ = small()
    images = torch.rand(1, 3, 32, 32).expand(2, -1, -1, -1)
    one, other = generator(images, torch.tensor([[0.0, 0.0], [0.7, -0.7]]))
    assert (one - other).abs().max() > 0.01
    padded = [m for m in generator.modules() if isinstance(m, nn.Conv2d)]
    assert {m.padding_mode for m in padded} == {"zeros"}


def test_an_edit_is_independent_of_its_batch_and_of_the_mode() -> None:
    generator, _ = small()
    images, points = torch.rand(6, 3, 32, 32) * 2 - 1, torch.rand(6, 2)
    together = generator(images, points)
    alone = torch.cat([generator(images[i : i + 1], points[i : i + 1]) for i in range(6)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(generator.eval()(images, points), together)
    assert not list(generator.buffers())


def test_norms_are_instance_norms() -> None:
    generator, _ = small()
    hidden = torch.randn(3, 4, 5, 5)
    stock = nn.InstanceNorm2d(4, affine=True)
    with torch.no_grad():
        stock.weight.normal_()
        stock.bias.normal_()
    generator.layers[1].load_state_dict(stock.state_dict())
    torch.testing.assert_close(generator.layers[1](hidden), stock(hidden))


def test_the_slope_is_autograds_with_all_its_gradients() -> None:
    _, discriminator = small()
    discriminator.double()
    images = (torch.rand(3, 3, 32, 32, dtype=torch.float64) * 2 - 1).requires_grad_()
    said = discriminator(images)
    assert isinstance(said, Verdict)
    (reference,) = torch.autograd.grad(said.scores.sum(), images, create_graph=True)
    chain = discriminator.input_gradient(images)
    torch.testing.assert_close(chain, reference)
    weights = [p for name, p in discriminator.named_parameters() if not name.startswith("head")]
    wanted, found = (
        torch.autograd.grad((g.flatten(1).norm(dim=1) - 1).square().sum(), weights,
                            allow_unused=True)
        for g in (reference, chain)
    )  # fmt: skip
    for name, one, other in zip(discriminator.state_dict(), wanted, found, strict=False):
        if one is None or one.abs().max() == 0:
            assert other is None, name  # a bias moves no slope
        else:
            torch.testing.assert_close(other, one, msg=name)


def test_the_slope_stays_in_single_precision_under_autocast() -> None:
    _, discriminator = small()
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    with torch.autocast("cpu", torch.bfloat16):
        said = discriminator(images)
        slope = discriminator(images, slope=True)
    assert isinstance(said, Verdict)
    assert said.scores.dtype == torch.bfloat16
    assert slope.dtype == torch.float32
    assert torch.equal(slope, discriminator(images, slope=True))
