"""CK+: sequences, emotion files and FACS files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.ck_plus import CKPlus
from fer_lightning.data.images import UnusableImage
from fer_lightning.errors import UserError
from fer_lightning.labels import ACTION_UNITS
from tests.helpers.layouts import ck_plus
from tests.helpers.layouts.pictures import touch, write

IMAGES = "cohn-kanade-images/S005/001"
PEAK = "S005_001_00000003"
EMOTION = f"Emotion/S005/001/{PEAK}_emotion.txt"
FACS = f"FACS/S005/001/{PEAK}_facs.txt"


def one(root: Path, **options: object) -> Path:
    return write(root, ck_plus.sequence(5, 1, **options))  # type: ignore[arg-type]


def test_is_a_structured_config() -> None:
    assert OmegaConf.to_object(OmegaConf.structured(CKPlus)) == CKPlus()
    assert CKPlus().source_settings() == {"neutral": True, "peak_frames": 1}


def test_first_frame_is_neutral_and_last_has_the_emotion_and_the_units(tmp_path: Path) -> None:
    one(tmp_path, code=3, facs=[(9, 4), (17, 0), (25, 5), (64, 3)])
    corpus = CKPlus(root=tmp_path)
    units = dict.fromkeys(ACTION_UNITS, 0.0) | {9: 4.0, 17: 0.5, 25: 5.0}
    rows = corpus.rows()
    assert rows == [
        SourceRow(path=f"{IMAGES}/S005_001_00000001.png", emotion="neutral", subject="S005"),
        SourceRow(
            path=f"{IMAGES}/{PEAK}.png", emotion="disgust", subject="S005", action_units=units
        ),
    ]
    assert corpus.load(rows[1]).shape == (96, 96, 3)
    assert corpus.files(rows) == sorted(
        tmp_path / path for path in (rows[0].path, rows[1].path, EMOTION, FACS)
    )


@pytest.mark.parametrize(
    "folders",
    [
        {"images": "extended-cohn-kanade-images/cohn-kanade-images"},
        {
            "images": "extended-cohn-kanade-images",
            "Emotion": "Emotion_labels",
            "FACS": "FACS_labels",
        },
        {"images": "CK+/images", "Emotion": "Emotion_labels/Emotion", "FACS": "FACS_labels/FACS"},
    ],
)
def test_folders_may_be_called_otherwise(tmp_path: Path, folders: dict[str, str]) -> None:
    usual = CKPlus(root=ck_plus.build(tmp_path / "a")).rows()
    rows = CKPlus(root=ck_plus.build(tmp_path / "b", folders=folders)).rows()
    assert [(r.emotion, r.subject, r.action_units) for r in rows] == [
        (r.emotion, r.subject, r.action_units) for r in usual
    ]
    assert {Path(row.path).parts[-4] for row in rows} == {Path(folders["images"]).name}


def test_facs_alone_gives_an_unlabelled_peak_and_nothing_gives_nothing(tmp_path: Path) -> None:
    rows = CKPlus(root=ck_plus.build(tmp_path, people=1)).rows()
    assert sorted({int(row.path.split("/")[2]) for row in rows}) == [1, 2, 3, 4, 5, 6, 7, 8]
    (alone,) = (row for row in rows if "/008/" in row.path)
    assert (alone.emotion, alone.unusable) == (None, None)
    assert alone.action_units[1] == 0.5
    assert alone.path.endswith("3.png")


def test_counts_of_the_whole_dataset(tmp_path: Path) -> None:
    rows = CKPlus(root=ck_plus.whole(tmp_path), neutral=False).rows()
    assert Counter(row.emotion for row in rows) == {
        "anger": 45,
        "contempt": 18,
        "disgust": 59,
        "fear": 25,
        "happiness": 69,
        "sadness": 28,
        "surprise": 83,
        None: 593 - 327,
    }
    assert len({row.subject for row in rows}) == 123
    with_neutral = CKPlus(root=tmp_path).rows()
    assert Counter(row.emotion for row in with_neutral)["neutral"] == 327
    assert len(with_neutral) == 593 + 327


@pytest.mark.parametrize(
    ("peak_frames", "neutral", "expected"),
    [
        (1, True, ["neutral", "fear"]),
        (3, True, ["neutral", "fear", "fear", "fear"]),
        (9, True, ["neutral", *["fear"] * 4]),
        (3, False, ["fear", "fear", "fear"]),
        (9, False, ["fear"] * 5),
    ],
)
def test_the_last_frames_carry_the_emotion(
    tmp_path: Path, peak_frames: int, neutral: bool, expected: list[str]
) -> None:
    one(tmp_path, frames=5, code=4, facs=[(1, 2)])
    rows = CKPlus(root=tmp_path, peak_frames=peak_frames, neutral=neutral).rows()
    assert [row.emotion for row in rows] == expected
    assert [row.path for row in rows] == sorted({row.path for row in rows})
    assert rows[-1].path.endswith("00000005.png")
    assert [bool(row.action_units) for row in rows] == [False] * (len(rows) - 1) + [True]


def test_the_label_file_names_the_peak_also_where_the_image_is_gone(tmp_path: Path) -> None:
    one(tmp_path, frames=3, code=5)
    write(tmp_path, ck_plus.sequence(6, 1, code=5))
    (tmp_path / IMAGES / f"{PEAK}.png").unlink()
    for image in (tmp_path / "cohn-kanade-images/S006/001").iterdir():
        image.unlink()
    corpus = CKPlus(root=tmp_path, neutral=False)
    rows = corpus.rows()
    assert [row.path for row in rows] == [
        f"{IMAGES}/{PEAK}.png",
        "cohn-kanade-images/S006/001/S006_001_00000003.png",
    ]
    for row in rows:
        with pytest.raises(UnusableImage, match="missing"):
            corpus.load(row)


def test_frames_after_the_peak_are_left_out(tmp_path: Path) -> None:
    one(tmp_path, code=5)
    touch(tmp_path, [f"{IMAGES}/S005_001_00000004.png"])
    rows = CKPlus(root=tmp_path, peak_frames=2).rows()
    assert [row.path[-6:] for row in rows] == ["01.png", "02.png", "03.png"]


def test_where_label_files_disagree_the_emotion_file_names_the_peak(tmp_path: Path) -> None:
    write(one(tmp_path, code=5), {FACS.replace("3_facs", "2_facs"): "1 2\n"})
    assert CKPlus(root=tmp_path).rows()[-1].path.endswith("03.png")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no_label"),
        ("\r\n", "no_label"),
        ("9.0e+00\n", "no_emotion"),
        ("1.5\n", "no_emotion"),
    ],
)
def test_a_label_without_meaning_is_counted(tmp_path: Path, text: str, reason: str) -> None:
    write(one(tmp_path, code=1), {EMOTION: text})
    assert CKPlus(root=tmp_path).rows() == [
        SourceRow(path=f"{IMAGES}/{PEAK}.png", subject="S005", unusable=reason)
    ]


def test_an_empty_facs_file_says_nothing(tmp_path: Path) -> None:
    write(one(tmp_path, code=1), {FACS: ""})
    assert CKPlus(root=tmp_path).rows()[-1].action_units == {}
    write(tmp_path, ck_plus.sequence(6, 1, facs=[]))
    assert CKPlus(root=tmp_path).rows()[-1].unusable == "no_label"


def test_byte_order_mark_crlf_and_blank_lines(tmp_path: Path) -> None:
    write(one(tmp_path, code=1), {EMOTION: "\ufeff   6.0000000e+00\r\n\r\n", FACS: "\n 1 2\r\n"})
    row = CKPlus(root=tmp_path).rows()[-1]
    assert row.emotion == "sadness"
    assert row.action_units[1] == 2


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (EMOTION, "happy\n", r"emotion\.txt, line 1: 'happy' is not 1 number"),
        (FACS, "1 2\n4\n", r"facs\.txt, line 2: '4' is not 2 number"),
        (FACS, "1 2\n\n4 6\n", r"facs\.txt, line 3: 4 6 is no action unit with a grade"),
        (FACS, "1.5 2\n", r"facs\.txt, line 1: 1\.5 2"),
        (FACS, "1 nan\n", r"facs\.txt, line 1: 1 nan"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, file: str, text: str, message: str) -> None:
    write(one(tmp_path, code=1), {file: text})
    with pytest.raises(UserError, match=message):
        CKPlus(root=tmp_path).rows()


@pytest.mark.parametrize("file", [EMOTION, FACS])
def test_a_label_file_that_is_no_text_is_named(tmp_path: Path, file: str) -> None:
    write(one(tmp_path, code=1), {file: "1 2\n".encode("utf-16")})
    with pytest.raises(UserError, match=rf"{file} is not UTF-8"):
        CKPlus(root=tmp_path).rows()


def test_two_label_files_of_one_sequence_are_refused(tmp_path: Path) -> None:
    write(one(tmp_path, code=1), {f"Copy/{PEAK}_emotion.txt": "1\n"})
    with pytest.raises(UserError, match=rf"\(Copy/{PEAK}_emotion\.txt and {EMOTION}\); remove"):
        CKPlus(root=tmp_path).rows()


def test_other_images_are_counted(tmp_path: Path) -> None:
    touch(one(tmp_path, code=1), ["a.png", f"{IMAGES}/S005_001_00000002_emotion.png", "b.txt"])
    rows = CKPlus(root=tmp_path).rows()
    assert [row.path for row in rows if row.unusable == "misnamed"] == [
        "a.png",
        f"{IMAGES}/S005_001_00000002_emotion.png",
    ]


def test_two_copies_are_refused(tmp_path: Path) -> None:
    one(tmp_path / "a", code=1)
    one(tmp_path / "b", code=1)
    with pytest.raises(UserError, match=r"CK\+ more than once \(a/.* and b/"):
        CKPlus(root=tmp_path).rows()


def test_missing_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no images of CK\+.*S005_001_00000001\.png; found FACS/"):
        CKPlus(root=touch(tmp_path, [FACS])).rows()
    with pytest.raises(
        UserError, match=r"no labels of CK\+.*00000011_emotion\.txt; found FACS/, c"
    ):
        CKPlus(root=one(tmp_path, facs=[(1, 1)])).rows()
    with pytest.raises(UserError, match=r"data\.peak_frames=0: give at least 1"):
        CKPlus(peak_frames=0)
