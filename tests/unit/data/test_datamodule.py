"""The data layer: classes, parts, extra archives, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fer_lightning.data.corpora.base import SplitConfig, SplitScheme
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from tests.helpers.small import class_folders, small_archive


def module(data: Folder, channels: int | None = None, size: int = 16) -> FaceDataModule:
    faces = FaceDataModule(data, WholeImageConfig(), size, channels, seed=0)
    faces.setup()
    return faces


def test_it_prepares_what_is_missing(tmp_path: Path) -> None:
    faces = module(Folder(root=class_folders(tmp_path / "f"), batch_size=4), channels=1)
    assert faces.faces.classes == ["happiness", "sadness", "anger"]
    assert faces.class_counts == [10, 10, 10]
    batch = next(iter(faces.train_dataloader()))
    assert batch.images.shape == (4, 1, 16, 16)
    assert batch.images.dtype is torch.float32


def test_official_parts_and_extra_training_data(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    small_archive(tmp_path / "b", count=30, seed=3)
    official = SplitConfig(scheme=SplitScheme.official)
    data = Folder(archive=tmp_path / "a", extra=[tmp_path / "b"], split=official, batch_size=4)
    faces = module(data)
    sizes = {part: len(rows) for part, rows in faces.division.items()}
    assert sizes == {"train": 42 + 24, "val": 9, "test": 9}
    seen = torch.cat([batch.images for batch in faces.val_dataloader()])
    assert len(seen) == 9


@pytest.mark.parametrize(
    ("channels", "size", "message"),
    [(3, 16, r"channels=3, but .* pass channels=1"), (1, 32, r"image_size=32.*image_size=16")],
)
def test_an_archive_that_does_not_fit_is_refused(
    tmp_path: Path, channels: int, size: int, message: str
) -> None:
    small_archive(tmp_path / "a")
    with pytest.raises(UserError, match=message):
        module(Folder(archive=tmp_path / "a"), channels, size)


def test_extra_archives_must_fit_too(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    small_archive(tmp_path / "b", channels=3)
    with pytest.raises(UserError, match=r"channels=1, but .*b holds faces of 3"):
        module(Folder(archive=tmp_path / "a", extra=[tmp_path / "b"]))


def test_rows_that_another_corpus_tests_by_are_not_trained_on(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    tested = small_archive(tmp_path / "b", count=30, seed=3)
    faces = module(Folder(archive=tmp_path / "a", extra=[tmp_path / "b"], batch_size=4))
    extra = faces.division["train"][faces.division["train"] >= 60] - 60
    assert {tested.column("split")[row] for row in extra} == {"train"}


def test_a_models_classes_need_no_training_part(tmp_path: Path) -> None:
    small_archive(tmp_path / "a", count=12, splits=("test",))
    data = Folder(archive=tmp_path / "a")
    faces = FaceDataModule(data, WholeImageConfig(), 16, 1, seed=0, classes=["anger", "fear"])
    faces.setup()
    assert faces.classes == ["anger", "fear"]
    assert {part: len(rows) for part, rows in faces.division.items()} == {
        "train": 0, "val": 0, "test": 4,
    }  # fmt: skip
    assert {part: len(rows) for part, rows in faces.parts.items()} == {
        "train": 0, "val": 0, "test": 12, "all": 12,
    }  # fmt: skip
    assert faces.class_counts == [0, 0]
    with pytest.raises(UserError, match="no train images"):
        module(data)


def test_the_same_faces_twice_are_refused(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    with pytest.raises(UserError, match="the very faces of another"):
        module(Folder(archive=tmp_path / "a", extra=[tmp_path / "a"], batch_size=4))


def test_a_batch_larger_than_the_data_is_refused(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    with pytest.raises(UserError, match=r"data\.batch_size=64 exceeds the 42"):
        module(Folder(archive=tmp_path / "a"))
