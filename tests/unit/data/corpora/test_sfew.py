"""SFEW 2.0 with its wrappers."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from fer_lightning.data.corpora.sfew import SFEW
from fer_lightning.data.images import UnusableImage
from fer_lightning.errors import UserError
from fer_lightning.labels import canonical_emotion
from tests.helpers.layouts.pictures import touch, write
from tests.helpers.layouts.sfew import ALIGNED, FOLDERS, OFFICIAL, PLAIN, build

INNER = {split: f"{split}/{folder}" for split, folder in ALIGNED.items()}


def test_is_a_structured_config() -> None:
    assert OmegaConf.to_object(OmegaConf.structured(SFEW)) == SFEW()
    assert SFEW().source_settings() == {}


@pytest.mark.parametrize("folders", [PLAIN, ALIGNED, INNER], ids=["plain", "aligned", "inner"])
@pytest.mark.parametrize("wrapper", ["", "SFEW 2.0/images"])
def test_wrappers(tmp_path: Path, folders: dict[str, str], wrapper: str) -> None:
    build(tmp_path / wrapper, folders)
    write(tmp_path / wrapper, {"Train/readme.txt": "x", "Labels/Angry/x.png": b""})
    corpus = SFEW(root=tmp_path)
    rows = corpus.rows()
    assert Counter((row.split, row.emotion) for row in rows) == {
        ("test", None): 3,
        **{("train", canonical_emotion(folder)): 2 for folder in FOLDERS},
        **{("val", canonical_emotion(folder)): 1 for folder in FOLDERS},
    }
    assert [row.path for row in rows] == sorted(row.path for row in rows)
    assert all(row.unusable is None and corpus.load(row).shape == (96, 96, 3) for row in rows)


def test_official_counts(tmp_path: Path) -> None:
    for split, counts in OFFICIAL.items():
        for folder, count in zip(FOLDERS, counts, strict=True):
            touch(tmp_path, (f"{split}/{folder}/Film_{n:09d}_1.png" for n in range(count)))
    touch(tmp_path, (f"Test/Film_{n:09d}_1.png" for n in range(372)))
    rows = SFEW(root=tmp_path).rows()
    assert Counter(row.split for row in rows) == {"train": 958, "val": 436, "test": 372}
    found = Counter((row.split, row.emotion) for row in rows)
    for split, counts in OFFICIAL.items():
        assert counts == tuple(found[split.lower(), canonical_emotion(f)] for f in FOLDERS)


def test_images_outside_class_folders_and_damaged_ones(tmp_path: Path) -> None:
    corpus = SFEW(root=build(tmp_path))
    write(tmp_path, {"Train/stray.png": b"", "Val/Meh/a.png": b"", "Train/Angry/cut.png": b"x"})
    rows = {row.path: row for row in corpus.rows()}
    assert rows["Train/stray.png"].unusable == rows["Val/Meh/a.png"].unusable == "no_label"
    with pytest.raises(UnusableImage, match="unreadable"):
        corpus.load(rows["Train/Angry/cut.png"])


def test_whole_frames_beside_aligned_faces_are_refused(tmp_path: Path) -> None:
    build(build(tmp_path), ALIGNED)
    with pytest.raises(UserError, match=r"data\.root=.*more than once.*Test.*Test_Aligned_Faces"):
        SFEW(root=tmp_path).rows()


def test_labels_of_test_images_are_used_where_they_are(tmp_path: Path) -> None:
    build(tmp_path)
    write(tmp_path, {"Test/Sad/a.png": b""})
    assert [r.emotion for r in SFEW(root=tmp_path).rows() if "Sad/a" in r.path] == ["sadness"]


@pytest.mark.parametrize("gone", ["Train", "Val", "Train/Angry"])
def test_a_part_that_is_not_there_is_no_error(tmp_path: Path, gone: str) -> None:
    shutil.rmtree(build(tmp_path) / gone)
    splits = {row.split for row in SFEW(root=tmp_path).rows()}
    assert splits == {"train", "val", "test"} - {gone.lower()}


def test_nothing_found_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    write(tmp_path, {"pictures/a.jpg": b""})
    with pytest.raises(UserError, match=r"data\.root=.*Train\*/Angry.*found pictures/"):
        SFEW(root=tmp_path).rows()
    (tmp_path / "Train/Angry").mkdir(parents=True)
    with pytest.raises(UserError, match=r"class folders are empty.*found Train/, pictures/"):
        SFEW(root=tmp_path).rows()
