import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_lightning.detectors.background import FACE_OUTLINE, black_outside, coverage, ellipse
from fer_lightning.detectors.crop import TEMPLATE
from tests.conftest import REPOSITORY


def test_the_outline_is_convex_symmetric_and_clockwise() -> None:
    along = np.roll(FACE_OUTLINE, -1, axis=0) - FACE_OUTLINE
    following = np.roll(along, -1, axis=0)
    turns = along[:, 0] * following[:, 1] - along[:, 1] * following[:, 0]
    assert (turns > 0).all()
    mirrored = {(round(1 - x, 6), round(y, 6)) for x, y in FACE_OUTLINE}
    assert mirrored == {(round(x, 6), round(y, 6)) for x, y in FACE_OUTLINE}
    assert len(mirrored) == len(FACE_OUTLINE) == 20


def test_the_outline_holds_the_features_with_room_for_brows_and_chin() -> None:
    kept = coverage(FACE_OUTLINE * 120, 140, 120)
    columns, rows = (TEMPLATE * 120).astype(int).T
    assert (kept[rows, columns] == 1).all()
    between_eyes = TEMPLATE[1, 0] - TEMPLATE[0, 0]
    top, bottom = FACE_OUTLINE[:, 1].min(), FACE_OUTLINE[:, 1].max()
    assert top < TEMPLATE[:2, 1].min() - between_eyes / 2
    assert bottom > TEMPLATE[3:, 1].max() + between_eyes / 2


def test_a_pixel_counts_by_how_much_of_it_is_covered() -> None:
    square = np.array([[1.25, 1], [4.5, 1], [4.5, 5], [1.25, 5]])
    kept = coverage(square, 6, 7)
    assert kept[2].tolist() == [0, 0.75, 1, 1, 0.5, 0, 0]
    assert kept[:, 2].tolist() == [0, 1, 1, 1, 1, 0]


def test_the_ellipse_fits_its_box() -> None:
    outline = ellipse(np.array([10, 20, 40, 30], np.float32))
    assert outline.min(0).tolist() == pytest.approx([10, 20])
    assert outline.max(0).tolist() == pytest.approx([40, 30])
    np.testing.assert_allclose((((outline - [25, 25]) / [15, 5]) ** 2).sum(1), 1)
    assert coverage(outline, 50, 50).sum() == pytest.approx(np.pi * 15 * 5, rel=0.01)


def test_outside_is_black_and_inside_as_it_was() -> None:
    image = np.random.default_rng(0).integers(1, 256, (20, 30, 3), dtype=np.uint8)
    left_half = np.array([[0, 0], [0.5, 0], [0.5, 1], [0, 1]])
    kept = black_outside(image, left_half)
    np.testing.assert_array_equal(kept[1:-1, 1:15], image[1:-1, 1:15])
    assert (kept[:, 15:] == 0).all()
    assert kept.dtype == np.uint8


@pytest.mark.slow
def test_the_picture_of_the_documentation_is_drawn(tmp_path: Path) -> None:
    pictures = REPOSITORY / "docs" / "pictures"
    script = [sys.executable, str(pictures / "background.py"), str(tmp_path)]
    subprocess.run(script, check=True, cwd=REPOSITORY)
    name = "background.png"
    with Image.open(tmp_path / name) as drawn, Image.open(pictures / name) as shown:
        assert drawn.height == shown.height
        # The labels are as wide as this machine's font; the crops stand to their right.
        crops = [np.asarray(picture)[:, -715:].astype(int) for picture in (drawn, shown)]
    assert np.abs(crops[0] - crops[1]).mean() < 2
