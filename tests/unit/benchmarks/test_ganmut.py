"""The loop of the official solver is a fair opponent: it takes the steps that ours takes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from fer_lightning.benchmarks.ganmut import OfficialLoop
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.data.batch import FaceBatch
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.ganmut.config import Cycle, GANmutConfig, Penalty, Space
from fer_lightning.models.ganmut.module import GANmut
from fer_lightning.models.ganmut.space import DrawnPoints, LinearSpace
from tests.helpers import training

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def faces() -> FaceDataModule:
    data = Drawn(count=70, picture_size=32, subjects=10, batch_size=8)
    module = FaceDataModule(data, WholeImageConfig(), 16, 1, 0)
    module.setup()
    return module


def narrow(**settings: Any) -> GANmutConfig:
    return GANmutConfig(
        generator_width=4, discriminator_width=4, generator_blocks=1, depth=4, **settings
    )


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().reshape(-1) for p in network.parameters()])


def test_a_step_of_the_discriminator_is_that_of_fer_train(faces: FaceDataModule) -> None:
    settings = narrow(penalty_weight=0.0, random_directions=0)
    loop = OfficialLoop(settings, faces, CPU)
    before = weights(loop.discriminator)
    module = GANmut(settings, faces.faces, seed=0)
    loop.noise.set_state(module.noise.get_state())
    loop.step()
    training.train(module, FaceBatch(loop.images, loop.emotions), 1)
    moved = (weights(loop.discriminator) - before).abs().max()
    assert moved > 5e-5  # Adam's first step is nearly its step size
    assert (weights(loop.discriminator) - weights(module.discriminator)).abs().max() < moved / 50


def test_a_step_of_the_generator_is_that_of_fer_train(
    faces: FaceDataModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = LinearSpace.draw

    def same(self: LinearSpace, *given: Any) -> DrawnPoints:
        given[-1].manual_seed(5)  # the official solver draws anew for the generator
        return draw(self, *given)

    monkeypatch.setattr(LinearSpace, "draw", same)
    settings = narrow(penalty_weight=0.0, critic_steps=1)
    loop = OfficialLoop(settings, faces, CPU)
    before = weights(loop.generator)
    module = GANmut(settings, faces.faces, seed=0)
    loop.step()
    training.train(module, FaceBatch(loop.images, loop.emotions), 1)
    moved = (weights(loop.generator) - before).abs()
    assert moved.max() > 5e-5
    apart = (weights(loop.generator) - weights(module.generator)).abs()
    # Adam's first step is the sign of the gradient, which rounding decides where it is nearly 0.
    assert apart.quantile(0.99) < moved.max() / 50


def test_the_generator_steps_when_it_is_due(faces: FaceDataModule) -> None:
    loop = OfficialLoop(narrow(critic_steps=2), faces, CPU)
    start = weights(loop.generator)
    loop.step()
    assert torch.equal(weights(loop.generator), start)
    loop.step()
    assert not torch.equal(weights(loop.generator), start)
    assert not any(isinstance(layer, nn.GroupNorm) for layer in loop.generator.modules())


def test_its_penalty_is_of_unit_slopes(faces: FaceDataModule) -> None:
    loop = OfficialLoop(narrow(), faces, CPU)
    slopes = loop.discriminator(loop.images, slope=True).detach().flatten(1).norm(dim=1)
    torch.testing.assert_close(loop._penalty(loop.images), (slopes - 1).square().mean())
    assert OfficialLoop(narrow(penalty_weight=0.0), faces, CPU)._penalty(loop.images) is None


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"space": Space.gaussian}, "model.space=gaussian: the plain loop of benchmark=ganmut has"),
        ({"cycle": Cycle.approximate}, "model.cycle=approximate"),
        ({"penalty": Penalty.r1}, "model.penalty=r1"),
        ({"ema_half_life": 10}, "model.ema_half_life=10"),
    ],
)
def test_what_the_loop_does_not_do_is_refused(
    faces: FaceDataModule, settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        OfficialLoop(narrow(**settings), faces, CPU)


@pytest.mark.parametrize(("size", "depth"), [(64, 6), (128, 6), (48, 4), (16, 4)])
def test_the_default_model_is_as_deep_as_the_images_allow(size: int, depth: int) -> None:
    detector = WholeImageConfig()
    keys: dict[str, Any] = {"data": Drawn(), "detector": detector, "image_size": size}
    config = BenchmarkConfig(benchmark="ganmut", model=CGANConfig(), **keys)
    assert (config.editor.depth, config.editor.generator_width) == (depth, 16)
    given = GANmutConfig(depth=4)
    assert BenchmarkConfig(benchmark="ganmut", model=given, **keys).editor is given
    with pytest.raises(UserError, match="needs multiples of 128"):
        BenchmarkConfig(
            benchmark="ganmut", model=GANmutConfig(depth=7), **{**keys, "image_size": 64}
        )
