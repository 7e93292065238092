"""Shapes and parameter counts of paper C's networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fer_lightning.models.config import FaceFormat
from fer_lightning.models.egc_gan.config import CodeActivation, EGCGANConfig, Encoder, LabelPlane
from fer_lightning.models.egc_gan.networks import (
    ConstantPlane,
    Discriminator,
    Translator,
    build_networks,
    make_encoder,
)

CLASSES = ["happiness", "sadness", "surprise", "fear", "disgust", "anger"]


def build(size: int = 96, channels: int = 3, **settings: Any) -> tuple[Translator, Discriminator]:
    faces = FaceFormat(image_size=size, channels=channels, classes=CLASSES, frequencies=[1] * 6)
    return build_networks(EGCGANConfig(**settings), faces)


def small(size: int = 32, **settings: Any) -> tuple[Translator, Discriminator]:
    return build(size, **{"encoder": Encoder.lite, "code_dim": 16, "width": 4, **settings})


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def passed(network: nn.Module, inputs: Tensor) -> list[tuple[int, ...]]:
    """Shape after each layer of a sequence that changes it."""
    shapes = [tuple(inputs.shape[1:])]
    assert isinstance(network, nn.Sequential)
    for layer in network:
        inputs = layer(inputs)
        if tuple(inputs.shape[1:]) != shapes[-1]:
            shapes.append(tuple(inputs.shape[1:]))
    return shapes[1:]


def test_the_papers_networks_have_its_shapes() -> None:
    with torch.device("meta"):
        translator, discriminator = build()
        images, emotions = torch.zeros(2, 3, 96, 96), torch.zeros(2, dtype=torch.int64)
        assert isinstance(translator.encoder, nn.Sequential)
        assert passed(translator.encoder[0], images) == [
            (96, 23, 23),
            (96, 11, 11),
            (256, 11, 11),
            (256, 5, 5),
            (384, 5, 5),
            (256, 5, 5),
            (256, 2, 2),
        ]
        assert passed(translator.encoder, images) == [(256, 2, 2), (1024,), (4096,)]
        assert isinstance(translator.decoder.blocks, nn.Sequential)
        assert passed(translator.decoder.blocks, torch.zeros(2, 512, 6, 6)) == [
            (256, 12, 12),
            (128, 24, 24),
            (64, 48, 48),
            (3, 96, 96),
        ]
        assert translator(images).shape == (2, 3, 96, 96)
        assert discriminator.plane(emotions).shape == (2, 1, 96, 96)
        assert passed(discriminator.blocks, torch.zeros(2, 4, 96, 96)) == [
            (64, 48, 48),
            (128, 24, 24),
            (256, 12, 12),
            (512, 6, 6),
        ]
        assert discriminator.head(torch.zeros(2, 512, 6, 6)).shape == (2, 1, 1, 1)
        assert discriminator(images, emotions).shape == (2,)


def test_e_lite_keeps_six_by_six_places() -> None:
    with torch.device("meta"):
        translator, _ = build(encoder=Encoder.lite)
        assert isinstance(translator.encoder, nn.Sequential)
        assert passed(translator.encoder[0], torch.zeros(2, 3, 96, 96)) == [
            (64, 48, 48),
            (128, 24, 24),
            (256, 12, 12),
            (256, 6, 6),
        ]
        assert parameters(translator.encoder[2]) == 9216 * 4096 + 4096


def test_parameter_counts_are_those_of_the_layers() -> None:
    with torch.device("meta"):
        translator, discriminator = build()
    # Convolutions without a bias: 3*96*11*11 + 96*256*5*5 + 256*384*9 + 384*384*9 + 384*256*9
    # = 34,848 + 614,400 + 884,736 + 1,327,104 + 884,736 = 3,745,824; two values a filter for
    # batch norm: 2 * (96 + 256 + 384 + 384 + 256) = 2,752; 1024 * 4096 + 4096 = 4,198,400.
    assert parameters(translator.encoder) == 3_745_824 + 2_752 + 4_198_400 == 7_946_976
    # 4096 * 18,432 + 18,432 = 75,515,904; transposed convolutions 16 * (512*256 + 256*128 +
    # 128*64) = 2,752,512, the last 16*64*3 + 3 = 3,075; batch norm 2 * (512+256+128+64) = 1,920.
    assert parameters(translator.decoder) == 75_515_904 + 2_752_512 + 3_075 + 1_920 == 78_273_411
    # Plane: 6 * 50 + 50 * 9216 + 9216 = 470,316. Convolutions: 16*4*64 + 64 = 4,160, then
    # 16 * (64*128 + 128*256 + 256*512) = 2,752,512, the last 36 * 512 + 1 = 18,433; batch norm
    # 2 * (128 + 256 + 512) = 1,792.
    assert parameters(discriminator) == 470_316 + 4_160 + 2_752_512 + 18_433 + 1_792 == 3_247_213


def test_counts_of_the_choices() -> None:
    with torch.device("meta"):
        told, _ = build(generator_label=True)
        _, constant = build(label_plane=LabelPlane.constant)
        _, spectral = build(spectral_norm=True)
    assert parameters(told) == 7_946_976 + 78_273_411 + 6 * 18_432
    assert parameters(constant) == 3_247_213 - 470_316
    # Biases in place of batch norm's two values.
    assert parameters(spectral) == 3_247_213 - (128 + 256 + 512)


@pytest.mark.parametrize(
    ("encoder", "size", "channels"),
    [
        (Encoder.alexnet, 64, 3),
        (Encoder.alexnet, 96, 1),
        (Encoder.alexnet, 112, 3),
        (Encoder.lite, 32, 1),
        (Encoder.lite, 48, 3),
    ],
)
def test_any_multiple_of_16_pixels(encoder: Encoder, size: int, channels: int) -> None:
    translator, discriminator = small(size, channels=channels, encoder=encoder)
    emotions = torch.tensor([0, 5, 3])
    images = translator(torch.rand(3, channels, size, size))
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    assert discriminator(images, emotions).shape == (3,)


def test_the_discriminator_sees_four_channels() -> None:
    _, discriminator = small()
    seen: list[Tensor] = []
    discriminator.blocks.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    images, emotions = torch.rand(2, 3, 32, 32), torch.tensor([1, 4])
    discriminator(images, emotions)
    assert seen[0].shape == (2, 4, 32, 32)
    assert torch.equal(seen[0][:, :3], images)
    assert torch.equal(seen[0][:, 3:], discriminator.plane(emotions))
    assert not torch.equal(seen[0][0, 3], seen[0][1, 3])


def test_a_constant_plane_is_the_labels_share() -> None:
    planes = ConstantPlane(6, 4)(torch.tensor([0, 2, 5]))
    assert planes.shape == (3, 1, 4, 4)
    assert planes.amin((1, 2, 3)).tolist() == pytest.approx([0, 0.4, 1])
    assert torch.equal(planes.amin((1, 2, 3)), planes.amax((1, 2, 3)))


def test_a_label_reaches_the_decoder_only_where_it_is_told() -> None:
    images, emotions = torch.rand(1, 3, 32, 32).expand(2, -1, -1, -1), torch.tensor([0, 3])
    plain, told = small()[0].eval(), small(generator_label=True)[0].eval()
    assert torch.equal(plain(images, emotions), plain(images))
    one, other = told(images, emotions)
    assert not torch.allclose(one, other)
    with pytest.raises(ValueError, match="give emotions"):
        told(images)


@pytest.mark.parametrize(
    ("activation", "least"),
    [(CodeActivation.none, -1.0), (CodeActivation.leaky_relu, -0.2), (CodeActivation.relu, 0.0)],
)
def test_the_code_is_activated_as_chosen(activation: CodeActivation, least: float) -> None:
    config = EGCGANConfig(encoder=Encoder.lite, code_dim=2, width=2, code_activation=activation)
    encoder = make_encoder(config, 32, 3)
    dense = encoder[2]
    assert isinstance(dense, nn.Linear)
    with torch.no_grad():
        dense.weight.zero_()
        dense.bias.copy_(torch.tensor([-1.0, 2.0]))
    assert encoder(torch.rand(2, 3, 32, 32))[0].tolist() == pytest.approx([least, 2.0])


def test_spectral_norm_takes_the_place_of_batch_norm() -> None:
    torch.manual_seed(0)
    _, discriminator = small(spectral_norm=True)
    convolutions = [m for m in discriminator.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 5
    norms = [torch.linalg.matrix_norm(c.weight.flatten(1), 2).item() for c in convolutions]
    assert norms == pytest.approx([1] * 5, abs=0.03)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in discriminator.modules())
    assert sum(isinstance(m, nn.BatchNorm2d) for m in small()[1].modules()) == 3


def test_initial_weights_are_dcgans() -> None:
    torch.manual_seed(0)
    translator, discriminator = small(96, width=16, code_dim=64, encoder=Encoder.alexnet)
    assert translator.decoder.dense.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert translator.encoder[0][0].weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert discriminator.blocks[2].weight.std().item() == pytest.approx(0.02, rel=0.05)
