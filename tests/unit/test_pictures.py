"""Grids and curves hold what they were given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_lightning.pictures import labelled_grid, loss_curves


@pytest.mark.parametrize("channels", [1, 3])
def test_every_face_stands_in_its_row(channels: int) -> None:
    rows = [np.full((3, 16, 16, channels), shade, np.uint8) for shade in (10, 200)]
    pixels = np.asarray(labelled_grid(rows, ["fear", "anger"]))
    for row, shade in enumerate((10, 200)):
        face = pixels[row * 66 + 10 : row * 66 + 60, -190:-10]
        assert (face == shade).mean() > 0.9
    assert (pixels[:, :20] < 128).any()  # the labels


def test_curves_skip_empty_cells(tmp_path: Path) -> None:
    rows = [{"images_seen": "1", "a": "2.0", "b": ""}, {"images_seen": "2", "a": "", "b": ""}]
    loss_curves(rows, {"a": "one", "b": "two", "c": "three"}, tmp_path / "curves.png", "title")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (800, 450)
