"""FACES' names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.faces import FACES
from fer_lightning.errors import UserError
from tests.helpers.layouts import faces
from tests.helpers.layouts.pictures import touch


def test_fields_of_the_name_are_not_confused(tmp_path: Path) -> None:
    names = ["004_o_m_a_a.jpg", "140_y_f_f_b.jpg", "066_m_m_d_a.JPG", "9_y_f_s_a.jpg"]
    rows = FACES(root=touch(tmp_path, names)).rows()
    assert rows == [
        SourceRow(path="004_o_m_a_a.jpg", emotion="anger", subject="004"),
        SourceRow(path="066_m_m_d_a.JPG", emotion="disgust", subject="066"),
        SourceRow(path="140_y_f_f_b.jpg", emotion="fear", subject="140"),
        SourceRow(path="9_y_f_s_a.jpg", emotion="sadness", subject="9"),
    ]


def test_counts_of_the_whole_dataset(tmp_path: Path) -> None:
    rows = FACES(root=touch(tmp_path, faces.names())).rows()
    classes = ("anger", "disgust", "fear", "happiness", "neutral", "sadness")
    assert Counter(row.emotion for row in rows) == dict.fromkeys(classes, 342)
    assert sum(row.emotion != "neutral" for row in rows) == 1710
    assert len({row.subject for row in rows}) == 171


def test_images_are_decoded_and_others_counted(tmp_path: Path) -> None:
    corpus = FACES(root=touch(faces.build(tmp_path, people=1), ["004_o_x_a_a.jpg"]))
    rows = corpus.rows()
    assert rows[0] == SourceRow(path="004_o_x_a_a.jpg", unusable="misnamed")
    assert corpus.load(rows[1]).shape == (96, 96, 3)
    assert len(rows) == 13


def test_nothing_understood_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.root=.*004_o_m_a_a\.jpg; found a\.jpg"):
        FACES(root=touch(tmp_path, ["a.jpg"])).rows()
