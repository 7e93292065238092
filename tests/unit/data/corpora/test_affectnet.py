"""AffectNet's two releases, and how the later one's small files are read."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from fer_lightning.data.corpora.affectnet import HEADER, AffectNet, Annotated
from fer_lightning.data.images import UnusableImage
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS
from tests.helpers.layouts.affectnet import OFFICIAL, annotation, build, build_sets, line
from tests.helpers.layouts.pictures import write

MANUAL = {("train", emotion): 2 for emotion in EMOTIONS} | {
    ("val", emotion): 1 for emotion in EMOTIONS
}


def labels(rows: list) -> Counter:
    return Counter((row.split, row.emotion) for row in rows if row.unusable is None)


def test_is_a_structured_config() -> None:
    assert OmegaConf.to_object(OmegaConf.structured(AffectNet)) == AffectNet()
    assert AffectNet().source_settings() == {"annotated": "manually"}


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(
    ("lists", "images"),
    [
        ("", "{side}_Annotated_Images/"),
        ("{side}_Annotated_file_lists/", "{side}_Annotated_Images/"),
        ("", "{side}_Annotated/{side}_Annotated_Images/"),
        ("{side} Annotated/lists/", "{side} Annotated/{side}_Annotated_Images/"),
        ("AffectNet/", "AffectNet/{side}_Annotated_Images/{side}_Annotated_Images/"),
    ],
)  # fmt: skip
def test_tables(tmp_path: Path, header: bool, lists: str, images: str) -> None:
    corpus = AffectNet(root=build(tmp_path, header, lists, images))
    rows = corpus.rows()
    assert labels(rows) == MANUAL
    assert Counter(row.unusable for row in rows) == {None: 24, "no_emotion": 9}
    assert rows[0].path == f"{images.format(side='Manually')}0/tra000.jpg"
    assert all(corpus.load(row).shape == (96, 96, 3) for row in rows)
    read = corpus.files(rows)
    assert len(read) == len(set(read)) == 26  # images with an emotion and two tables
    assert all(file.is_file() for file in read)


def test_labels_of_people_and_of_a_network(tmp_path: Path) -> None:
    build(tmp_path)
    rows = {a: AffectNet(root=tmp_path, annotated=a).rows() for a in Annotated}
    assert labels(rows[Annotated.automatically]) == {("train", emotion): 1 for emotion in EMOTIONS}
    assert rows[Annotated.both] == rows[Annotated.manually] + rows[Annotated.automatically]
    assert rows[Annotated.both][-1].path == "Automatically_Annotated_Images/1/aut100.jpg"


@pytest.mark.parametrize("annotated", list(Annotated))
def test_tables_that_are_missing(tmp_path: Path, annotated: Annotated) -> None:
    build(tmp_path, tables=("validation.csv",))
    corpus = AffectNet(root=tmp_path, annotated=annotated)
    if annotated is Annotated.manually:
        assert {row.split for row in corpus.rows()} == {"val"}
    else:
        with pytest.raises(UserError, match=rf"annotated={annotated.name}.*automatically_annotat"):
            corpus.rows()


def test_two_columns_suffice(tmp_path: Path) -> None:
    write(tmp_path, {
        "training.csv": "subDirectory_filePath,expression\r\n7/a.jpg,6\r\n\r\n7/b.jpg,1\r\n",
        "Manually_Annotated_Images/7/b.jpg": b"",
    })  # fmt: skip
    corpus = AffectNet(root=tmp_path)
    rows = corpus.rows()
    assert [row.emotion for row in rows] == ["anger", "happiness"]
    with pytest.raises(UnusableImage, match="missing"):
        corpus.load(rows[0])
    with pytest.raises(UnusableImage, match="unreadable"):
        corpus.load(rows[1])


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("wrapper", ["", "AffectNet"])
def test_sets(tmp_path: Path, text: bool, wrapper: str) -> None:
    build_sets(tmp_path / wrapper, text)
    corpus = AffectNet(root=tmp_path)
    rows = corpus.rows()
    assert labels(rows) == MANUAL
    assert [Path(row.path).stem for row in rows[:12]] == [str(number) for number in range(12)]
    assert all(corpus.load(row).shape == (96, 96, 3) for row in rows)
    read = corpus.files(rows)
    assert len(read) == 48
    assert all(file.is_file() for file in read)


def test_sets_with_damaged_and_missing_files(tmp_path: Path) -> None:
    build_sets(tmp_path)
    start = tmp_path / "val_set"
    class_of_objects = annotation(np.array([{"a": 1}], object))
    for number, content in enumerate(
        [b"", b"\x93NUMPY", annotation("4")[:-4], annotation("happy"), class_of_objects,
         annotation("9"), annotation("11"), annotation(b"3")]
    ):  # fmt: skip
        (start / f"annotations/{number}_exp.npy").write_bytes(content)
    (start / "images/7.jpg").unlink()
    write(start, {"images/8.jpg": b"", "images/.hidden": b""})
    corpus = AffectNet(root=tmp_path)
    rows = {Path(row.path).stem: row for row in corpus.rows() if row.split == "val"}
    reasons = {number: row.unusable for number, row in rows.items()}
    assert reasons == {str(n): "no_label" for n in (0, 1, 2, 3, 4, 6, 8)} | {
        "5": "no_emotion",
        "7": None,
    }
    assert rows["7"].emotion == "surprise"
    with pytest.raises(UnusableImage, match="missing"):
        corpus.load(rows["7"])


def test_sets_without_their_images_are_named(tmp_path: Path) -> None:
    shutil.rmtree(build_sets(tmp_path) / "val_set/images")
    with pytest.raises(UserError, match=r"val_set has annotations/ but no images/; found annota"):
        AffectNet(root=tmp_path).rows()


def test_two_files_of_one_image_are_refused(tmp_path: Path) -> None:
    write(build_sets(tmp_path), {"val_set/images/0.png": b""})
    with pytest.raises(UserError, match=r"\(val_set/images/0\.jpg and val_set/images/0\.png\)"):
        AffectNet(root=tmp_path).rows()


def test_what_systems_leave_is_no_image(tmp_path: Path) -> None:
    write(build_sets(tmp_path), {
        "val_set/images/Thumbs.db": b"",
        "train_set/images/desktop.ini": b"",
        "__MACOSX/val_set/annotations/0_exp.npy": b"",
    })  # fmt: skip
    assert len(AffectNet(root=tmp_path).rows()) == 24


def test_sets_without_any_label_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"val_set/images/0.jpg": b"", "val_set/annotations/0_exp.npy": b"0"})
    with pytest.raises(UserError, match=r"data\.root=.*not one of 1 images.*found 0_exp\.npy"):
        AffectNet(root=tmp_path).rows()


def test_sets_have_no_automatic_labels(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.annotated=both.*later release"):
        AffectNet(root=build_sets(tmp_path), annotated=Annotated.both).rows()


def test_official_counts(tmp_path: Path) -> None:
    header = ",".join(HEADER) + "\n"
    for name, counts in (("training", OFFICIAL), ("validation", (500,) * 8)):
        lines = (f"1/{code}.jpg,0,0,1,1,0;0,{code},-2,-2\n" * n for code, n in enumerate(counts))
        write(tmp_path, {f"{name}.csv": header + "".join(lines)})
    (tmp_path / "Manually_Annotated_Images").mkdir()
    found = labels(AffectNet(root=tmp_path).rows())
    assert tuple(found["train", emotion] for emotion in EMOTIONS) == OFFICIAL
    assert sum(OFFICIAL) == 287_651
    assert {found["val", emotion] for emotion in EMOTIONS} == {500}


@pytest.mark.parametrize(
    ("added", "message"),
    [
        (line("1/a.jpg", 11), "line 24: expression '11' is no code"),
        ("1/a.jpg,1\n", "line 24 has 2 cells instead of 9"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, added: str, message: str) -> None:
    table = build(tmp_path, lists="") / "training.csv"
    table.write_text(table.read_text() + added)
    with pytest.raises(UserError, match=message):
        AffectNet(root=tmp_path).rows()


def test_tables_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    table = build(tmp_path, lists="") / "training.csv"
    table.write_bytes(table.read_bytes() + b"\xe9")
    with pytest.raises(UserError, match=r"training\.csv is not UTF-8"):
        AffectNet(root=tmp_path).rows()
    table.write_text(",".join(HEADER) + "\n")
    with pytest.raises(UserError, match=r"training\.csv names no image of AffectNet"):
        AffectNet(root=tmp_path).rows()


def test_a_table_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    build(tmp_path, lists="lists/")
    write(tmp_path, {"copy/training.csv": b""})
    with pytest.raises(
        UserError, match=r"once \(copy/training\.csv and lists/training\.csv\); remove one"
    ):
        AffectNet(root=tmp_path).rows()


def test_what_is_no_table_and_what_has_no_images(tmp_path: Path) -> None:
    write(tmp_path, {"training.csv": "image,label\n1.jpg,1\n"})
    with pytest.raises(UserError, match=r"needs the columns.*found \['image', 'label'\]"):
        AffectNet(root=tmp_path).rows()
    write(tmp_path, {"training.csv": line("1/a.jpg", 1)})
    with pytest.raises(
        UserError, match=r"no images of AffectNet.*manually_annotated.*training.csv"
    ):
        AffectNet(root=tmp_path).rows()


def test_nothing_found_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    write(tmp_path, {"pictures/a.jpg": b""})
    with pytest.raises(UserError) as error:
        AffectNet(root=tmp_path).rows()
    for part in ("data.root=", "train_set/annotations", "training.csv", "found pictures/"):
        assert part in str(error.value)
