"""The DCGAN on the training base: no labels, real and fake apart, determinism."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from fer_lightning.data.batch import FaceBatch
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.dcgan.config import DCGANConfig
from fer_lightning.models.dcgan.module import DCGAN
from fer_lightning.rng import sample_generator
from tests.helpers import training

FACES = FaceFormat(image_size=32, channels=1, classes=[], frequencies=[])
PAIR = torch.tensor([0, 5])


def dcgan(seed: int = 0, **settings: Any) -> DCGAN:
    small = {"latent_dim": 8, "generator_width": 4, "discriminator_width": 4}
    return DCGAN(DCGANConfig(**{**small, **settings}), FACES, seed)


def batch(size: int = 8) -> FaceBatch:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand((size, 1, 32, 32), generator=generator) * 2 - 1
    return FaceBatch(images, torch.full((size,), -1))


def weights(network: torch.nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_a_step_trains_both_networks_without_labels() -> None:
    module = dcgan()
    before = weights(module.generator), weights(module.discriminator)
    (record,) = training.train(module, batch(), 1)
    assert set(record) == {"d_loss", "d_real", "d_fake", "d_mean", "g_loss"}
    assert not torch.equal(before[0], weights(module.generator))
    assert not torch.equal(before[1], weights(module.discriminator))


def test_the_losses_are_binary_cross_entropy_of_batches_apart() -> None:
    module, real = dcgan(), batch()
    fake = module.generate(batch())
    logits = [module.discriminator(images).detach() for images in (real.images, fake.images)]
    targets = [torch.ones(8), torch.zeros(8)]
    terms = [
        F.binary_cross_entropy_with_logits(*pair).item()
        for pair in zip(logits, targets, strict=True)
    ]
    losses = module.discriminator_loss(real, fake)
    assert losses["real"].item() == pytest.approx(terms[0], rel=1e-5)
    assert losses["fake"].item() == pytest.approx(terms[1], rel=1e-5)
    assert losses["loss"].item() == pytest.approx(sum(terms), rel=1e-5)
    wanted = F.binary_cross_entropy_with_logits(logits[1], torch.ones(8)).item()
    assert module.generator_loss(real, fake)["loss"].item() == pytest.approx(wanted, rel=1e-5)


def test_what_real_images_score_does_not_depend_on_the_fakes() -> None:
    module, real = dcgan(), batch()
    other = FaceBatch(torch.zeros_like(real.images), real.emotions)
    terms = [module.discriminator_loss(real, fake)["real"] for fake in (batch(), other)]
    assert torch.equal(*terms)


def test_twenty_steps_let_the_discriminator_learn() -> None:
    module = dcgan(generator_lr=1e-6, discriminator_lr=2e-3)
    records = training.train(module, batch(), 20)
    assert records[-1]["d_loss"] < records[0]["d_loss"] - 0.1


def test_the_seed_decides_everything() -> None:
    modules = [dcgan(seed) for seed in (4, 4, 5)]
    for module in modules:
        training.train(module, batch(), 3)
    one, same, other = (weights(m.generator) for m in modules)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_samples_depend_on_the_noise_alone_and_change_nothing() -> None:
    module = dcgan(ema_half_life=10)
    training.train(module, batch(), 2)
    state = {k: v.clone() for k, v in module.state_dict().items()}
    one, two = (module.sample(labels, sample_generator(3)) for labels in (PAIR, PAIR - 2))
    other = module.sample(PAIR, sample_generator(4))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert one.shape == (2, 1, 32, 32)
    assert all(torch.equal(state[k], v) for k, v in module.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_any_precision_samples_and_perceives(dtype: torch.dtype) -> None:
    module = dcgan().to(dtype)
    images = module.sample(PAIR, sample_generator(0))
    assert images.dtype is torch.float32
    module.perceive(images)


def test_whoever_listens_at_a_layer_gets_its_features_in_eval_mode() -> None:
    module = dcgan()
    training.train(module, batch(), 2)
    module.train()
    heard: list[Tensor] = []
    layer = module.get_submodule("discriminator.block4")
    layer.register_forward_hook(lambda module, inputs, output: heard.append(output))
    state = {k: v.clone() for k, v in module.state_dict().items()}
    images = batch().images
    module.perceive(images)
    module.perceive(images[:1])
    assert heard[0].shape == (8, 32, 2, 2)
    assert not heard[0].requires_grad
    torch.testing.assert_close(heard[0][:1], heard[1])  # no statistics of the batch
    assert module.discriminator.training
    assert all(torch.equal(state[k], v) for k, v in module.state_dict().items())
