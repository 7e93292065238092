"""FER-2013 as CSV and as folders, made small, and the real dataset where it is at hand."""

from __future__ import annotations

import pickle
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.fer2013 import FER2013
from fer_lightning.data.images import UnusableImage
from fer_lightning.errors import UserError

FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)
PIXELS = [" ".join(map(str, face.ravel())) for face in FACES]
CSV = "\n".join(
    [
        "emotion,pixels,Usage",
        f"0,{PIXELS[0]},Training",
        f"3,{PIXELS[1]},PublicTest",
        f"6,{PIXELS[2]},PrivateTest",
    ]
)
ICML = "\r\n".join(
    [
        "emotion, Usage, pixels",
        f"0,Training,{PIXELS[0]}",
        f'3,PublicTest,"{PIXELS[1]}"',
        f"6,PrivateTest,{PIXELS[2]}",
        "",
    ]
)
FER_ORDER = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(FACES[0]).save(root / path, "PNG")


def write(path: Path, text: str) -> FER2013:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, newline="")
    return FER2013(root=path.parent)


def test_is_a_structured_config_of_a_gray_corpus() -> None:
    assert OmegaConf.to_object(OmegaConf.structured(FER2013)) == FER2013()
    assert FER2013().name == "fer2013"
    assert FER2013().native_channels == 1
    assert FER2013().source_settings() == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fer2013.csv", CSV),
        ("fer2013.csv", "\ufeff" + CSV + "\n\n"),
        ("icml_face_data.csv", ICML),
    ],
)
def test_csv_rows_and_random_access(tmp_path: Path, name: str, text: str) -> None:
    corpus = write(tmp_path / name, text)
    rows = corpus.rows()
    assert rows == [
        SourceRow(path=name, frame=0, emotion="anger", split="train"),
        SourceRow(path=name, frame=1, emotion="happiness", split="val"),
        SourceRow(path=name, frame=2, emotion="neutral", split="test"),
    ]
    for row in reversed(rows):
        image = corpus.load(row)
        assert image.shape == (48, 48, 3)
        assert image.dtype == np.uint8
        assert all((image[..., c] == FACES[row.frame]).all() for c in range(3))
    assert corpus.files(rows) == [tmp_path / name]
    assert pickle.loads(pickle.dumps(corpus)) == corpus


@pytest.mark.parametrize(
    "pixels",
    [
        PIXELS[0].rpartition(" ")[0],
        PIXELS[0] + " 7",
        "256 " + PIXELS[0].partition(" ")[2],
        "-1 " + PIXELS[0].partition(" ")[2],
        "x " + PIXELS[0].partition(" ")[2],
        "1.5 " + PIXELS[0].partition(" ")[2],
        f"{10**30} " + PIXELS[0].partition(" ")[2],
        "",
    ],
    ids=["short", "long", "over", "negative", "word", "float", "huge", "empty"],
)
def test_malformed_pixels_are_unreadable(tmp_path: Path, pixels: str) -> None:
    corpus = write(tmp_path / "fer2013.csv", f"{CSV}\n1,{pixels},Training\n")
    rows = corpus.rows()
    assert corpus.load(rows[2]).shape == (48, 48, 3)
    with pytest.raises(UnusableImage, match="unreadable"):
        corpus.load(rows[3])


