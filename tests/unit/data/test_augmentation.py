"""Augmentation: what each switch does to a known picture."""

from __future__ import annotations

import pytest
import torch

from fer_lightning.data.augmentation import augment
from fer_lightning.data.corpora.base import AugmentationConfig
from fer_lightning.errors import UserError


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_nothing_is_done_by_default() -> None:
    images = torch.rand(4, 1, 8, 8)
    assert augment(images, AugmentationConfig(), generator()) is images


def test_flip_mirrors_about_half() -> None:
    images = torch.arange(8.0).expand(400, 1, 8, 8)
    flipped = augment(images, AugmentationConfig(flip=True), generator())
    mirrored = (flipped[:, 0, 0, 0] == 7).float().mean().item()
    assert mirrored == pytest.approx(0.5, abs=0.08)
    assert set(flipped[:, 0, 0, 0].tolist()) == {0.0, 7.0}


def test_shift_stays_within_its_fraction() -> None:
    images = torch.zeros(200, 1, 41, 41)
    images[:, :, 20, 20] = 1
    shifted = augment(images, AugmentationConfig(shift=0.1), generator())
    columns = shifted.sum((1, 2)) @ torch.arange(41.0)
    assert columns.min() == pytest.approx(20 - 4.1, abs=0.4)
    assert columns.max() == pytest.approx(20 + 4.1, abs=0.4)


def test_rotation_keeps_the_centre_and_stays_within_its_angle() -> None:
    images = torch.zeros(200, 1, 41, 41)
    images[:, :, 20, 35] = 1
    rotated = augment(images, AugmentationConfig(rotation=30), generator())
    weight = rotated.sum((1, 2, 3))
    x = rotated.sum(2)[:, 0] @ torch.arange(41.0) / weight - 20
    y = rotated.sum(3)[:, 0] @ torch.arange(41.0) / weight - 20
    angles = torch.rad2deg(torch.atan2(y, x)).abs()
    assert angles.max() == pytest.approx(30, abs=2)
    assert torch.hypot(x, y) == pytest.approx(torch.full((200,), 15.0), abs=0.6)


def test_edges_are_replicated_not_blackened() -> None:
    images = torch.full((20, 3, 16, 16), 0.7)
    changed = augment(images, AugmentationConfig(rotation=45, shift=0.3), generator())
    assert torch.allclose(changed, images)


@pytest.mark.parametrize("settings", [{"rotation": 181}, {"shift": 1.0}])
def test_impossible_numbers_name_their_key(settings: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"data\.augmentation\."):
        AugmentationConfig(**settings)  # type: ignore[arg-type]
