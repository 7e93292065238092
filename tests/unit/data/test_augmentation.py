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


def test_what_is_off_draws_nothing() -> None:
    """Else runs from before crop and erasing would not repeat."""
    used, alone = generator(), generator()
    config = AugmentationConfig(flip=True, rotation=10, shift=0.1)
    augment(torch.rand(7, 1, 8, 8), config, used)
    for shape in ((7,), (7,), (7, 2)):
        torch.rand(shape, generator=alone)
    assert torch.equal(used.get_state(), alone.get_state())


def ramps(count: int, side: int) -> torch.Tensor:
    """Each pixel holds its own x and y."""
    y, x = torch.meshgrid(torch.arange(float(side)), torch.arange(float(side)), indexing="ij")
    return torch.stack([x, y]).expand(count, -1, -1, -1)


def test_a_crop_is_square_within_the_image_and_of_any_place() -> None:
    cropped = augment(ramps(500, 40), AugmentationConfig(crop=0.5), generator())
    inner = cropped[:, :, 5:35, 5:35]  # at the very edge, replication flattens the ramp
    across, down = inner[:, 0].diff(dim=2), inner[:, 1].diff(dim=1)
    sides = across[:, :1, :1]
    assert torch.allclose(across, sides.expand_as(across), atol=1e-4)
    assert torch.allclose(down, sides.expand_as(down), atol=1e-4)
    assert sides.min() == pytest.approx(0.5, abs=0.01)
    assert sides.max() == pytest.approx(1, abs=0.01)
    centres = cropped.mean((2, 3)) - 19.5
    free = 20 * (1 - sides[:, 0])  # half of what is left
    assert (centres.abs() <= free + 0.05).all()
    assert (centres / free.clamp(min=0.1)).std(0) == pytest.approx([3**-0.5] * 2, abs=0.06)


def test_a_zoom_magnifies_about_the_centre_within_its_range() -> None:
    config = AugmentationConfig(zoom_least=1.25, zoom_most=2)
    zoomed = augment(ramps(500, 41), config, generator())
    assert zoomed[:, :, 20, 20] == pytest.approx(torch.full((500, 2), 20.0), abs=1e-3)
    across = zoomed[:, 0].diff(dim=2)
    assert torch.allclose(across, across[:, :1, :1].expand_as(across), atol=1e-4)
    sizes = 1 / across[:, 0, 0]
    assert [sizes.min().item(), sizes.max().item()] == pytest.approx([1.25, 2], abs=0.01)
    assert sizes.mean().item() == pytest.approx(1.625, abs=0.03)
    torch.testing.assert_close(zoomed[:, 1].diff(dim=1), across.mT)


def test_a_zoom_magnifies_the_shift_too() -> None:
    config = AugmentationConfig(shift=0.1, zoom_least=2, zoom_most=2)
    zoomed = augment(ramps(200, 41), config, generator())
    shifts = (zoomed[:, :, 20, 20] - 20).abs()  # in pixels of the image as it was
    assert shifts.max() == pytest.approx(4.1, abs=0.2)


def test_rotation_and_crop_are_one_transform() -> None:
    config = AugmentationConfig(rotation=30, crop=0.5, shift=0.1)
    changed = augment(ramps(500, 81), config, generator())[:, :, 40, 40:42].diff(dim=2)[:, :, 0]
    sides, angles = changed.norm(dim=1), torch.rad2deg(torch.atan2(changed[:, 1], changed[:, 0]))
    assert [sides.min().item(), sides.max().item()] == pytest.approx([0.5, 1], abs=0.02)
    assert [angles.min().item(), angles.max().item()] == pytest.approx([-30, 30], abs=1)


def test_erasing_fills_a_rectangle_of_some_images_with_noise() -> None:
    images = torch.full((2000, 3, 48, 48), 2.0).contiguous(memory_format=torch.channels_last)
    erased = augment(images, AugmentationConfig(erasing=0.4), generator())
    changed = (erased != 2).all(1)
    assert torch.equal(changed, (erased != 2).any(1))
    hit = changed.flatten(1).any(1)
    assert hit.float().mean() == pytest.approx(0.4, abs=0.04)
    height, width = (changed[hit].any(axis).sum(1) for axis in (2, 1))
    assert torch.equal(height * width, changed[hit].sum((1, 2)))  # a full rectangle
    areas, aspects = height * width / 48**2, height / width
    assert areas.min() >= 0.01
    assert areas.max() <= 0.36
    assert areas.mean() == pytest.approx(0.175, abs=0.02)
    assert aspects.min() >= 0.25
    assert aspects.max() <= 4
    assert (aspects > 1).float().mean().item() == pytest.approx(0.5, abs=0.05)
    noise = erased[erased != 2]
    assert [noise.min().item(), noise.max().item()] == pytest.approx([-1, 1], abs=1e-3)
    assert noise.std() == pytest.approx(3**-0.5, abs=0.01)
    assert changed.any(0).any(0).all()  # any column, and any row
    assert changed.any(0).any(1).all()


def test_equal_generators_erase_alike() -> None:
    config, images = AugmentationConfig(crop=0.8, erasing=0.5), torch.rand(8, 1, 16, 16)
    one, two = (augment(images, config, generator()) for _ in range(2))
    assert torch.equal(one, two)
    other = augment(images, config, torch.Generator().manual_seed(1))
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    "settings",
    [
        {"rotation": 181},
        {"shift": 1.0},
        {"crop": 0.0},
        {"crop": 1.1},
        {"erasing": -0.1},
        {"zoom_least": 0.9, "zoom_most": 1.1},
        {"zoom_least": 1.2, "zoom_most": 1.1},
    ],
)
def test_impossible_numbers_name_their_key(settings: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"data\.augmentation\."):
        AugmentationConfig(**settings)  # type: ignore[arg-type]