def test_a_csv_that_is_gone_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UnusableImage, match="missing"):
        FER2013(root=tmp_path).load(SourceRow(path="fer2013.csv"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("7,1 2 3,Training", "line 5: emotion '7'"),
        ("happy,1 2 3,Training", "line 5: emotion 'happy'"),
        ("1,1 2 3,Sometimes", "line 5: Usage 'Sometimes'"),
        ("1,1 2 3", "line 5 has 2 cells instead of 3"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    corpus = write(tmp_path / "fer2013.csv", f"{CSV}\n{line}\n")
    with pytest.raises(UserError, match=message) as error:
        corpus.rows()
    assert "data.root" in str(error.value)


def test_a_csv_without_the_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.root.*Usage; found \['emotion', 'pixels'\]"):
        write(tmp_path / "fer2013.csv", "emotion,pixels\n0,1 2 3\n").rows()


def test_folders_take_the_split_from_file_names(tmp_path: Path) -> None:
    put(tmp_path, "train/angry/Training_1.jpg", "test/happy/PublicTest_2.jpg")
    put(tmp_path, "test/happy/PrivateTest_3.jpg", "test/sad/im0.png", "train/sad/im1.png")
    corpus = FER2013(root=tmp_path)
    rows = corpus.rows()
    assert [(row.path, row.emotion, row.split) for row in rows] == [
        ("test/happy/PrivateTest_3.jpg", "happiness", "test"),
        ("test/happy/PublicTest_2.jpg", "happiness", "val"),
        ("test/sad/im0.png", "sadness", "test"),
        ("train/angry/Training_1.jpg", "anger", "train"),
        ("train/sad/im1.png", "sadness", "train"),
    ]
    assert (corpus.load(rows[0]) == FACES[0][:, :, None]).all()


def test_the_root_may_be_the_parent(tmp_path: Path) -> None:
    put(tmp_path / "a", "fer2013/train/fear/Training_1.jpg", "fer2013/test/fear/PublicTest_2.jpg")
    assert [row.path for row in FER2013(root=tmp_path / "a").rows()] == [
        "fer2013/test/fear/PublicTest_2.jpg",
        "fer2013/train/fear/Training_1.jpg",
    ]
    write(tmp_path / "b" / "fer2013.csv", CSV)
    (tmp_path / "c").mkdir()
    shutil.move(tmp_path / "b", tmp_path / "c" / "fer2013")
    corpus = FER2013(root=tmp_path / "c")
    assert corpus.rows()[2].path == "fer2013/fer2013.csv"
    assert (corpus.load(corpus.rows()[2])[..., 0] == FACES[2]).all()


def test_what_lies_in_the_root_goes_before_the_folder_in_it(tmp_path: Path) -> None:
    put(tmp_path, "fer2013/train/fear/Training_1.jpg", "fer2013/test/fear/PublicTest_2.jpg")
    assert write(tmp_path / "icml_face_data.csv", ICML).rows()[0].path == "icml_face_data.csv"


def test_the_folder_inside_may_be_called_otherwise(tmp_path: Path) -> None:
    write(tmp_path / "fer-2013" / "fer2013.csv", CSV)
    assert FER2013(root=tmp_path).rows()[0].path == "fer-2013/fer2013.csv"
    put(tmp_path, "archive/train/fear/Training_1.jpg", "archive/test/fear/PublicTest_2.jpg")
    with pytest.raises(UserError, match=r"once \(in \['archive', 'fer-2013'\]\); give one"):
        FER2013(root=tmp_path).rows()


def test_other_datasets_may_lie_beside_the_folder(tmp_path: Path) -> None:
    put(tmp_path, "DATASET/train/1/train_00001_aligned.jpg", "train/x.jpg")
    write(tmp_path / "fer2013" / "fer2013.csv", CSV)
    assert FER2013(root=tmp_path).rows()[0].path == "fer2013/fer2013.csv"


def test_what_systems_leave_is_no_image_and_no_class(tmp_path: Path) -> None:
    put(tmp_path, "train/fear/Training_1.jpg", "test/fear/PublicTest_2.jpg")
    put(tmp_path, "train/fear/Thumbs.db", "train/__MACOSX/a.jpg")
    assert len(FER2013(root=tmp_path).rows()) == 2


def test_two_copies_side_by_side_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "train/fear/Training_1.jpg", "test/fear/PublicTest_2.jpg")
    with pytest.raises(UserError, match=r"data\.root=.*fer2013\.csv.*train/ and test/"):
        write(tmp_path / "fer2013.csv", CSV).rows()


def test_nothing_found_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    put(tmp_path, "train/happy/a.png")
    with pytest.raises(UserError) as error:
        FER2013(root=tmp_path).rows()
    text = str(error.value)
    for part in ("data.root=", "fer2013.csv", "icml_face_data.csv", "test/", "found train/"):
        assert part in text
    with pytest.raises(UserError, match=r"no FER-2013.*fer2013\.csv or .* train .*found happy/"):
        FER2013(root=tmp_path / "train").rows()


def test_a_folder_of_no_class_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "train/happy/a.png", "test/meh/b.png")
    with pytest.raises(UserError, match=r"data\.root=.*test/meh.*data=folder"):
        FER2013(root=tmp_path).rows()


@pytest.mark.slow
def test_the_real_dataset(fer2013_root: Path) -> None:
    corpus = FER2013(root=fer2013_root)
    rows = corpus.rows()
    counts = Counter((row.split, row.emotion) for row in rows)
    official = {
        "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),
        "val": (467, 56, 496, 895, 653, 415, 607),
        "test": (491, 55, 528, 879, 594, 416, 626),
    }
    assert Counter(row.split for row in rows) == {"train": 28709, "val": 3589, "test": 3589}
    assert counts == {
        (split, emotion): count
        for split, row in official.items()
        for emotion, count in zip(FER_ORDER, row, strict=True)
    }
    assert corpus.load(rows[0]).shape == (48, 48, 3)
    assert FER2013(root=fer2013_root.parent).rows()[0].path == f"fer2013/{rows[0].path}"
