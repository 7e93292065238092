"""RAF-DB in its official layout and as a copy in class folders."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from fer_lightning.data.corpora.raf_db import RAFDB, Images
from fer_lightning.data.images import UnusableImage
from fer_lightning.errors import UserError
from fer_lightning.labels import CODES
from tests.helpers.layouts.pictures import touch, write
from tests.helpers.layouts.raf_db import OFFICIAL, build, numbered


def counts(rows: list) -> dict[str, tuple[int, ...]]:
    found = Counter((row.split, row.emotion) for row in rows)
    return {
        split: tuple(found[split, emotion] for emotion in CODES["raf_db"].values())
        for split in ("train", "test")
    }


def test_is_a_structured_config() -> None:
    assert OmegaConf.to_object(OmegaConf.structured(RAFDB)) == RAFDB()
    assert RAFDB().source_settings() == {"images": "aligned"}


@pytest.mark.parametrize("misspelt", [True, False])
@pytest.mark.parametrize("wrapper", ["basic/", "", "RAF-DB/basic/", "raf-basic/"])
def test_both_spellings_of_the_list(tmp_path: Path, misspelt: bool, wrapper: str) -> None:
    corpus = RAFDB(root=build(tmp_path, misspelt, wrapper=wrapper))
    rows = corpus.rows()
    assert counts(rows) == {"train": (2,) * 7, "test": (1,) * 7}
    assert rows[0].path == f"{wrapper}Image/aligned/train_00001_aligned.jpg"
    assert (rows[0].emotion, rows[0].split, rows[0].unusable) == ("surprise", "train", None)
    assert all(corpus.load(row).shape == (100, 100, 3) for row in rows)
    files = corpus.files(rows)
    assert len(files) == len(set(files)) == 22
    assert sum(file.name.endswith("tion_label.txt") for file in files) == 1


def test_original_images_have_other_names(tmp_path: Path) -> None:
    corpus = RAFDB(root=build(tmp_path), images=Images.original)
    rows = corpus.rows()
    assert rows[0].path == "basic/Image/original/train_00001.jpg"
    assert all(corpus.load(row).shape for row in rows)


def test_images_that_were_not_delivered_are_asked_for(tmp_path: Path) -> None:
    build(tmp_path, images=("original",))
    with pytest.raises(UserError, match=r"data\.images=aligned.*found EmoLabel/, Image/"):
        RAFDB(root=tmp_path).rows()


def test_images_may_be_wrapped_once_more(tmp_path: Path) -> None:
    build(tmp_path)
    folder = tmp_path / "basic/Image/aligned"
    folder.rename(tmp_path / "inner")
    folder.mkdir()
    (tmp_path / "inner").rename(folder / "aligned")
    corpus = RAFDB(root=tmp_path)
    rows = corpus.rows()
    assert corpus.load(rows[0]).shape == (100, 100, 3)
    assert any(file.name == "list_patition_label.txt" for file in corpus.files(rows))


def test_the_copy_in_class_folders(tmp_path: Path) -> None:
    corpus = RAFDB(root=build(tmp_path, copy=True))
    write(tmp_path, {"DATASET/train/8/train_9_aligned.jpg": b"", "DATASET/train_labels.csv": "x"})
    rows = corpus.rows()
    assert counts(rows) == {"train": (2,) * 7, "test": (1,) * 7}
    assert [row.path for row in rows if row.unusable == "no_label"] == [
        "DATASET/train/8/train_9_aligned.jpg"
    ]
    assert len(corpus.files(rows)) == len(rows)
    assert all(corpus.load(row).shape for row in rows if not row.unusable)
    with pytest.raises(UserError, match=r"data\.images=original"):
        RAFDB(root=tmp_path, images=Images.original).rows()


def test_official_counts(tmp_path: Path) -> None:
    rows = numbered(OFFICIAL)
    lines = "\r\n".join(f"{name} {code}" for name, code in rows)
    write(tmp_path / "a", {"basic/EmoLabel/list_patition_label.txt": f"\ufeff{lines}\r\n\r\n"})
    (tmp_path / "a/basic/Image/aligned").mkdir(parents=True)
    read = RAFDB(root=tmp_path / "a").rows()
    assert counts(read) == OFFICIAL
    assert Counter(row.split for row in read) == {"train": 12_271, "test": 3_068}
    test = [(name, code) for name, code in rows if name.startswith("test")]
    touch(tmp_path / "b", (f"DATASET/test/{code}/{name}" for name, code in test))
    (tmp_path / "b/DATASET/train/1").mkdir(parents=True)
    assert counts(RAFDB(root=tmp_path / "b").rows())["test"] == OFFICIAL["test"]


def test_missing_truncated_and_misnamed_images(tmp_path: Path) -> None:
    corpus = RAFDB(root=build(tmp_path))
    listed = tmp_path / "basic/EmoLabel/list_patition_label.txt"
    listed.write_text(listed.read_text() + "valid_00001.jpg 3\n")
    folder = tmp_path / "basic/Image/aligned"
    (folder / "train_00001_aligned.jpg").unlink()
    damaged = folder / "train_00002_aligned.jpg"
    damaged.write_bytes(damaged.read_bytes()[:200])
    rows = corpus.rows()
    assert (rows[-1].split, rows[-1].unusable) == (None, "misnamed")
    for row, reason in zip(rows, ("missing", "unreadable"), strict=False):
        with pytest.raises(UnusableImage, match=reason):
            corpus.load(row)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train_00099.jpg 11", r"line 22: '11' is no code.*compound.*basic/"),
        ("train_00099.jpg", r"line 22: 'train_00099.jpg' is no image with its code"),
        ("train_00099 5", r"line 22: 'train_00099 5' is no image with its code"),
        ("train_00001.jpg 1", r"line 22: train_00001\.jpg is in line 1 too; remove one"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    build(tmp_path)
    listed = tmp_path / "basic/EmoLabel/list_patition_label.txt"
    listed.write_text(listed.read_text() + line)
    with pytest.raises(UserError, match=message):
        RAFDB(root=tmp_path).rows()


def test_a_list_that_is_no_text_is_named(tmp_path: Path) -> None:
    write(build(tmp_path), {"basic/EmoLabel/list_patition_label.txt": b"\xff\xfet"})
    with pytest.raises(UserError, match=r"list_patition_label\.txt is not UTF-8"):
        RAFDB(root=tmp_path).rows()


def test_what_systems_leave_is_no_image(tmp_path: Path) -> None:
    build(tmp_path, copy=True)
    count = len(RAFDB(root=tmp_path).rows())
    write(tmp_path, {"DATASET/train/1/Thumbs.db": b"", "DATASET/train/desktop.ini": b""})
    write(tmp_path, {"__MACOSX/DATASET/train/1/train_00001_aligned.jpg": b""})
    assert len(RAFDB(root=tmp_path).rows()) == count == 21


def test_nothing_understood_is_an_error(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "basic/EmoLabel/list_patition_label.txt").write_text("a.jpg 1\nb.jpg 2\n")
    with pytest.raises(UserError, match=r"names no image of RAF-DB.*found"):
        RAFDB(root=tmp_path).rows()
    write(tmp_path / "copy", {"train/1/.hidden": b"", "train/8/a.jpg": b""})
    with pytest.raises(UserError, match=r"data\.root=.*train/1 to test/7; found train/"):
        RAFDB(root=tmp_path / "copy").rows()


def test_nothing_found_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    write(tmp_path, {"pictures/a.jpg": b""})
    with pytest.raises(UserError) as error:
        RAFDB(root=tmp_path).rows()
    for part in ("data.root=", *("patition", "partition", "train/1"), "found pictures/"):
        assert part in str(error.value)
