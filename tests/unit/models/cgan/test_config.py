"""Impossible hyper-parameters stop before anything is built."""

from __future__ import annotations

import pytest

from fer_lightning.errors import UserError
from fer_lightning.models.cgan.config import CGANConfig


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("latent_dim", 0),
        ("width", -1),
        ("critic_steps", 0),
        ("generator_lr", 0.0),
        ("discriminator_lr", -1.0),
        ("init_std", 0.0),
        ("beta1", 1.0),
        ("beta2", -0.1),
        ("dropout", 1.0),
        ("label_smoothing", 1.0),
        ("ema_half_life", -1),
    ],
)
def test_an_impossible_value_names_its_key(key: str, value: float) -> None:
    with pytest.raises(UserError, match=rf"model\.{key}={value}"):
        CGANConfig(**{key: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "near"), [(50, 48), (8, 16), (100, 96)])
def test_a_size_that_cannot_be_made_names_the_nearest(size: int, near: int) -> None:
    with pytest.raises(UserError, match=f"image_size={near}"):
        CGANConfig().check(size)
