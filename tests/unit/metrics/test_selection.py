"""Which real images count: by name, stratified, and never silently none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_lightning.errors import UserError
from fer_lightning.metrics.selection import select, stratified
from tests.helpers.small import EMOTIONS
from tests.unit.metrics.helpers import small_faces


def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    faces = small_faces(tmp_path)
    reverse = ["anger", "neutral", "happiness"]
    found = select(faces, "train", reverse, None, 0)
    column = faces.archives[0].column("emotion")
    assert [reverse[e] for e in found.emotions] == [column[row] for row in found.rows]
    assert found.unknown == {"sadness": 14}
    assert len(found.rows) == 28


def test_emotions_that_no_train_row_has_are_counted(tmp_path: Path) -> None:
    faces = small_faces(tmp_path)
    for row in faces.parts["test"][:2]:
        faces.emotions[row] = "contempt"
    assert select(faces, "test", EMOTIONS, None, 0).unknown == {"contempt": 2}


def test_a_draw_keeps_the_proportions(tmp_path: Path) -> None:
    faces = small_faces(tmp_path)
    found = select(faces, "train", EMOTIONS, 10, 0)
    assert sorted(np.bincount(found.emotions).tolist()) == [3, 3, 4]
    again, other = (select(faces, "train", EMOTIONS, 10, seed) for seed in (0, 1))
    assert (again.rows == found.rows).all()
    assert (other.rows != found.rows).any()
    assert len(select(faces, "train", EMOTIONS, 1000, 0).rows) == 42


def test_shares_go_to_the_largest_remainders() -> None:
    labels = np.repeat([0, 1, 3], [70, 25, 5])
    chosen = stratified(labels, 11, 0)
    assert np.bincount(labels[chosen], minlength=4).tolist() == [8, 3, 0, 0]
    assert (np.diff(chosen) > 0).all()


def test_nothing_to_measure_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"split=test: 0 images .* of other emotions: {'"):
        select(small_faces(tmp_path), "test", ["fear"], None, 0)


def test_without_classes_every_row_counts(tmp_path: Path) -> None:
    faces = small_faces(tmp_path, labelled=False, emotions=("fear", None))
    found = select(faces, "train", [], None, 0)
    assert found.rows.tolist() == faces.parts["train"].tolist()
    assert (found.emotions == 0).all()
    assert found.unknown == {}
    drawn, other = (select(faces, "train", [], 10, seed).rows for seed in (0, 1))
    assert len(drawn) == len(set(drawn.tolist())) == 10
    assert (drawn != other).any()
    faces.parts["val"] = faces.parts["val"][:1]
    with pytest.raises(UserError, match=r"split=val: 1 images, and .* takes every image\)"):
        select(faces, "val", [], None, 0)
