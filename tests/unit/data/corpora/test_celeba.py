"""CelebA's images, split and identities."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from fer_lightning.data.corpora.celeba import CelebA
from fer_lightning.data.images import UnusableImage
from fer_lightning.errors import UserError
from tests.helpers.layouts.celeba import OFFICIAL, build, partition
from tests.helpers.layouts.pictures import write

PARTS = {"train": 6, "val": 3, "test": 3}


def test_is_a_structured_config() -> None:
    assert OmegaConf.to_object(OmegaConf.structured(CelebA)) == CelebA()
    assert CelebA(count=5).source_settings() == {"count": 5}


@pytest.mark.parametrize(
    ("faces", "lists", "comma"),
    [
        ("img_align_celeba", "", False),
        ("Img/img_align_celeba", "Eval/", False),
        ("img_align_celeba/img_align_celeba", "", True),
        ("CelebA/Img/img_align_celeba", "CelebA/Anno/", False),
    ],
)
def test_layouts(tmp_path: Path, faces: str, lists: str, comma: bool) -> None:
    corpus = CelebA(root=build(tmp_path, faces, lists, comma))
    rows = corpus.rows()
    assert [row.path for row in rows] == [f"{faces}/{n:06d}.jpg" for n in range(1, 13)]
    assert Counter(row.split for row in rows) == PARTS
    assert [row.subject for row in rows[:4]] == ["2880", "2881", "2881", "2882"]
    assert {row.emotion for row in rows} == {None}
    assert all(corpus.load(row).shape == (96, 96, 3) for row in rows)
    lists_read = [file.name for file in corpus.files(rows) if file.suffix != ".jpg"]
    suffix = "csv" if comma else "txt"
    assert sorted(lists_read) == ["identity_CelebA.txt", f"list_eval_partition.{suffix}"]


def test_the_folder_alone_has_no_split(tmp_path: Path) -> None:
    build(tmp_path, identities=False)
    (tmp_path / "list_eval_partition.txt").unlink()
    corpus = CelebA(root=tmp_path)
    rows = corpus.rows()
    assert [row.path[-10:] for row in rows] == [f"{n:06d}.jpg" for n in range(1, 13)]
    assert {(row.split, row.subject) for row in rows} == {(None, None)}
    assert len(corpus.files(rows)) == 12


def test_count_takes_the_first(tmp_path: Path) -> None:
    build(tmp_path)
    all_rows = CelebA(root=tmp_path).rows()
    assert CelebA(root=tmp_path, count=5).rows() == all_rows[:5]
    with pytest.raises(UserError, match=r"data\.count=13.*12 images"):
        CelebA(root=tmp_path, count=13).rows()
    with pytest.raises(UserError, match=r"data\.count=0: give at least 1"):
        CelebA(count=0)


@pytest.mark.parametrize("comma", [False, True])
def test_official_counts(tmp_path: Path, comma: bool) -> None:
    name = f"list_eval_partition.{'csv' if comma else 'txt'}"
    write(tmp_path, {name: partition(OFFICIAL, comma), "img_align_celeba/000001.jpg": b""})
    rows = CelebA(root=tmp_path).rows()
    assert len(rows) == 202_599
    assert tuple(Counter(row.split for row in rows)[s] for s in ("train", "val", "test")) == (
        OFFICIAL
    )
    assert rows[-1].path == "img_align_celeba/202599.jpg"


def test_missing_and_truncated_images(tmp_path: Path) -> None:
    corpus = CelebA(root=build(tmp_path))
    (tmp_path / "img_align_celeba/000001.jpg").unlink()
    damaged = tmp_path / "img_align_celeba/000002.jpg"
    damaged.write_bytes(damaged.read_bytes()[:100])
    for row, reason in zip(corpus.rows(), ("missing", "unreadable"), strict=False):
        with pytest.raises(UnusableImage, match=reason):
            corpus.load(row)


@pytest.mark.parametrize(
    ("line", "message"),
    [("000013.jpg 3", "line 13: '3' is no part"), ("000013.jpg", "line 13 has 1 cells")],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    build(tmp_path)
    listed = tmp_path / "list_eval_partition.txt"
    listed.write_text(listed.read_text() + line)
    with pytest.raises(UserError, match=rf"data\.root: .*{message}"):
        CelebA(root=tmp_path).rows()


@pytest.mark.parametrize("comma", [False, True])
def test_lists_that_cannot_be_read_are_named(tmp_path: Path, comma: bool) -> None:
    name = f"list_eval_partition.{'csv' if comma else 'txt'}"
    write(build(tmp_path, comma=comma), {name: b"\xff\xfe"})
    with pytest.raises(UserError, match=f"{name} is not UTF-8"):
        CelebA(root=tmp_path).rows()
    write(tmp_path, {"list_eval_partition.csv": f"{'a' * 131_073},0\n"})
    (tmp_path / "list_eval_partition.txt").unlink(missing_ok=True)
    with pytest.raises(UserError, match=r"partition\.csv is no valid CSV file .*fetch it again"):
        CelebA(root=tmp_path).rows()


def test_what_systems_leave_is_no_image_and_no_list(tmp_path: Path) -> None:
    build(tmp_path, identities=False)
    (tmp_path / "list_eval_partition.txt").unlink()
    write(tmp_path, {"img_align_celeba/Thumbs.db": b"", "img_align_celeba/desktop.ini": b"",
                     "__MACOSX/list_eval_partition.txt": b"x"})  # fmt: skip
    assert len(CelebA(root=tmp_path).rows()) == 12


def test_nothing_found_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    write(tmp_path, {"pictures/a.jpg": b""})
    with pytest.raises(UserError, match=r"data\.root=.*img_align_celeba.*found pictures/"):
        CelebA(root=tmp_path).rows()
    (tmp_path / "img_align_celeba").mkdir()
    with pytest.raises(UserError, match="img_align_celeba names no image"):
        CelebA(root=tmp_path).rows()
