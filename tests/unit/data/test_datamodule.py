"""The data layer: classes, parts, extra archives, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fer_lightning.config.plain import identity
from fer_lightning.data.corpora.base import AugmentationConfig, SplitConfig, SplitScheme
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


def test_extra_archives_are_of_one_size(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    small_archive(tmp_path / "b", size=24)
    with pytest.raises(UserError, match=r"image_size=16, but .*b holds faces of 24"):
        module(Folder(archive=tmp_path / "a", extra=[tmp_path / "b"]))


def test_an_emotion_of_extra_rows_alone_becomes_a_class(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    small_archive(tmp_path / "b", count=9, splits=("train",), emotions=("fear", "anger"))
    faces = module(Folder(archive=tmp_path / "a", extra=[tmp_path / "b"], batch_size=4))
    assert faces.classes == ["happiness", "sadness", "fear", "anger"]
    assert faces.class_counts == [14, 14, 5, 14 + 4]


def test_a_model_is_told_how_many_images_each_class_has(tmp_path: Path) -> None:
    small_archive(tmp_path / "a", emotions=("fear", "anger", "fear"))
    for balance, frequencies in ((False, [28, 14]), (True, [1, 1])):
        faces = module(Folder(archive=tmp_path / "a", balance=balance, batch_size=4)).faces
        assert list(faces.counts) == [28, 14]
        assert list(faces.frequencies) == frequencies


def test_extra_rows_everywhere_are_pooled_before_the_division(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    small_archive(tmp_path / "b", count=30, seed=3, splits=("train",))
    both = {"archive": tmp_path / "a", "extra": [tmp_path / "b"], "batch_size": 4}
    apart = module(Folder(**both))
    assert apart.own_rows == 60
    assert not (apart.division["test"] >= apart.own_rows).any()
    pooled = module(Folder(**both, extra_everywhere=True))
    sizes = {part: len(rows) for part, rows in pooled.division.items()}
    assert sizes == {"train": 72, "val": 9, "test": 9}
    together = np.concatenate(list(pooled.division.values()))
    assert sorted(together.tolist()) == list(range(90))
    assert (pooled.division["test"] >= pooled.own_rows).any()
    by_name = module(
        Folder(**both, extra_everywhere=True, split=SplitConfig(scheme=SplitScheme.stratified))
    )
    assert all((by_name.division[part] == rows).all() for part, rows in pooled.division.items())


def test_later_keys_leave_the_names_of_earlier_runs_alone() -> None:
    plain = identity(Folder())
    assert not {"extra_everywhere", "soft_labels"} & plain.keys()
    assert plain["augmentation"].keys() == {"flip", "rotation", "shift"}
    changed = identity(Folder(soft_labels=True, augmentation=AugmentationConfig(erasing=0.5)))
    assert changed["soft_labels"] is True
    assert changed["augmentation"]["erasing"] == 0.5


def test_pooling_is_refused_where_it_has_no_meaning(tmp_path: Path) -> None:
    official = SplitConfig(scheme=SplitScheme.official)
    with pytest.raises(UserError, match=r"scheme=official: .* pass data\.split\.scheme=stratified"):
        Folder(extra=[tmp_path], extra_everywhere=True, split=official)
    with pytest.raises(UserError, match=r"extra_everywhere=true needs data\.extra"):
        Folder(extra_everywhere=True)


def test_soft_labels_come_with_every_batch(tmp_path: Path) -> None:
    votes = [{"happiness": 0.5, "sadness": 0.25, "contempt": 0.25}, None]
    small_archive(tmp_path / "a", votes=votes)
    data = Folder(archive=tmp_path / "a", soft_labels=True, batch_size=9)
    faces = module(data)
    for loader in (faces.val_dataloader(), faces.train_dataloader()):
        batch = next(iter(loader))
        assert batch.targets is not None
        assert batch.targets.dtype is torch.float32
        shared = torch.tensor([2 / 3, 1 / 3, 0])
        voted = (batch.targets == shared).all(1)
        assert 0 < voted.sum() < len(batch)
        one_hot = torch.nn.functional.one_hot(batch.emotions, 3)
        assert (batch.targets == one_hot)[~voted].all()
    hard = module(Folder(archive=tmp_path / "a", batch_size=9))
    assert next(iter(hard.val_dataloader())).targets is None


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


def unlabelled(data: Folder, classes: list[str] | None = None) -> FaceDataModule:
    faces = FaceDataModule(data, WholeImageConfig(), 16, 1, 0, classes, labelled=False)
    faces.setup()
    return faces


def test_a_model_without_labels_gets_every_row(tmp_path: Path) -> None:
    small_archive(tmp_path / "a", emotions=("fear", None, None, "anger"))
    data = Folder(archive=tmp_path / "a", batch_size=4)
    faces = unlabelled(data)
    sizes = {part: len(rows) for part, rows in faces.division.items()}
    assert sizes == {"train": 42, "val": 9, "test": 9}
    assert len(faces.parts["all"]) == 60
    described = faces.faces
    assert (described.classes, described.frequencies, described.counts) == ([], [], [])
    batch = next(iter(faces.train_dataloader()))
    assert (batch.emotions == -1).all()
    assert len(module(data).parts["all"]) == 30
    assert len(unlabelled(data, classes=[]).parts["all"]) == 60


def test_faces_that_nobody_has_labelled_will_do_for_it(tmp_path: Path) -> None:
    small_archive(tmp_path / "a", emotions=(None,), splits=(None,))
    data = Folder(archive=tmp_path / "a", batch_size=4)
    sizes = {part: len(rows) for part, rows in unlabelled(data).division.items()}
    assert sizes == {"train": 48, "val": 6, "test": 6}
    with pytest.raises(UserError, match="learns from labelled images"):
        module(data)


def test_one_emotion_alone_is_a_class_even_without_labels(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    whole = module(Folder(archive=tmp_path / "a", batch_size=4))
    data = Folder(archive=tmp_path / "a", batch_size=4, only=["sadness"])
    for faces in (unlabelled(data), module(data)):
        assert faces.classes == ["sadness"]
        assert faces.class_counts == [14]
        for part, rows in faces.division.items():
            sad = [row for row in whole.division[part] if whole.emotions[row] == "sadness"]
            assert rows.tolist() == sad
        assert len(faces.parts["all"]) == 20
        assert (next(iter(faces.train_dataloader())).emotions == 0).all()


def test_only_some_emotions_leave_every_row_in_its_part(tmp_path: Path) -> None:
    small_archive(tmp_path / "a", splits=(None,))
    whole = module(Folder(archive=tmp_path / "a", batch_size=4))
    data = Folder(archive=tmp_path / "a", batch_size=4, only=["anger", "happiness"])
    labelled, free = module(data), unlabelled(data)
    assert labelled.classes == ["happiness", "anger"]
    assert free.classes == []
    for part, rows in whole.division.items():
        kept = [row for row in rows if whole.emotions[row] != "sadness"]
        assert labelled.division[part].tolist() == free.division[part].tolist() == kept
    measured = FaceDataModule(data, WholeImageConfig(), 16, 1, 0, ["sadness", "anger"])
    measured.setup()
    assert {measured.emotions[row] for row in measured.division["test"]} == {"anger"}


def test_emotions_that_are_not_there_are_refused(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    with pytest.raises(UserError, match=r"data\.only=\[joy\]: .*'joy'; choose from neutral, happ"):
        Folder(only=["joy"])
    data = Folder(archive=tmp_path / "a", only=["fear"])
    with pytest.raises(UserError, match=r"of fear; known are happiness, sadness, anger$"):
        module(data)


def test_classes_cannot_be_balanced_where_there_are_none(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    balanced = Folder(archive=tmp_path / "a", batch_size=4, balance=True)
    with pytest.raises(UserError, match=r"data\.balance=true: this model uses no labels"):
        unlabelled(balanced)


def test_the_chosen_emotions_identify_a_run_in_any_order() -> None:
    assert "only" not in identity(Folder())
    one, other = (identity(Folder(only=names)) for names in (["fear", "anger"], ["anger", "fear"]))
    assert one == other
    assert one["only"] == ["fear", "anger"]
