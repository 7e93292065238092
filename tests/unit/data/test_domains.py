"""Two domains: shared classes, exclusions, channels, people, resume, and mistakes."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_lightning.config.domains import DomainsConfig
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.corpora.table import Table
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.domains import DomainDataModule
from fer_lightning.data.duplicates import seen_in_training
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from tests.helpers.small import class_folders, small_archive

SOURCE = ("anger", "happiness", "contempt")
TARGET = ("happiness", "anger", "sadness")


def module(
    source: Folder | Table,
    target: Folder | Table,
    known: list[str] | None = None,
    channels: int | None = None,
    seed: int = 0,
) -> DomainDataModule:
    domains = DomainsConfig(source=source, target=target)
    faces = DomainDataModule(domains, WholeImageConfig(), 16, channels, seed, known)
    faces.setup()
    return faces


def archived(folder: Path, known: list[str] | None = None, **source: Any) -> DomainDataModule:
    """42 training images of each domain, 14 of each emotion."""
    small_archive(folder / "a", emotions=SOURCE)
    small_archive(folder / "b", emotions=TARGET, seed=1)
    settings = {"batch_size": 4} | source
    return module(Folder(archive=folder / "a", **settings), Folder(archive=folder / "b"), known)


def test_classes_are_those_that_all_know_and_the_rest_is_counted(tmp_path: Path) -> None:
    faces = archived(tmp_path)
    assert faces.classes == faces.faces.classes == ["happiness", "anger"]
    assert faces.class_counts == faces.target.class_counts == [14, 14]
    assert faces.exclusions == {
        "source": {"contempt": {"images": 14, "reason": "not in domains.target"}},
        "target": {"sadness": {"images": 14, "reason": "not in domains.source"}},
    }
    assert faces.summary() == (
        "classes of both domains: happiness, anger; left out: 14 source images of contempt (not in "
        "domains.target), 14 target images of sadness (not in domains.source)"
    )


def test_what_the_classifier_does_not_know_is_left_out(tmp_path: Path) -> None:
    faces = archived(tmp_path, ["anger", "fear"])
    assert faces.classes == ["anger"]
    for domain in ("source", "target"):
        left_out = {"images": 14, "reason": "not known to model.classifier"}
        assert faces.exclusions[domain]["happiness"] == left_out


def test_batches_are_pairs_of_one_class(tmp_path: Path) -> None:
    faces = archived(tmp_path)
    batches = list(faces.train_dataloader())
    assert len(batches) == 7
    for batch in batches:
        assert batch.source is not None
        assert batch.images.shape == batch.source.shape == (4, 1, 16, 16)
        assert set(batch.emotions.tolist()) <= {0, 1}


def test_the_loader_goes_on_where_another_stood(tmp_path: Path) -> None:
    faces = archived(tmp_path)
    loader = faces.train_dataloader()
    list(islice(loader, 3))
    state = faces.state_dict()
    assert state == {"epoch": 0, "position": 3}
    resumed = module(faces.domains.source, faces.domains.target)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == {}
    first, second = next(iter(faces.train_dataloader())), next(iter(loader))
    again = next(iter(resumed.train_dataloader()))
    assert torch.equal(again.images, second.images)
    assert again.source is not None
    assert second.source is not None
    assert torch.equal(again.source, second.source)
    assert not torch.equal(again.images, first.images)


def test_rows_are_counted_over_both_domains(tmp_path: Path) -> None:
    faces = archived(tmp_path)
    assert [len(archive) for archive in faces.archives] == [60, 60]
    for name, rows in faces.division.items():
        assert len(rows) == len(faces.source.division[name]) + len(faces.target.division[name])
        assert (faces.labels[rows] >= 0).all()
        numbers = [faces.classes.index(str(faces.emotions[row])) for row in rows]
        assert (faces.labels[rows] == numbers).all()
    assert len(faces.parts["all"]) == 120
    assert seen_in_training(faces, faces)["test"] == {"images": 0, "of": 12}
    one = seen_in_training(faces.target, faces.source)
    assert one["test"] == {"images": 0, "of": 6}


def test_a_held_out_face_of_one_domain_is_found_in_the_training_of_the_other(
    tmp_path: Path,
) -> None:
    small_archive(tmp_path / "a", splits=("train",))
    small_archive(tmp_path / "b", splits=("train", "test"))
    faces = module(Folder(archive=tmp_path / "a", batch_size=4), Folder(archive=tmp_path / "b"))
    held = faces.target.division["test"]
    seen = np.isin(held, faces.source.division["train"]).sum()
    assert 0 < seen < len(held)
    assert seen_in_training(faces, faces)["test"] == {"images": seen, "of": len(held)}


@pytest.mark.parametrize("given", ["source", "target"])
def test_a_domain_without_archive_takes_the_channels_of_the_other(
    tmp_path: Path, given: str
) -> None:
    small_archive(tmp_path / "a")
    archive, folder = (
        Folder(archive=tmp_path / "a"),
        Folder(root=class_folders(tmp_path / "f")),
    )
    (archive if given == "source" else folder).batch_size = 4
    blocks = (archive, folder) if given == "source" else (folder, archive)
    faces = module(*blocks)
    assert [archive.shape[3] for archive in faces.archives] == [1, 1]


def test_domains_of_other_channels_are_refused(tmp_path: Path) -> None:
    small_archive(tmp_path / "a", channels=3)
    small_archive(tmp_path / "b")
    with pytest.raises(UserError, match=r"channels=3, but domains\.target\.archive=.*faces of 1"):
        module(Folder(archive=tmp_path / "a", batch_size=4), Folder(archive=tmp_path / "b"))


def test_the_target_need_not_fill_a_batch(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    small_archive(tmp_path / "b", 9, splits=("train",))
    faces = module(Folder(archive=tmp_path / "a", batch_size=32), Folder(archive=tmp_path / "b"))
    assert len(next(iter(faces.train_dataloader()))) == 32


def test_mistakes_are_told_by_the_keys_of_the_domain(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    good = Folder(archive=tmp_path / "a")
    with pytest.raises(UserError, match=r"^data@domains\.source=table needs domains\.source\.root"):
        module(Table(), good)
    with pytest.raises(UserError, match=r"^domains\.source\.batch_size=50 exceeds the 42 training"):
        module(Folder(archive=tmp_path / "a", batch_size=50), good)
    with pytest.raises(UserError, match=r"^domains\.target\.people=11: there are 10 people"):
        module(
            Folder(archive=tmp_path / "a", batch_size=4), Folder(archive=tmp_path / "a", people=11)
        )


def test_domains_without_a_common_emotion_are_refused(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    small_archive(tmp_path / "b", emotions=("fear", "surprise"))
    blocks = Folder(archive=tmp_path / "a", batch_size=4), Folder(archive=tmp_path / "b")
    told = r"domains\.source has happiness, sadness, anger; domains\.target has surprise, fear"
    with pytest.raises(UserError, match=told):
        module(*blocks)
    with pytest.raises(UserError, match=r"model\.classifier has fear"):
        module(blocks[0], Folder(archive=tmp_path / "a"), ["fear"])


def test_people_are_drawn_by_the_runs_seed(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    drawn = set()
    for seed in range(4):
        faces = FaceDataModule(
            Folder(archive=tmp_path / "a", people=3, batch_size=4), WholeImageConfig(), 16, 1, seed
        )
        faces.setup()
        assert faces.people is not None
        subjects = np.array(faces.archives[0].column("subject"))
        assert set(subjects[faces.parts["all"]]) == set(faces.people)
        assert len(faces.people) == 3
        assert np.isin(subjects[np.concatenate(list(faces.division.values()))], faces.people).all()
        before = faces.people
        faces.setup()
        assert faces.people == before
        drawn.add(tuple(faces.people))
    assert len(drawn) > 1


def test_people_who_are_not_known_cannot_be_drawn(tmp_path: Path) -> None:
    data = Folder(root=class_folders(tmp_path / "f"), people=2, batch_size=4)
    faces = FaceDataModule(data, WholeImageConfig(), 16, 1, 0)
    with pytest.raises(UserError, match=r"data\.people=2 needs the person of every image, and 36"):
        faces.setup()
    assert faces.people is None


def test_domains_name_their_people(tmp_path: Path) -> None:
    small_archive(tmp_path / "a")
    blocks = (
        Folder(archive=tmp_path / "a", batch_size=4),
        Folder(archive=tmp_path / "a", people=3),
    )
    faces = module(*blocks)
    assert faces.people.keys() == {"target"}
    assert len(faces.people["target"]) == 3
    assert len(faces.target.division["train"]) < len(faces.source.division["train"])
