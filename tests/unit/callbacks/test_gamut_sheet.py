"""Gamut sheets while training: of the same held-out faces, neutral where there are such."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from fer_lightning.callbacks import gamut_sheet as sheets
from fer_lightning.callbacks.gamut_sheet import GamutSheet
from fer_lightning.config.schema import TrainerConfig
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.editing import gamut
from fer_lightning.fitting import _pictures
from fer_lightning.models.ganmut.config import GANmutConfig
from tests.helpers.editing import tiny_editor
from tests.helpers.small import small_archive

CLASSES = ("neutral", "happiness", "anger")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceDataModule:
    place = tmp_path_factory.mktemp("faces") / "archive"
    archive = small_archive(place, 90, size=32, emotions=CLASSES).path
    module = FaceDataModule(Folder(archive=archive, batch_size=8), WholeImageConfig(), 32, 1, 0)
    module.setup()
    return module


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """The faces of each sheet that is drawn."""
    found: list[Tensor] = []
    draw = gamut.gamut_sheet

    def noting(module: Any, faces: Tensor) -> Any:
        found.append(faces)
        return draw(module, faces)

    monkeypatch.setattr(gamut, "TILE", 24)
    monkeypatch.setattr(sheets, "gamut_sheet", noting)
    return found


def rows(faces: FaceDataModule, images: Tensor) -> list[int]:
    every = faces.archives[0].faces
    return [int((every == image.numpy()).all((1, 2, 3)).argmax()) for image in images]


def test_the_same_held_out_neutral_faces_every_time(
    faces: FaceDataModule, shown: list[Tensor]
) -> None:
    module = tiny_editor(channels=1, classes=CLASSES)
    drawn = [GamutSheet(Path(), 1, faces, seed).grid(module) for seed in (0, 0, 1)]
    chosen = [rows(faces, images) for images in shown]
    assert chosen[0] == chosen[1] != chosen[2]
    assert (np.asarray(drawn[0]) == np.asarray(drawn[1])).all()
    for each in chosen:
        assert len(set(each)) == 2
        assert np.isin(each, faces.division["val"]).all()
        assert (faces.labels[each] == 0).all()


def test_without_neutral_or_held_out_faces_others_are_shown(
    faces: FaceDataModule, shown: list[Tensor]
) -> None:
    module = tiny_editor(channels=1, classes=CLASSES)
    parts = dict(faces.division)
    few: Any = SimpleNamespace(archives=faces.archives, labels=faces.labels, division=parts)
    val = parts["val"]
    parts["val"] = val[faces.labels[val] > 0]
    GamutSheet(Path(), 1, few, 0).grid(module)
    parts["val"] = val[:0]
    GamutSheet(Path(), 1, few, 0).grid(module)
    one, other = (rows(faces, images) for images in shown)
    assert np.isin(one, val).all()
    assert np.isin(other, parts["train"]).all()
    assert (faces.labels[other] == 0).all()


def test_a_model_that_edits_has_this_sheet(faces: FaceDataModule, tmp_path: Path) -> None:
    config: Any = SimpleNamespace(
        model=GANmutConfig(depth=4), trainer=TrainerConfig(sample_images=7), seed=3
    )
    folder: Any = SimpleNamespace(samples=tmp_path)
    (sheet,) = _pictures(config, faces, folder)
    assert isinstance(sheet, GamutSheet)
    assert (sheet.interval, sheet.seed, sheet.folder) == (7, 3, tmp_path)
