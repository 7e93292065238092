"""Impossible hyper-parameters stop before anything is built."""

from __future__ import annotations

import pytest

from fer_lightning.errors import UserError
from fer_lightning.models.config import Prior
from fer_lightning.models.dcgan.config import DCGANConfig


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("latent_dim", 0),
        ("generator_width", 0),
        ("discriminator_width", -1),
        ("init_std", 0.0),
        ("beta1", 1.0),
        ("generator_lr", 0.0),
    ],
)
def test_an_impossible_value_names_its_key(key: str, value: float) -> None:
    with pytest.raises(UserError, match=rf"model\.{key}={value}"):
        DCGANConfig(**{key: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "near"), [(50, 48), (16, 32), (24, 32), (100, 96)])
def test_a_size_that_cannot_be_made_names_the_nearest(size: int, near: int) -> None:
    with pytest.raises(UserError, match=rf"image_size={size}: .* try image_size={near}$"):
        DCGANConfig().check(size)
    DCGANConfig().check(near)


def test_the_defaults_are_the_papers_but_for_its_beta() -> None:
    config = DCGANConfig()
    assert (config.latent_dim, config.prior, config.init_std) == (100, Prior.uniform, 0.02)
    assert (config.generator_lr, config.discriminator_lr, config.beta1) == (2e-4, 2e-4, 0.5)
    assert not config.labelled
