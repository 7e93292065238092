"""Copies are found whatever was done to them, and faces that only resemble one another are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.data import duplicate_search
from fer_lightning.data.archive import FaceArchive, report
from fer_lightning.data.archive_writer import ArchiveWriter, write_shard
from fer_lightning.data.corpora.base import SourceRow, SplitConfig, SplitScheme
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.duplicate_search import FaceSet, find
from fer_lightning.data.duplicates import (
    count_duplicates,
    leak_warning,
    near_duplicates,
    pairs_sheet,
    seen_in_training,
)
from fer_lightning.data.index import excluded_table, index_table
from fer_lightning.data.perceptual_hash import BLANK, MIRROR, perceptual_hash
from fer_lightning.detectors.whole_image import WholeImageConfig
from tests.helpers.small import small_archive

Faces = NDArray[np.uint8]
SIDE = 96


Drawings = tuple[Faces, list[str | None], list[str | None]]


@pytest.fixture(scope="module")
def drawings() -> Drawings:
    """Drawn faces of three people, ten times in each of seven emotions; emotions, people."""
    corpus = Drawn(count=210, subjects=3, picture_size=160)
    rows = list(corpus.rows())
    middle = (48, 53, 112, 117)  # there the face is
    faces = [
        Image.fromarray(corpus.load(row)).resize((SIDE, SIDE), Image.Resampling.BILINEAR, middle)
        for row in rows
    ]
    emotions, people = [row.emotion for row in rows], [row.subject for row in rows]
    return np.stack([np.asarray(face) for face in faces]), emotions, people


def jpeg(faces: Faces) -> Faces:
    copies = []
    for face in faces:
        file = io.BytesIO()
        Image.fromarray(face).save(file, "JPEG", quality=30)
        copies.append(np.asarray(Image.open(file)))
    return np.stack(copies)


def gray(faces: Faces) -> Faces:
    luma = faces @ np.array([0.299, 0.587, 0.114])
    return luma.round().astype(np.uint8)[..., None]


def smaller(faces: Faces) -> Faces:
    return np.stack([np.asarray(Image.fromarray(face).resize((48, 48))) for face in faces])


COPIES: dict[str, Callable[[Faces], Faces]] = {
    "exact": lambda faces: faces.copy(),
    "jpeg": jpeg,
    "brighter": lambda faces: (faces * 0.9 + 25).astype(np.uint8),
    "less contrast": lambda faces: (faces * 0.6 + 40).astype(np.uint8),
    "shifted by a pixel": lambda faces: np.roll(faces, 1, 2),
    "mirrored": lambda faces: np.ascontiguousarray(faces[:, :, ::-1]),
    "gray": gray,
    "smaller": smaller,
}


@pytest.mark.parametrize("change", COPIES)
def test_a_copy_is_found(drawings: Drawings, change: str) -> None:
    faces = drawings[0]
    pairs = find(FaceSet.of(COPIES[change](faces)), FaceSet.of(faces))
    found = dict(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert found == {i: i for i in range(len(faces))}
    assert pairs.mirrored.all() == (change == "mirrored")
    assert (np.diff(pairs.correlations) <= 0).all()


def test_other_expressions_of_one_person_are_not_reported(drawings: Drawings) -> None:
    faces, emotions, people = drawings
    pairs = find(FaceSet.of(faces))
    assert [
        (people[i], emotions[i], emotions[j])
        for i, j in zip(pairs.first, pairs.second, strict=True)
    ] == []
    # It is the pixels that tell some of them apart.
    hashes = perceptual_hash(faces)
    near = np.triu(distances(hashes, hashes) <= duplicate_search.DISTANCE, 1)
    assert near.any()


def test_the_mirrored_face_has_the_mirrored_hash(
    drawings: Drawings,
) -> None:
    faces = drawings[0]
    hashes = perceptual_hash(faces)
    assert (perceptual_hash(faces[:, :, ::-1]) == hashes ^ MIRROR).all()
    assert (hashes ^ MIRROR != hashes).all()


def distances(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Bits that differ, counted one by one."""
    found = np.zeros((len(first), len(second)), np.int64)
    for bit in range(64):
        one = np.uint64(bit)
        found += ((first[:, None] >> one) ^ (second >> one)).astype(np.int64) & 1
    return found


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("one", [False, True])
def test_the_index_finds_what_brute_force_finds(
    monkeypatch: pytest.MonkeyPatch, mirrored: bool, one: bool
) -> None:
    monkeypatch.setattr(duplicate_search, "BLOCK", 16)  # buckets of several blocks
    random = np.random.default_rng(0)
    centres = random.integers(1, 2**64, 20, np.uint64)
    hashes = centres[random.integers(0, 20, 400)]
    for _ in range(7):  # about 10 bits apart within a group
        hashes ^= np.uint64(1) << random.integers(0, 64, 400).astype(np.uint64)
    turned = hashes ^ (MIRROR if mirrored else np.uint64(0))
    first, second = (hashes, hashes) if one else (hashes[:150], hashes[150:])
    other = turned if one else turned[150:]

    def sets(values: NDArray[np.uint64]) -> FaceSet:
        return FaceSet(values, lambda rows: pytest.fail("no pixels are needed"))

    found: list[tuple[int, int]] = []
    nobody = np.zeros(len(first), np.bool_)
    for band in range(duplicate_search.DISTANCE + 1):
        for rows, columns, i, j in duplicate_search._candidates(
            sets(first), None if one else sets(second), mirrored, band, nobody
        ):
            found += zip(rows[i].tolist(), columns[j].tolist(), strict=True)
    near = distances(first, other) <= duplicate_search.DISTANCE
    if one:
        near = np.triu(near, 1)
    expected = list(zip(*(places.tolist() for places in np.nonzero(near)), strict=True))
    assert len(expected) > 100 or mirrored
    assert sorted(found) == expected  # each once


