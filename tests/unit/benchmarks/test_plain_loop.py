"""The plain loop is a fair opponent: the same networks, however they lie in memory."""

from __future__ import annotations

import pytest
import torch

from fer_lightning.benchmarks.plain_loop import PlainClassifier, PlainGAN, plain_loop
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.classifier.config import ClassifierConfig, Network, Optimizer
from fer_lightning.models.config import ModelConfig, Prior

CPU = torch.device("cpu")


@pytest.fixture
def faces() -> FaceDataModule:
    data = Drawn(count=70, picture_size=32, subjects=10, batch_size=8)
    module = FaceDataModule(data, WholeImageConfig(), 16, 1, 0)
    module.setup()
    return module


def loop(faces: FaceDataModule, memory_format: torch.memory_format, **options: bool) -> PlainGAN:
    made = PlainGAN(CGANConfig(width=4), faces, CPU, memory_format, options.pop("fused", None))
    torch.manual_seed(0)
    for _ in range(2):
        made.step(**options)
    return made


def weights(made: PlainGAN) -> torch.Tensor:
    networks = (made.generator, made.discriminator)
    return torch.cat([p.detach().reshape(-1) for n in networks for p in n.parameters()])


def test_memory_order_fusing_and_freezing_change_no_weight(faces: FaceDataModule) -> None:
    default = loop(faces, torch.contiguous_format)
    start = PlainGAN(CGANConfig(width=4), faces, CPU, torch.contiguous_format, None)
    moved = (weights(default) - weights(start)).abs().max()
    assert moved > 3e-4  # Adam moves some weights by nearly its step size, twice
    for other in (
        loop(faces, torch.channels_last, fused=True),
        loop(faces, torch.contiguous_format, frozen=True),
    ):
        assert (weights(other) - weights(default)).abs().max() < moved / 50


def test_operations_grow_with_the_square_of_the_width(faces: FaceDataModule) -> None:
    small, large = (
        PlainGAN(CGANConfig(width=width), faces, CPU, torch.channels_last, None).operations()
        for width in (16, 32)
    )
    assert 3 < large / small < 4


@pytest.mark.parametrize("optimizer", Optimizer)
def test_the_classifiers_loop_takes_the_modules_own_steps(
    faces: FaceDataModule, optimizer: Optimizer
) -> None:
    model = ClassifierConfig(width=4, dropout=0.0, optimizer=optimizer, weight_decay=1e-2)
    one, other = (
        PlainClassifier(model, faces, CPU, memory_format, fused)
        for memory_format, fused in ((torch.channels_last, True), (torch.contiguous_format, None))
    )
    start = torch.cat([p.detach().reshape(-1).clone() for p in one.network.parameters()])
    for made in (one, other):
        made.step()
    ends = [
        torch.cat([p.detach().reshape(-1) for p in made.network.parameters()])
        for made in (one, other)
    ]
    assert (ends[0] - start).abs().max() > 1e-4
    torch.testing.assert_close(*ends, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (CGANConfig, "critic_steps", 2),
        (CGANConfig, "gradient_clip", 1.0),
        (CGANConfig, "ema_half_life", 9),
        (ClassifierConfig, "mixup", 0.2),
        (ClassifierConfig, "class_weights", True),
    ],
)
def test_other_work_is_not_compared(
    faces: FaceDataModule, kind: type[ModelConfig], key: str, value: object
) -> None:
    with pytest.raises(UserError, match=f"model.{key}="):
        plain_loop(kind(**{key: value}), faces, CPU, torch.channels_last, None)


def test_each_model_has_its_loop(faces: FaceDataModule) -> None:
    gan = CGANConfig(width=8, spectral_norm=False, prior=Prior.uniform)
    classifier = ClassifierConfig(width=8, network=Network.paper_b)
    made = [plain_loop(m, faces, CPU, torch.channels_last, None) for m in (gan, classifier)]
    assert [type(loop) for loop in made] == [PlainGAN, PlainClassifier]
    with pytest.raises(UserError, match="choose one"):
        plain_loop(ModelConfig(name="other"), faces, CPU, torch.channels_last, None)
