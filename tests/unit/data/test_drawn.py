from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_lightning.data.drawn import (
    DRAWN_ACTION_UNITS,
    FaceParameters,
    Identity,
    Light,
    View,
    draw_face,
    emotion_action_units,
    generator,
    sample_background,
    sample_identity,
    sample_light,
    sample_view,
)
from fer_lightning.labels import EMOTION_ACTION_UNITS, EMOTIONS

SIZE = 128
PLAIN = FaceParameters(
    identity=Identity(fringe=0.0), view=View(scale=0.8), light=Light(grain=0.0, azimuth=20)
)


def changed(unit: int, one_sided: float = 0.0) -> NDArray[np.float64]:
    """How much an action unit at full strength changes each pixel, (SIZE, SIZE)."""
    moved = replace(PLAIN, action_units={unit: 1.0}, one_sided=one_sided)
    difference = draw_face(moved, SIZE).astype(float) - draw_face(PLAIN, SIZE)
    total: NDArray[np.float64] = np.abs(difference).sum(axis=2)
    return total


def rows_between(top: float, bottom: float) -> slice:
    """Rows of the picture between two heights, in head units."""
    first, last = ((0.5 + 0.5 * PLAIN.view.scale * y) * SIZE for y in (top, bottom))
    return slice(int(first), int(last) + 1)


def sampled(number: int) -> FaceParameters:
    return FaceParameters(
        identity=sample_identity(generator(0, "identity", number)),
        view=sample_view(generator(0, "view", number)),
        light=sample_light(generator(0, "light", number)),
        background=sample_background(generator(0, "background", number)),
    )


@pytest.mark.parametrize("size", [16, 17, 48, 128, 200])
def test_picture_has_the_size_that_was_asked_for(size: int) -> None:
    picture = draw_face(PLAIN, size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert picture.std() > 20


def test_size_too_small() -> None:
    with pytest.raises(ValueError, match="size=15"):
        draw_face(PLAIN, 15)


def test_small_and_large_pictures_show_the_same() -> None:
    large = draw_face(PLAIN, 192).reshape(48, 4, 48, 4, 3).mean(axis=(1, 3))
    assert np.abs(large - draw_face(PLAIN, 48)).mean() < 3


def test_drawing_is_deterministic() -> None:
    for number in range(3):
        assert (draw_face(sampled(number), 64) == draw_face(sampled(number), 64)).all()


def test_persons_poses_and_rooms_differ() -> None:
    pictures = {draw_face(sampled(number), 32).tobytes() for number in range(12)}
    assert len(pictures) == 12


@pytest.mark.parametrize(
    ("unit", "top", "bottom"),
    [
        (1, -0.6, -0.05),
        (2, -0.6, -0.05),
        (4, -0.4, 0.05),
        (5, -0.2, 0.1),
        (6, -0.1, 0.45),
        (7, -0.2, 0.15),
        (9, -0.3, 0.65),
        (12, 0.15, 0.8),
        (15, 0.45, 0.85),
        (17, 0.5, 1.0),
        (23, 0.4, 0.8),
        (24, 0.4, 0.8),
        (25, 0.5, 0.8),
        (27, 0.3, 1.2),
    ],
)
def test_action_unit_moves_its_part_of_the_face(unit: int, top: float, bottom: float) -> None:
    difference = changed(unit)
    assert (difference > 40).sum() > 40, "hardly visible"
    assert difference[rows_between(top, bottom)].sum() > 0.9 * difference.sum()


def test_every_action_unit_of_the_table_is_drawn() -> None:
    assert DRAWN_ACTION_UNITS == (1, 2, 4, 5, 6, 7, 9, 12, 15, 17, 23, 24, 25, 27)
    assert changed(14).sum() == 0


@pytest.mark.parametrize("unit", DRAWN_ACTION_UNITS)
def test_change_grows_with_intensity(unit: int) -> None:
    rest = draw_face(PLAIN, 64).astype(float)
    changes = [
        np.abs(draw_face(replace(PLAIN, action_units={unit: level}), 64) - rest).sum()
        for level in (0.25, 0.5, 0.75, 1.0)
    ]
    assert changes == sorted(changes)
    assert changes[0] > 0


def test_one_sided_smile_leaves_the_other_side_alone() -> None:
    left, right = (changed(12, side).sum(axis=0) for side in (-1, 1))
    middle = SIZE // 2
    assert left[: middle - 2].sum() > 5 * left[middle + 2 :].sum()
    assert right[middle + 2 :].sum() > 5 * right[: middle - 2].sum()


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_emotion_has_the_action_units_of_the_table(emotion: str) -> None:
    units = emotion_action_units(emotion, 0.8, np.random.default_rng(1))
    assert tuple(units) == DRAWN_ACTION_UNITS
    active = tuple(unit for unit, value in units.items() if value > 0)
    assert active == EMOTION_ACTION_UNITS[emotion]
    assert all(0.8 * 0.85 - 1e-4 <= units[unit] <= 0.8 for unit in active)


def test_poses_are_moderate_and_drift_smoothly() -> None:
    for number in range(50):
        start, middle, end = (
            sample_view(generator(0, "view", number), moment) for moment in (0.0, 0.5, 1.0)
        )
        assert abs(start.yaw) <= 20
        assert abs(start.pitch) <= 10
        assert abs(start.roll) <= 12
        assert min(start.yaw, end.yaw) <= middle.yaw <= max(start.yaw, end.yaw)
        assert (start.x, start.y, start.scale) == (end.x, end.y, end.scale)


def test_a_turn_moves_the_nose_towards_its_side() -> None:
    def column_of_nostrils(yaw: float) -> float:
        turned = replace(PLAIN, view=replace(PLAIN.view, yaw=yaw), light=Light(azimuth=0, grain=0))
        band = draw_face(turned, SIZE)[rows_between(0.36, 0.46), 36:-36].mean(axis=2)
        return float(np.nonzero(band < 90)[1].mean()) + 36

    left, middle, right = (column_of_nostrils(yaw) for yaw in (-15.0, 0.0, 15.0))
    assert abs(middle - SIZE / 2) < 2
    assert left < middle - 6
    assert right > middle + 6


def test_importing_the_renderer_imports_no_torch() -> None:
    code = (
        "import sys, fer_lightning.data.drawn; assert 'torch' not in sys.modules;"
        "assert 'pyarrow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