def test_few_kept_thumbnails_change_nothing(
    drawings: Drawings, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = np.concatenate([drawings[0][:40], drawings[0][:40]])
    whole = find(FaceSet.of(faces))
    monkeypatch.setattr(duplicate_search, "KEPT", 7)
    few = find(FaceSet.of(faces))
    assert len(whole) == 80
    assert (few.first == whole.first).all()
    assert (few.second == whole.second).all()
    assert (few.correlations == whole.correlations).all()
    narrow = FaceSet.of(faces)
    wanted = np.array([0, 7, 14, 7, 0])  # all in one place
    for _ in range(2):
        assert (
            narrow.thumbnails(wanted) == FaceSet.of(faces[wanted]).thumbnails(np.arange(5))
        ).all()


def test_blank_faces_are_one_group() -> None:
    random = np.random.default_rng(0)
    levels = random.integers(0, 255, (3000, 1, 1, 1))
    blank = (levels + random.integers(0, 2, (3000, 8, 8, 1))).astype(np.uint8)
    faces = np.concatenate([blank, random.integers(0, 256, (50, 8, 8, 1), np.uint8)])
    assert (perceptual_hash(faces) == BLANK).tolist() == [True] * 3000 + [False] * 50
    pairs = find(FaceSet.of(faces))
    assert sorted(pairs.first.tolist()) == list(range(3000))
    assert (pairs.first != pairs.second).all()
    assert pairs.second.max() < 3000
    assert len(find(FaceSet.of(faces[:1]))) == 0
    assert len(find(FaceSet.of(faces[3000:]), FaceSet.of(faces[:3000]))) == 0


@pytest.mark.parametrize("two", [False, True])
def test_a_collapsed_generator_is_counted_whole(drawings: Drawings, two: bool) -> None:
    face = drawings[0][0].astype(np.int16)
    noise = np.random.default_rng(0).integers(-9, 10, (1500, SIDE, SIDE, 1), np.int16)
    faces = np.clip(face + noise, 0, 255).astype(np.uint8)
    pairs = find(FaceSet.of(faces), FaceSet.of(drawings[0]) if two else None)
    assert sorted(pairs.first.tolist()) == list(range(1500))
    assert not two or (pairs.second == 0).all()
    assert two or (pairs.first != pairs.second).all()


def archive_of(path: Path, faces: Faces, splits: list[str | None]) -> FaceArchive:
    rows = [
        SourceRow(path=f"{i}.png", emotion=("happiness", "anger")[i % 2], split=split)
        for i, split in enumerate(splits)
    ]
    writer = ArchiveWriter(path, path.name)
    write_shard(writer.partial, 0, faces, index_table(rows, [None] * len(rows)), excluded_table([]))
    return writer.publish(1, {"corpus": "test"})


def leaking(path: Path) -> FaceArchive:
    """Noise: 8 train, 4 val, 4 test; one of val and two of test are copies of train's."""
    faces = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 1), np.uint8)
    faces[8] = faces[0]
    faces[12] = faces[1]
    faces[13] = faces[2] * 0.9 + 10
    splits: list[str | None] = [*["train"] * 8, *["val"] * 4, *["test"] * 4]
    return archive_of(path, faces, splits)


