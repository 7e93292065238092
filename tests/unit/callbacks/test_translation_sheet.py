"""Translation sheets: source, translation and nearest target, a row an emotion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fer_lightning.callbacks.translation_sheet import BAND, TranslationSheet, translation_sheet
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.models.egc_gan.config import EGCGANConfig, Encoder
from tests.helpers.small import small_archive

STEP = 2 + 64  # a face of 32 pixels at twice its size, and a gap
COLUMNS = 3
Faces = NDArray[np.uint8]


def domain(folder: Path, seed: int, count: int = 60) -> FaceDataModule:
    archive = small_archive(folder, count, size=32, seed=seed).path
    faces = FaceDataModule(Folder(archive=archive, batch_size=8), WholeImageConfig(), 32, 1, 0)
    faces.setup()
    return faces


@pytest.fixture(scope="module")
def domains(tmp_path_factory: pytest.TempPathFactory) -> tuple[FaceDataModule, FaceDataModule]:
    folder = tmp_path_factory.mktemp("domains")
    return domain(folder / "source", 0, count=120), domain(folder / "target", 1)


def translator(source: FaceDataModule) -> Any:
    config = EGCGANConfig(encoder=Encoder.lite, code_dim=8, width=2, classifier_weight=0)
    return config.build(source.faces, 0)


def blocks(sheet: TranslationSheet, module: Any) -> Faces:
    """Faces of the sheet, (emotions, 3 blocks, columns, 32, 32)."""
    picture = sheet.grid(module).convert("L")
    pixels = np.asarray(picture)[BAND:]
    rows = len(module.classes)
    assert len(pixels) == rows * STEP + 2
    left = picture.width - 2 - (3 * COLUMNS + 2) * STEP
    found = [
        [
            pixels[2 + y * STEP :, left + x * STEP :][:64:2, :64:2]
            for x in range(3 * COLUMNS + 2)
            if x % (COLUMNS + 1) != COLUMNS
        ]
        for y in range(rows)
    ]
    return np.array(found).reshape(rows, 3, COLUMNS, 32, 32)


def places(faces: FaceDataModule, images: Faces) -> NDArray[np.int64]:
    """Rows of an archive that show these images."""
    every = faces.archives[0].faces[..., 0]
    equal = (images.reshape(-1, 1, 32, 32) == every[None]).all((2, 3))
    assert (equal.sum(1) == 1).all()
    return equal.argmax(1)


def test_a_row_shows_an_emotions_sources_translations_and_nearest_targets(
    domains: tuple[FaceDataModule, FaceDataModule],
) -> None:
    source, target = domains
    module = translator(source)
    found = blocks(TranslationSheet(Path(), 1, *domains, seed=0, columns=COLUMNS), module)
    shown = places(source, found[:, 0])
    assert np.isin(shown, source.division["val"]).all()
    assert (source.labels[shown] == np.repeat([0, 1, 2], COLUMNS)).all()
    images = torch.from_numpy(found[:, 0].reshape(-1, 1, 32, 32)).float() / 127.5 - 1
    made = module.translate(images).numpy().reshape(found[:, 1].shape)
    assert np.abs((made + 1) * 127.5 - found[:, 1]).max() <= 0.51
    near = places(target, found[:, 2])
    trained = target.division["train"]
    assert np.isin(near, trained).all()
    # By area averages of 2 x 2 pixels.
    small = lambda faces: faces.reshape(-1, 16, 2, 16, 2).mean((2, 4))  # noqa: E731
    every = small(target.archives[0].faces[trained].astype(float))
    distances = np.square(small(found[:, 1].astype(float))[:, None] - every[None]).sum((2, 3))
    assert (trained[distances.argmin(1)] == near).all()


def test_sheets_of_a_run_show_the_same_sources_and_disturb_nothing(
    domains: tuple[FaceDataModule, FaceDataModule],
) -> None:
    module = translator(domains[0]).train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    drawn = torch.get_rng_state()
    sheets = [TranslationSheet(Path(), 1, *domains, seed=s, columns=COLUMNS) for s in (0, 0, 1)]
    one, same, other = (blocks(sheet, module) for sheet in sheets)
    assert (one == same).all()
    assert not (one[:, 0] == other[:, 0]).all()
    assert module.generator.training
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), drawn)


def test_fewer_faces_than_columns_leave_blanks(tmp_path: Path) -> None:
    source, target = domain(tmp_path / "source", 2, count=36), domain(tmp_path / "target", 3)
    # Without validation faces it shows trained ones; and of this emotion there are two.
    source.division["val"] = source.division["val"][:0]
    rows = source.division["train"]
    rare = rows[source.labels[rows] == 0]
    source.division["train"] = np.setdiff1d(rows, rare[2:])
    sheet = TranslationSheet(Path(), 1, source, target, seed=0, columns=COLUMNS)
    found = blocks(sheet, translator(source))
    assert (found[0, :, 2] == 255).all()
    assert sorted(places(source, found[0, 0, :2])) == sorted(rare[:2])
    assert not (found[1:] == 255).all((3, 4)).any()


def test_without_target_faces_or_an_emotion_the_rest_is_shown(
    domains: tuple[FaceDataModule, FaceDataModule],
) -> None:
    source, target = domains
    module = translator(source)
    rows = source.division["test"]
    chosen = [rows[source.labels[rows] == number][:COLUMNS] for number in (0, 1)]
    chosen.append(rows[:0])
    whole = translation_sheet(module, source, chosen, target, COLUMNS)
    less = translation_sheet(module, source, chosen, None, COLUMNS)
    assert whole.height == less.height == BAND + 2 * STEP + 2
    assert whole.width - less.width == (COLUMNS + 1) * STEP
    shared = less.width - 2
    pixels = [np.asarray(sheet)[:, :shared] for sheet in (whole, less)]
    assert (pixels[0] == pixels[1]).all()
