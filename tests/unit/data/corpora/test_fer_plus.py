"""FER+: what ten people's votes make of FER-2013."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.fer2013 import FER2013
from fer_lightning.data.corpora.fer_plus import FERPlus, Labels
from fer_lightning.errors import UserError
from fer_lightning.labels import canonical_split
from tests.helpers.layouts.fer_plus import VOTES, build, build_written, votes
from tests.helpers.layouts.pictures import write

MAJORITY = [
    "neutral",
    "happiness",
    "no_majority",  # 4 of 9
    "neutral",  # 6 of 6, for single votes do not count
    "not_a_face",
    "no_emotion",
    "no_majority",  # 5 of 10 is not more than half
    "contempt",
    "sadness",
    "no_majority",
    "fear",
    "disgust",
]
SOFT = [*MAJORITY[:2], "neutral", *MAJORITY[3:6], "happiness", *MAJORITY[7:]]


def outcome(rows: list[SourceRow]) -> list[str | None]:
    assert all((row.emotion is None) == (row.unusable is not None) for row in rows)
    return [row.emotion or row.unusable for row in rows]


def test_is_a_structured_config_of_a_gray_corpus() -> None:
    assert OmegaConf.to_object(OmegaConf.structured(FERPlus)) == FERPlus()
    assert FERPlus().native_channels == 1
    assert FERPlus().source_settings() == {"labels": "majority"}


@pytest.mark.parametrize("name", ["fer2013.csv", "icml_face_data.csv"])
@pytest.mark.parametrize(("beside", "wrapper"), [("", ""), ("fer2013/", "FERPlus-master/")])
def test_votes_become_labels(tmp_path: Path, name: str, beside: str, wrapper: str) -> None:
    corpus = FERPlus(root=build(tmp_path, name, wrapper, beside=beside))
    rows = corpus.rows()
    assert outcome(rows) == MAJORITY
    assert outcome(FERPlus(root=tmp_path, labels=Labels.soft).rows()) == SOFT
    assert [row.split for row in rows] == [canonical_split(usage) for usage, _ in VOTES]
    assert [row.frame for row in rows] == list(range(12))
    images = FER2013(root=tmp_path / beside)
    for row, image in zip(rows, images.rows(), strict=True):
        assert (corpus.load(row) == images.load(image)).all()
    assert corpus.files(rows) == sorted([tmp_path / f"{beside}{name}",
                                         tmp_path / f"{wrapper}fer2013new.csv"])  # fmt: skip


@pytest.mark.parametrize("labels", list(Labels))
def test_shares_are_of_the_eight_emotions_without_single_votes(
    tmp_path: Path, labels: Labels
) -> None:
    rows = FERPlus(root=build(tmp_path), labels=labels).rows()
    shares = [{e: s for e, s in (row.votes or {}).items() if s} for row in rows]
    assert shares[0] == {"neutral": 1.0}
    assert shares[1] == {"happiness": 1.0}
    assert shares[2] == {"neutral": 4 / 9, "anger": 3 / 9, "disgust": 2 / 9}
    assert shares[5] == {"neutral": 1.0}  # of the emotions; unknown won
    assert shares[6] == {"happiness": 0.5, "surprise": 0.5}
    assert shares[10] == {"surprise": 0.4, "fear": 0.6}
    assert rows[4].votes is None
    assert rows[9].votes is None
    assert all(len(row.votes) == 8 for row in rows if row.votes)


def test_published_order_and_number_are_needed(tmp_path: Path) -> None:
    build(tmp_path)
    source = tmp_path / "fer2013new.csv"
    source.write_text(votes(VOTES[:-1]))
    with pytest.raises(UserError, match=r"11 lines of votes for 12 images"):
        FERPlus(root=tmp_path).rows()
    source.write_text(votes(VOTES[::-1]))
    with pytest.raises(UserError, match=r"line 2 is of test, but the image there in .*of train"):
        FERPlus(root=tmp_path).rows()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", r"needs the columns Usage.*found \['a', 'b'\]"),
        ("", r"needs the columns Usage.*found \[\]"),
        (votes() + "Training,x\n", "line 14 has 2 cells instead of 12"),
        (votes().replace("Training,,0", "Training,,x"), "line 6: 'Training,,x,.*' is no Usage"),
        (votes().replace("Training,,0", "Someday,,0"), "line 6: 'Someday,,0,.*' is no Usage"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    build(tmp_path)
    (tmp_path / "fer2013new.csv").write_text(text)
    with pytest.raises(UserError, match=rf"data\.root: .*{message}"):
        FERPlus(root=tmp_path).rows()


def test_folders_of_images_cannot_be_used(tmp_path: Path) -> None:
    write(tmp_path, {"train/happy/Training_1.jpg": b"", "fer2013new.csv": votes()})
    (tmp_path / "test").mkdir()
    with pytest.raises(UserError, match=r"no fer2013\.csv or icml.*folders of classes cannot"):
        FERPlus(root=tmp_path).rows()


def test_what_is_missing_or_there_twice_is_said(tmp_path: Path) -> None:
    build(tmp_path)
    write(tmp_path, {"copy/fer2013new.csv": votes()})
    with pytest.raises(UserError, match=r"once \(copy/fer2013new\.csv and fer2013new\.csv\)"):
        FERPlus(root=tmp_path).rows()
    for file in tmp_path.rglob("fer2013new.csv"):
        file.unlink()
    with pytest.raises(UserError, match=r"no fer2013new\.csv; .*found copy/, fer2013\.csv"):
        FERPlus(root=tmp_path).rows()
    write(tmp_path, {"icml_face_data.csv": ""})
    with pytest.raises(UserError, match=r"FER-2013 more than once \(fer2013\.csv and icml_"):
        FERPlus(root=tmp_path).rows()


def test_tables_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    source = build(tmp_path) / "fer2013new.csv"
    source.write_bytes(source.read_bytes() + b"\xe9")
    with pytest.raises(UserError, match=r"fer2013new\.csv is not UTF-8"):
        FERPlus(root=tmp_path).rows()
    source.write_text(votes() + "a" * 131_073)
    with pytest.raises(UserError, match=r"fer2013new\.csv is no valid CSV file"):
        FERPlus(root=tmp_path).rows()


@pytest.mark.parametrize("wrapper", ["", "FERPlus-master/data/"])
@pytest.mark.parametrize("box", [False, True])
def test_the_folders_that_its_code_writes(tmp_path: Path, wrapper: str, box: bool) -> None:
    corpus = FERPlus(root=build_written(tmp_path, wrapper, box))
    write(tmp_path, {"fer2013new.csv": votes()})  # alone it says nothing of these
    rows = corpus.rows()
    assert outcome(rows) == [*MAJORITY[:4], *MAJORITY[5:]]  # no row for what is no face
    assert [row.path.split("/")[-2] for row in rows] == [
        *["FER2013Train"] * 7, *["FER2013Valid"] * 2, *["FER2013Test"] * 2
    ]  # fmt: skip
    assert [row.split for row in rows] == ["train"] * 7 + ["val"] * 2 + ["test"] * 2
    assert (rows[1].votes or {})["happiness"] == 1
    assert all(corpus.load(row).shape == (48, 48, 3) for row in rows)
    files = corpus.files(rows)
    assert sum(file.name == "label.csv" for file in files) == 3
    assert len(files) == 14
    build(tmp_path)  # the table goes before them
    assert {row.path for row in corpus.rows()} == {"fer2013.csv"}


def test_written_folders_that_are_not_whole(tmp_path: Path) -> None:
    build_written(tmp_path)
    labels = tmp_path / "FER2013Train/label.csv"
    text = labels.read_text()
    for line, message in (
        ("fer0000099.png,1,2\n", r"label\.csv, line 8: 'fer0000099\.png,1,2' is no image with 10"),
        ("fer0000099.png" + ",x" * 10 + "\n", r"line 8: 'fer0000099\.png,x.*is no image"),
        (text.splitlines()[0], r"line 8: fer0000000\.png is in an earlier line too"),
    ):
        labels.write_text(text + line)
        with pytest.raises(UserError, match=message):
            FERPlus(root=tmp_path).rows()
    labels.unlink()
    with pytest.raises(UserError, match=r"there is no .*FER2013Train/label\.csv"):
        FERPlus(root=tmp_path).rows()


def test_labels_without_images_are_refused(tmp_path: Path) -> None:
    build_written(tmp_path)
    for image in tmp_path.rglob("*.png"):
        image.unlink()
    with pytest.raises(UserError, match=r"no fer2013\.csv.*no images in FER2013Train, FER2013V"):
        FERPlus(root=tmp_path).rows()


def test_the_published_first_lines(tmp_path: Path) -> None:
    """The first lines of the published table, and what its own majority rule gives."""
    counts = """4,0,0,1,3,2,0,0,0,0 6,0,1,1,0,0,0,0,2,0 5,0,0,3,1,0,0,0,1,0 4,0,0,4,1,0,0,0,1,0
    9,0,0,1,0,0,0,0,0,0 6,0,0,1,0,0,1,1,1,0 2,0,0,8,0,0,0,0,0,0 0,10,0,0,0,0,0,0,0,0
    0,10,0,0,0,0,0,0,0,0 0,0,6,0,0,0,4,0,0,0 2,0,0,0,8,0,0,0,0,0 10,0,0,0,0,0,0,0,0,0"""
    table = [("Training", tuple(map(int, line.split(",")))) for line in counts.split()]
    build(tmp_path)
    fer2013 = tmp_path / "fer2013.csv"
    fer2013.write_text(fer2013.read_text().replace("PublicTest", "Training"))
    fer2013.write_text(fer2013.read_text().replace("PrivateTest", "Training"))
    (tmp_path / "fer2013new.csv").write_text(votes(table))
    assert Counter(outcome(FERPlus(root=tmp_path).rows())) == {
        "neutral": 5,
        "no_majority": 2,
        "sadness": 1,
        "happiness": 2,
        "surprise": 1,
        "anger": 1,
    }
