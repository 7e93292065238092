"""The gamut: edits at their points, names at their angles, and nothing disturbed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fer_lightning.editing import batches, gamut
from fer_lightning.editing.gamut import RINGS, STEPS, disc_points, edits, gamut_sheet, spread
from fer_lightning.models.ganmut.config import Space
from tests.helpers.editing import tiny_editor

FULL_TILE = gamut.TILE


@pytest.fixture(autouse=True)
def _small_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gamut, "TILE", 30)


def face(channels: int = 3, size: int = 32) -> Tensor:
    return torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (size, size, channels), np.uint8)
    )


class Asked:
    """Notes the points at which a model is asked for edits."""

    def __init__(self, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.points: list[Tensor] = []
        edit = module.edit

        def noting(images: Tensor, points: Tensor) -> Tensor:
            self.points.append(points.cpu())
            return edit(images, points)  # type: ignore[no-any-return]

        monkeypatch.setattr(module, "edit", noting)


@pytest.mark.parametrize("space", Space)
def test_disc_and_strips_show_the_edits_of_their_points(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tiny_editor(space=space)
    asked = Asked(module, monkeypatch)
    gamut_sheet(module, face()[None])
    points = torch.cat(asked.points)
    disc, strips = points.split([len(disc_points()), 6 * len(STEPS)])
    learnt = module.directions()
    reach = max(1.0, *(float(point.norm()) for point in learnt.values()))
    assert disc.norm(dim=1).max() == pytest.approx(reach)
    assert sorted(set(disc.norm(dim=1).mul(RINGS / reach).round().int().tolist())) == [1, 2, 3, 4]
    strips = strips.reshape(6, len(STEPS), 2)
    for row, name in zip(strips, module.classes[1:], strict=True):
        assert torch.allclose(row[0], learnt["neutral"], atol=1e-6)
        assert torch.allclose(row[-1], learnt[name], atol=1e-6)
        middle = 0.4 * learnt[name] + 0.6 * learnt["neutral"]
        assert torch.allclose(row[2], middle, atol=1e-6)


def test_a_space_without_angles_and_gray_faces_have_strips_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = tiny_editor(channels=1, dimension=3)
    asked = Asked(module, monkeypatch)
    sheet = gamut_sheet(module, face(channels=1)[None])
    assert len(torch.cat(asked.points)) == 6 * len(STEPS)
    flat = gamut_sheet(tiny_editor(channels=1), face(channels=1)[None])
    assert flat.width > 1.9 * sheet.width
    pixels = np.asarray(sheet).astype(int)
    assert np.ptp(pixels, axis=2).max() == 0  # without colours


def test_each_face_has_its_part() -> None:
    module = tiny_editor(dimension=3)
    pale = face() // 4 + 160
    one = gamut_sheet(module, pale[None])
    two = gamut_sheet(module, torch.stack([pale, 255 - pale]))
    assert two.width == one.width
    assert two.height == pytest.approx(2 * one.height, abs=1)
    halves = np.asarray(two)[: one.height], np.asarray(two)[-one.height :]
    assert np.abs(halves[0].astype(int) - np.asarray(one)).mean() < 8
    assert np.abs(halves[1].astype(int) - np.asarray(one)).mean() > 16


def test_edits_are_those_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 3)
    module = tiny_editor(channels=1)
    points = torch.linspace(-1, 1, 10).reshape(5, 2)
    image = face(channels=1)
    found = edits(module, image, points)
    assert found.shape == (5, 32, 32, 3)
    shown = (image.float() / 127.5 - 1).permute(2, 0, 1).expand(5, 1, 32, 32)
    wanted = module.edit(shown, points)[:, 0]
    assert np.abs((wanted.numpy() + 1) * 127.5 - found[..., 1]).max() <= 0.51


def test_drawing_disturbs_nothing() -> None:
    module = tiny_editor().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.get_rng_state()
    one = gamut_sheet(module, face()[None])
    assert (np.asarray(one) == np.asarray(gamut_sheet(module, face()[None]))).all()
    assert module.generator.training
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_no_name_is_cut_at_the_borders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gamut, "TILE", FULL_TILE)  # names do not shrink with the tiles
    module = tiny_editor()
    angles = torch.arange(1, 7) * math.pi / 3  # two lie level with the centre, one at each side
    around = torch.stack([angles.cos(), angles.sin()], 1)
    places = dict(zip(module.classes, [torch.zeros(2), *around], strict=True))
    monkeypatch.setattr(module, "directions", lambda: places)
    sheet = np.asarray(gamut_sheet(module, face()[None]))
    disc = sheet[:, : sheet.shape[0]]
    for border in (disc[0], disc[-1], disc[:, 0], disc[:, -1]):
        assert (border == 255).all()


@pytest.mark.parametrize(
    "angles",
    [
        [0.0],
        [0.1, 0.12, 0.11],
        [6.2, 0.05, 6.25, 3.0],
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        [-3.1, 3.1, -3.0, 0.4],
    ],
)
def test_names_are_moved_apart(angles: list[float]) -> None:
    apart = math.radians(17)
    moved = np.array(spread(angles, apart))
    around = np.sort(np.mod(moved, 2 * np.pi))
    gaps = np.diff(around, append=around[0] + 2 * np.pi)
    assert gaps.min() > apart - 1e-6
    order = np.argsort(np.mod(angles, 2 * np.pi), kind="stable")
    steps = np.mod(np.diff(moved[order], append=moved[order][0]), 2 * np.pi)
    assert len(angles) == 1 or steps.sum() == pytest.approx(2 * np.pi)  # in the same order


def test_names_that_are_apart_stay_where_they_are() -> None:
    angles = [0.2, 1.4, 3.0, -1.1]
    assert np.cos(spread(angles, 0.3)) == pytest.approx(np.cos(angles))
    assert np.sin(spread(angles, 0.3)) == pytest.approx(np.sin(angles))
