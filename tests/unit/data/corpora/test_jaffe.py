"""JAFFE's names, and what all corpora do that are read by names alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.jaffe import JAFFE
from fer_lightning.data.images import UnusableImage
from fer_lightning.errors import UserError
from tests.helpers.layouts import jaffe
from tests.helpers.layouts.pictures import touch, write


def test_is_a_structured_config_of_a_gray_corpus() -> None:
    assert OmegaConf.to_object(OmegaConf.structured(JAFFE)) == JAFFE()
    assert JAFFE().native_channels == 1
    assert JAFFE().source_settings() == {}


@pytest.mark.parametrize("suffix", [".tiff", ".tif"])
def test_names_say_subject_and_expression(tmp_path: Path, suffix: str) -> None:
    corpus = JAFFE(root=jaffe.build(tmp_path, suffix=suffix, people=1))
    rows = corpus.rows()
    assert rows[0] == SourceRow(path=f"jaffedbase/KA.AN1.1{suffix}", emotion="anger", subject="KA")
    assert [row.emotion for row in rows] == [
        "anger",
        "disgust",
        "fear",
        "happiness",
        "neutral",
        "sadness",
        "surprise",
    ]
    assert corpus.load(rows[0]).shape == (96, 96, 3)
    assert corpus.files(rows) == [tmp_path / row.path for row in rows]


def test_counts_of_the_whole_dataset(tmp_path: Path) -> None:
    rows = JAFFE(root=touch(tmp_path, jaffe.names())).rows()
    assert Counter(row.emotion for row in rows) == {
        "anger": 30,
        "disgust": 29,
        "fear": 32,
        "happiness": 31,
        "neutral": 30,
        "sadness": 31,
        "surprise": 30,
    }
    assert sum(row.emotion != "neutral" for row in rows) == 183
    assert len({row.subject for row in rows}) == 10


def test_other_names_are_counted_and_other_files_ignored(tmp_path: Path) -> None:
    write(jaffe.build(tmp_path, people=1), {"KA.XX1.9.tiff": b"", "a.tiff": b"", "notes.txt": b""})
    rows = [row for row in JAFFE(root=tmp_path).rows() if row.unusable]
    assert rows == [
        SourceRow(path="KA.XX1.9.tiff", unusable="misnamed"),
        SourceRow(path="a.tiff", unusable="misnamed"),
    ]


def test_a_truncated_file_is_unreadable(tmp_path: Path) -> None:
    corpus = JAFFE(root=jaffe.build(tmp_path, people=1))
    row = corpus.rows()[0]
    path = tmp_path / row.path
    path.write_bytes(path.read_bytes()[:500])
    assert corpus.rows()[0] == row
    with pytest.raises(UnusableImage, match="unreadable"):
        corpus.load(row)


def test_two_copies_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, ["a/KA.AN1.39.tiff", "b/ka.an1.39.tif"])
    with pytest.raises(UserError, match=r"data\.root=.*JAFFE more than once \(a/.* and b/.*\)"):
        JAFFE(root=tmp_path).rows()


def test_nothing_understood_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    touch(tmp_path, ["faces/004_o_m_a_a.jpg", "list.csv"])
    with pytest.raises(UserError, match=r"no JAFFE;.*KA\.AN1\.39\.tiff; found faces/, list\.csv"):
        JAFFE(root=tmp_path).rows()
