"""Grids, curves and matrices hold what they were given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

from fer_lightning.pictures import (
    confusion_picture,
    labelled_grid,
    loss_curves,
    roc_picture,
    shares_picture,
)


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
    loss_curves(
        rows, {"loss": {"a": "one", "b": "two", "c": "three"}}, tmp_path / "curves.png", "title"
    )
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (800, 450)


EIGHT = ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"]


def test_cells_show_shares_of_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: dict[tuple[int, int], list[str]] = {}
    plain = Axes.text

    def text(self: Axes, x: float, y: float, s: str, **settings: object) -> object:
        written.setdefault((round(y), round(x)), []).append(s)
        return plain(self, x, y, s, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(Axes, "text", text)
    matrix = np.array([[1500, 500, 0], [1, 2, 0], [0, 0, 0]])
    path = confusion_picture(matrix, ["fear", "anger", "contempt"], tmp_path / "m.png", "title")
    assert path.is_file()
    assert written[0, 0] == ["75.0%", "1,500"]
    assert written[0, 1] == ["25.0%", "500"]
    assert written[1, 0] == ["33.3%", "1"]
    assert written[0, 2] == ["0.0%", "0"]
    assert {row for row, _ in written} == {0, 1}  # a row without images has no shares


def test_right_answers_are_the_darkest(tmp_path: Path) -> None:
    path = confusion_picture(np.eye(8, dtype=np.int64) * 7, EIGHT, tmp_path / "m.png", "a " * 200)
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    dark = (pixels[..., 2] - pixels[..., 0] > 60) & (pixels[..., 2] < 150)
    rows, columns = np.nonzero(dark)
    assert 0.08 < dark.mean() < 0.13  # eight cells of the 64, without the margins
    assert np.corrcoef(rows, columns)[0, 1] > 0.95


def test_every_class_has_a_panel_with_its_curves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[str | None, str]] = []
    plain = Axes.set_title

    def set_title(self: Axes, label: str, **settings: object) -> object:
        legend = self.get_legend()
        names = [text.get_text() for text in legend.get_texts()] if legend else [None]
        drawn.extend((name, label) for name in names)
        return plain(self, label, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(Axes, "set_title", set_title)
    curve = (np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.9, 1.0]), 0.7)
    panels = {f"AU{n}": {"random folds": curve, "grouped folds": curve} for n in range(13)}
    path = roc_picture({**panels, "AU27": {}}, tmp_path / "roc.png", "title")
    assert len(drawn) == 27
    assert ("0.700 random folds", "AU12") in drawn
    assert (None, "AU27") in drawn
    with Image.open(path) as picture:
        assert picture.width > 1200
        assert picture.height > 1200


def test_every_answer_has_a_bar_of_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights: dict[str, list[float]] = {}
    plain = Axes.bar

    def bar(self: Axes, *given: object, **settings: object) -> object:
        heights[str(settings["label"])] = list(np.asarray(given[1]))
        return plain(self, *given, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(Axes, "bar", bar)
    shares = {"true": np.array([0.5, 0.5, 0]), "answered": np.array([0, 0.25, 0.75])}
    path = shares_picture(shares, ["fear", "anger", "contempt"], tmp_path / "b.png", "title")
    assert heights == {"true": [50, 50, 0], "answered": [0, 25, 75]}
    with Image.open(path) as picture:
        assert picture.width > 400