def test_the_manifest_counts_them_and_the_report_says_so(tmp_path: Path) -> None:
    archive = leaking(tmp_path / "a")
    found = archive.manifest["near_duplicates"]
    assert found == {
        "images": 6,
        "identical": 4,
        "across_splits": {"train-val": 1, "train-test": 2, "val-test": 0},
    }
    assert report(archive.manifest).splitlines()[-1] == (
        "near-duplicates: 6 images have one in this archive (4 the very same pixels); 1 of val "
        "have one in train; 2 of test have one in train; 0 of test have one in val"
    )
    assert archive.column("phash") == perceptual_hash(archive.faces).tolist()


def test_splits_that_do_not_exist_are_not_counted(tmp_path: Path) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 1), np.uint8)
    hashes = perceptual_hash(faces)
    assert count_duplicates(hashes, faces.__getitem__, [None] * 4)["across_splits"] == {}
    found = count_duplicates(hashes, faces.__getitem__, ["train", "test", "train", "test"])
    assert found == {"images": 0, "identical": 0, "across_splits": {"train-test": 0}}


def test_two_archives_may_differ_in_size_and_channels(tmp_path: Path, drawings: Drawings) -> None:
    first = archive_of(tmp_path / "a", drawings[0][:20], [None] * 20)
    second = archive_of(tmp_path / "b", gray(smaller(drawings[0][10:40])), [None] * 30)
    pairs = near_duplicates(first, second)
    found = sorted(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert found == [(10 + i, i) for i in range(10)]
    assert len(near_duplicates(first)) == 0
    sheet = pairs_sheet(first, pairs, second, count=4, columns=2)
    assert sheet.mode == "RGB"
    assert sheet.height == 4 * (SIDE + 2) + 2  # two pairs of either kind, one row each
    assert pairs_sheet(first, near_duplicates(first, first)).width > 0


def test_extra_archives_count_as_trained_on(tmp_path: Path) -> None:
    main = small_archive(tmp_path / "main")
    copy = main.faces[main.column("split").index("test")]
    faces = np.stack([copy, copy, 255 - copy])
    extra = archive_of(tmp_path / "extra", faces, ["train", "test", "train"])
    data = Folder(archive=main.path, extra=[extra.path], batch_size=4)
    module = FaceDataModule(data, WholeImageConfig(), 16, None, 0)
    module.setup()
    seen = seen_in_training(module, module)
    assert seen == {"val": {"images": 0, "of": 9}, "test": {"images": 1, "of": 9}}
    assert leak_warning({"val": seen["val"]}) is None
    warning = leak_warning(seen)
    assert warning is not None
    assert warning.startswith("fer: warning: 1 of 9 test images (11.1%) have a near-duplicate")


def test_parts_without_images_are_left_out(tmp_path: Path) -> None:
    main = small_archive(tmp_path / "main", splits=("train",))
    split = SplitConfig(scheme=SplitScheme.official, val=0)
    data = Folder(archive=main.path, split=split, batch_size=4)
    module = FaceDataModule(data, WholeImageConfig(), 16, None, 0)
    module.setup()
    assert seen_in_training(module, module) == {}
