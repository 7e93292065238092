"""Aff-Wild2 from videos and from the faces cut out of them."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from fer_lightning.cli import main
from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.corpora.aff_wild2 import AffWild2, Frames
from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.images import UnusableImage
from fer_lightning.data.video import VideoConfig
from fer_lightning.errors import UserError
from fer_lightning.labels import CODES, canonical_emotion
from tests.helpers.layouts.aff_wild2 import NAMES, RATE, VIDEOS, build
from tests.helpers.layouts.pictures import picture, write

SEVEN = NAMES[:-1]
SHUFFLED = ("Surprise", "Other", "Neutral", "Happiness", "Anger", "Fear", "Sadness", "Disgust")


def labels(rows: list[SourceRow]) -> Counter[tuple[str | None, str | None]]:
    return Counter((row.split, row.emotion) for row in rows if row.unusable is None)


def expected(annotations: list[str]) -> Counter[tuple[str | None, str | None]]:
    splits = {"Train": "train", "Validation": "val"}
    return Counter(
        (splits[split], canonical_emotion(NAMES[code]))
        for split, codes in (VIDEOS[name] for name in annotations)
        for code in codes
        if 0 <= code < 7
    )


def test_is_a_structured_config() -> None:
    assert OmegaConf.to_object(OmegaConf.structured(AffWild2)) == AffWild2()
    assert AffWild2().source_settings() == {"frames": "auto", "video": {"every": 1, "rate": None}}


@pytest.mark.parametrize(
    ("annotations", "train", "cropped"),
    [
        ("EXPR_Classification_Challenge", "Train_Set", "cropped_aligned"),
        ("6th ABAW Annotations/EXPR_Recognition_Challenge", "Train_Set", "Faces/cropped_aligned"),
        ("annotations/EXPR_Set", "Training_Set", "cropped_aligned/cropped_aligned"),
        ("3/Third ABAW Annotations/EXPR_Classification_Challenge", "Train_Set", "cropped_aligned"),
    ],
)  # fmt: skip
def test_cut_faces(tmp_path: Path, annotations: str, train: str, cropped: str) -> None:
    build(tmp_path, annotations=annotations, train=train, cropped=cropped)
    corpus = AffWild2(root=tmp_path)
    rows = corpus.rows()
    assert labels(rows) == expected(list(VIDEOS))
    assert Counter(row.unusable for row in rows) == {None: 32, "no_emotion": 5}
    first = rows[0]
    assert first.path == f"{cropped}/1-30-1280x720/00001.jpg"
    assert (first.frame, first.time, first.subject) == (0, None, "1-30-1280x720")
    assert [r.subject for r in rows if "video5" in r.path] == ["video5"] * 8
    assert all(corpus.load(row).shape == (112, 112, 3) for row in rows)
    files = corpus.files(rows)
    assert Counter(file.suffix for file in files) == {".jpg": 32, ".txt": 5}


def test_images_that_are_not_there_are_missing(tmp_path: Path) -> None:
    corpus = AffWild2(root=build(tmp_path))
    (tmp_path / "cropped_aligned/video9/00003.jpg").unlink()
    rows = {row.path: row for row in corpus.rows()}
    assert len(rows) == 37
    with pytest.raises(UnusableImage, match="missing"):
        corpus.load(rows["cropped_aligned/video9/00003.jpg"])
    assert corpus.load(rows["cropped_aligned/video9/00004.jpg"]).any()


def test_more_than_one_folder_of_cut_faces(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "cropped_aligned_new_50_vids").mkdir()
    (tmp_path / "cropped_aligned/video9").rename(tmp_path / "cropped_aligned_new_50_vids/video9")
    corpus = AffWild2(root=tmp_path)
    rows = corpus.rows()
    assert rows[-1].path == "cropped_aligned_new_50_vids/video9/00007.jpg"
    assert all(corpus.load(row).any() for row in rows)


def test_videos(tmp_path: Path) -> None:
    corpus = AffWild2(root=build(tmp_path, crops=False, videos=True))
    rows = corpus.rows()
    assert labels(rows) == expected(["1-30-1280x720", "video2", "video9"])
    assert Counter(row.unusable for row in rows) == {None: 26, "no_emotion": 5, "two_people": 6}
    assert {row.path for row in rows if row.unusable == "two_people"} == {"batch1/video5.mp4"}
    used = [row for row in rows if row.unusable is None]
    assert {row.path for row in used} == {
        "batch1/1-30-1280x720.mp4",
        "batch2/video2.avi",
        "batch2/video9.avi",
    }
    for row in used:
        shown = corpus.load(row)
        assert shown.shape == (112, 112, 3)
        assert row.time == pytest.approx(row.frame / RATE)
        others = {name: _distance(shown, name) for name in map(canonical_emotion, SEVEN) if name}
        assert min(others, key=others.__getitem__) == row.emotion  # the right frame
    assert Counter(file.suffix for file in corpus.files(rows)) == {".mp4": 1, ".avi": 2, ".txt": 5}


def test_the_archive_holds_frame_and_time(tmp_path: Path) -> None:
    root = build(tmp_path / "data", crops=False, videos=True)
    assert main(["prepare", "data=aff_wild2", f"data.root={root}", "data.video.rate=10",
                 "detector=whole_image", "image_size=32", "workers=1",
                 f"archive={tmp_path / 'OUT'}"]) == 0  # fmt: skip
    index = FaceArchive.open(tmp_path / "OUT").table()
    shown = [row for row in index.to_pylist() if row["path"] == "batch2/video9.avi"]
    assert [row["frame"] for row in shown] == [0, 3, 6]
    assert [row["time"] for row in shown] == pytest.approx([0, 0.1, 0.2])
    assert [row["emotion"] for row in shown] == ["neutral", "fear", "surprise"]


def _distance(shown: np.ndarray, emotion: str) -> float:
    original = np.asarray(Image.open(io.BytesIO(picture(emotion, 112))))
    return float(np.abs(shown.astype(float) - original).mean())


def test_auto_prefers_cut_faces(tmp_path: Path) -> None:
    build(tmp_path, videos=True)
    assert AffWild2(root=tmp_path).rows()[0].path.endswith("00001.jpg")
    videos = AffWild2(root=tmp_path, frames=Frames.videos).rows()
    assert videos[0].path.endswith(".mp4")


def test_every_and_rate(tmp_path: Path) -> None:
    build(tmp_path, videos=True)

    def frames(kind: Frames, **video: float) -> list[str]:
        corpus = AffWild2(root=tmp_path, frames=kind, video=VideoConfig(**video))  # type: ignore[arg-type]
        return [
            row.path[-9:-4] if row.path.endswith(".jpg") else str(row.frame)
            for row in corpus.rows()
            if row.subject == "1-30-1280x720"
        ]

    assert frames(Frames.auto, every=5) == ["00001", "00006", "00011", "00016"]
    assert frames(Frames.videos, every=5) == ["0", "5", "10", "15"]
    assert frames(Frames.videos, rate=RATE / 4) == ["0", "4", "8", "12"]
    with pytest.raises(UserError, match=r"data\.video\.rate=2.*data\.video\.every.*frames=videos"):
        frames(Frames.auto, rate=2.0)


@pytest.mark.parametrize("names", [NAMES, SHUFFLED])
def test_codes_are_read_by_the_names_of_the_first_line(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    rows = AffWild2(root=build(tmp_path, names=names)).rows()
    assert labels(rows) == expected(list(VIDEOS))


def test_seven_names_and_windows_lines(tmp_path: Path) -> None:
    seven = {"a": ("Train", [0, 1, 2, 3, 4, 5, 6])}
    build(tmp_path, names=SEVEN, annotated=seven)
    file = tmp_path / "EXPR_Classification_Challenge/Train_Set/a.txt"
    file.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(file.read_bytes().split(b"\n")) + b"\r\n\r\n")
    rows = AffWild2(root=tmp_path).rows()
    assert [row.emotion for row in rows] == [canonical_emotion(name) for name in SEVEN]


def test_an_empty_line_is_a_frame_without_label(tmp_path: Path) -> None:
    build(tmp_path, annotated={"a": ("Train", [1, 4])})
    file = tmp_path / "EXPR_Classification_Challenge/Train_Set/a.txt"
    file.write_text(f"{','.join(NAMES)}\n1\n\n4\n")
    rows = AffWild2(root=tmp_path).rows()
    assert [(row.path[-9:], row.emotion, row.unusable) for row in rows] == [
        ("00001.jpg", "anger", None),
        ("00002.jpg", None, "no_emotion"),
        ("00003.jpg", "happiness", None),
    ]


def test_the_map_to_affectnet_is_a_bijection_on_seven_names() -> None:
    affectnet = {name: code for code, name in CODES["affectnet"].items()}
    to_affectnet = {code: affectnet[name] for code, name in CODES["aff_wild2"].items()}
    assert to_affectnet == {0: 0, 1: 6, 2: 5, 3: 4, 4: 1, 5: 2, 6: 3}
    assert sorted(to_affectnet.values()) == sorted(to_affectnet)
    assert [canonical_emotion(name) for name in SEVEN] == list(CODES["aff_wild2"].values())


def test_a_video_may_be_named_like_one_of_two_people(tmp_path: Path) -> None:
    only = {"video7_left": ("Train", [1, 4, 4])}
    build(tmp_path, crops=False, videos=True, annotated=only)
    (tmp_path / "batch1/video7.mp4").rename(tmp_path / "batch1/video7_left.mp4")
    rows = AffWild2(root=tmp_path).rows()
    assert {(row.path, row.unusable) for row in rows} == {("batch1/video7_left.mp4", None)}


def test_the_one_beside_two_people_is_one_of_them(tmp_path: Path) -> None:
    both = {"v": ("Train", [1, 4]), "v_left": ("Train", [2, 2])}
    build(tmp_path, crops=False, videos=True, annotated=both)
    rows = AffWild2(root=tmp_path).rows()
    assert {(row.path, row.unusable) for row in rows} == {("batch1/v.mp4", "two_people")}


def test_videos_that_are_not_there_or_damaged(tmp_path: Path) -> None:
    corpus = AffWild2(root=build(tmp_path, crops=False, videos=True))
    (tmp_path / "batch2/video2.avi").unlink()
    (tmp_path / "batch2/video9.avi").write_bytes(b"no video")
    rows = [row for row in corpus.rows() if row.unusable is None]
    reasons = {}
    for row in rows:
        try:
            corpus.load(row)
        except UnusableImage as error:
            reasons[row.path] = error.reason
            assert row.time is None
    assert reasons == {"video2.mp4": "missing", "batch2/video9.avi": "unreadable"}
    assert len(rows) == 26


def test_what_systems_leave_is_not_searched(tmp_path: Path) -> None:
    expected = AffWild2(root=build(tmp_path)).rows()
    write(tmp_path, {
        "__MACOSX/cropped_aligned/1-30-1280x720/._00001.jpg": b"",
        "__MACOSX/EXPR_Classification_Challenge/Train_Set/a.txt": "Neutral\n0\n",
        "EXPR_Classification_Challenge/Train_Set/._a.txt": b"\xff",
    })  # fmt: skip
    assert AffWild2(root=tmp_path).rows() == expected


def test_an_annotation_that_is_no_text_is_named(tmp_path: Path) -> None:
    build(tmp_path, annotated={"a": ("Train", [1])})
    file = tmp_path / "EXPR_Classification_Challenge/Train_Set/a.txt"
    file.write_bytes(b"Neutral,Anger\xe9\n0\n")
    with pytest.raises(UserError, match=r"a\.txt is not UTF-8"):
        AffWild2(root=tmp_path).rows()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.txt is empty"),
        ("0\n1\n", r"a.txt, line 1: '0' is no emotion"),
        ("Neutral,Anger\n0\n2\n", r"a.txt, line 3: '2' is no code of its first line"),
        ("Neutral,Anger\n0\n1.5\n", r"a.txt, line 3: '1.5' is no code"),
    ],
)
def test_a_wrong_annotation_is_named(tmp_path: Path, text: str, message: str) -> None:
    build(tmp_path, annotated={"a": ("Train", [1])})
    (tmp_path / "EXPR_Classification_Challenge/Train_Set/a.txt").write_text(text)
    with pytest.raises(UserError, match=rf"data\.root: .*{message}"):
        AffWild2(root=tmp_path).rows()


def test_what_is_there_twice_is_refused(tmp_path: Path) -> None:
    build(tmp_path, crops=False, videos=True)
    write(tmp_path, {"other/video2.mp4": b""})
    with pytest.raises(UserError, match=r"video video2 twice: .*batch2/video2\.avi .*other"):
        AffWild2(root=tmp_path).rows()
    (tmp_path / "other/video2.mp4").unlink()
    write(tmp_path, {"old/EXPR_Set/Training_Set/a.txt": "Neutral\n0\n"})
    with pytest.raises(UserError, match=r"once \(EXPR_Class\w+ and old/EXPR_Set\); remove one"):
        AffWild2(root=tmp_path).rows()


def test_nothing_found_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    write(tmp_path, {"pictures/a.jpg": b""})
    with pytest.raises(UserError, match=r"data\.root=.*no expressions.*EXPR_.*found pictures/"):
        AffWild2(root=tmp_path).rows()
    build(tmp_path, crops=False)
    with pytest.raises(UserError, match=r"data\.frames=auto.*no videos; found EXPR_Class"):
        AffWild2(root=tmp_path).rows()
    with pytest.raises(UserError, match=r"data\.frames=cropped_aligned.*folder cropped_aligned/"):
        AffWild2(root=tmp_path, frames=Frames.cropped_aligned).rows()
    (tmp_path / "cropped_aligned").mkdir()
    for file in (tmp_path / "EXPR_Classification_Challenge").rglob("*.txt"):
        file.unlink()
    with pytest.raises(UserError, match="holds no annotations of frames"):
        AffWild2(root=tmp_path).rows()
