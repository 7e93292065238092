"""The conditional GAN on the training base: phases, clock, averages, determinism."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from fer_lightning.data.batch import FaceBatch
from fer_lightning.models.cgan.config import CGANConfig, FakeLabels
from fer_lightning.models.cgan.module import CGAN
from fer_lightning.models.config import FaceFormat, Prior
from fer_lightning.rng import sample_generator
from tests.helpers import training

FACES = FaceFormat(image_size=16, channels=1, classes=["happiness", "fear"], frequencies=[3, 1])


def cgan(seed: int = 0, **settings: Any) -> CGAN:
    return CGAN(CGANConfig(latent_dim=8, width=4, **settings), FACES, seed)


def batch(size: int = 8) -> FaceBatch:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand((size, 1, 16, 16), generator=generator) * 2 - 1
    return FaceBatch(images, torch.arange(size) % 2)


def train(module: CGAN, steps: int) -> list[dict[str, Tensor]]:
    return training.train(module, batch(), steps)


def weights(network: torch.nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_a_step_trains_both_networks_and_records_table_two() -> None:
    module = cgan()
    before = weights(module.generator), weights(module.discriminator)
    (record,) = train(module, 1)
    assert set(record) == {"d_loss", "d_real", "d_fake", "d_mean", "g_loss"}
    assert record["d_loss"] == pytest.approx((record["d_real"] + record["d_fake"]).item())
    assert record["d_mean"] == pytest.approx(record["d_loss"].item() / 2)
    assert not torch.equal(before[0], weights(module.generator))
    assert not torch.equal(before[1], weights(module.discriminator))
    assert module.images_seen == 8


def test_the_discriminator_phase_leaves_the_generator_alone() -> None:
    module = cgan(spectral_norm=False)
    fake = module.generate(batch())
    detached = FaceBatch(fake.images.detach(), fake.emotions)
    module.discriminator_loss(batch(), detached)["loss"].backward()
    assert all(p.grad is None for p in module.generator.parameters())


def test_the_generator_phase_leaves_no_gradient_in_the_discriminator() -> None:
    module = cgan()
    seen: list[bool] = []
    step = module.generator_loss

    def watched(real: FaceBatch, fake: FaceBatch):  # type: ignore[no-untyped-def]
        seen.append(any(p.requires_grad for p in module.discriminator.parameters()))
        return step(real, fake)

    module.generator_loss = watched  # type: ignore[method-assign]
    train(module, 2)
    assert seen == [False, False]
    assert all(p.requires_grad for p in module.discriminator.parameters())


def test_twenty_steps_let_the_discriminator_learn() -> None:
    records = train(cgan(generator_lr=1e-6, discriminator_lr=2e-3), 20)
    assert records[-1]["d_loss"] < records[0]["d_loss"] - 0.1


def test_critic_steps_delay_the_generator() -> None:
    records = train(cgan(critic_steps=3), 7)
    assert ["g_loss" in record for record in records] == [False, False, True] * 2 + [False]


def test_the_seed_decides_everything() -> None:
    modules = [cgan(seed) for seed in (4, 4, 5)]
    for module in modules:
        train(module, 3)
    one, same, other = (weights(m.generator) for m in modules)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_labels_of_fakes_follow_the_data_or_are_uniform() -> None:
    shares = []
    for choice in (FakeLabels.empirical, FakeLabels.uniform):
        module = cgan(fake_labels=choice)
        shares.append(module.generate(batch(4000)).emotions.float().mean().item())
    assert shares == pytest.approx([0.25, 0.5], abs=0.03)


def test_the_prior_is_normal_or_uniform() -> None:
    for prior, deviation in ((Prior.normal, 1.0), (Prior.uniform, 3**-0.5)):
        latent = cgan(prior=prior)._latent(4000, sample_generator(0))
        assert latent.std().item() == pytest.approx(deviation, rel=0.02)


def test_samples_are_repeatable_and_change_nothing() -> None:
    module = cgan(ema_half_life=10)
    train(module, 2)
    state = {k: v.clone() for k, v in module.state_dict().items()}
    emotions = torch.tensor([0, 1, 1])
    one, two = (module.sample(emotions, sample_generator(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (3, 1, 16, 16)
    assert all(torch.equal(state[k], v) for k, v in module.state_dict().items())


def test_the_average_follows_the_generator() -> None:
    assert cgan().average is None
    module = cgan(ema_half_life=10**9)
    start = weights(module.generator)
    train(module, 5)
    assert module.average is not None
    moved = (weights(module.average.network) - start).norm()
    assert 0 < moved < (weights(module.generator) - start).norm()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_samples_come_in_any_precision(dtype: torch.dtype) -> None:
    images = cgan().to(dtype).sample(torch.tensor([0, 1]), sample_generator(0))
    assert images.dtype is torch.float32


def test_whoever_listens_hears_what_the_discriminator_makes_of_no_label() -> None:
    module = cgan()
    module.train()
    heard: list[Tensor] = []
    module.discriminator.register_forward_hook(lambda module, inputs, out: heard.append(out))
    state = {k: v.clone() for k, v in module.state_dict().items()}
    images = batch().images
    module.perceive(images)
    assert module.discriminator.training
    assert not heard[0].requires_grad
    assert all(torch.equal(state[k], v) for k, v in module.state_dict().items())
    module.eval()
    expected = module.discriminator(images, torch.full((8,), -1))
    assert torch.equal(heard[0], expected)
