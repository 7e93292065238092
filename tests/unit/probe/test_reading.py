"""Rows, people, emotions and action units of the faces that are probed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTION_ACTION_UNITS, EMOTIONS, PAPER_D_ACTION_UNITS
from fer_lightning.probe.reading import (
    coded_units,
    read_faces,
    shared_emotions,
    vectors_of,
)
from tests.helpers.small import small_archive
from tests.unit.probe.probed import config, drawn, folder, network


def test_everything_known_of_a_face_stands_in_its_row() -> None:
    fit, test = read_faces(config(), network())
    assert test is None
    assert len(fit) == 70
    assert fit.subjects_unknown == 0
    assert len(np.unique(fit.subjects)) == 5
    assert not fit.relabelled
    for label, present in zip(fit.labels, fit.present, strict=True):
        units = EMOTION_ACTION_UNITS[EMOTIONS[label]]
        assert present.tolist() == [int(unit in units) for unit in PAPER_D_ACTION_UNITS]


def test_units_of_faces_that_nobody_coded_are_told_from_emotions(tmp_path: Path) -> None:
    fit, _ = read_faces(config(fit=folder(tmp_path / "a")), network())
    assert fit.relabelled
    assert fit.subjects_unknown == len(fit) == 36
    happy = fit.present[fit.labels == EMOTIONS.index("happiness")]
    assert dict(zip(PAPER_D_ACTION_UNITS, happy[0].tolist(), strict=True))[6] == 1
    assert (happy == happy[0]).all()


def test_unknown_emotions_have_unknown_units(tmp_path: Path) -> None:
    emotions: Any = ("happiness", None, "anger")
    archive = small_archive(tmp_path / "a", emotions=emotions).path
    fit, _ = read_faces(config(fit=Drawn(archive=archive)), network())
    assert ((fit.present < 0).all(axis=1) == (fit.labels < 0)).all()
    assert (fit.labels < 0).sum() == 20
    (kept,), left_out = coded_units(fit, None)
    assert len(kept) == 40
    assert left_out == {"fit": {"uncoded": 20}}
    classes, (labelled,), left_out = shared_emotions(fit, None)
    assert classes == ["happiness", "anger"]
    assert np.bincount(labelled.labels).tolist() == [20, 20]
    assert left_out == {"fit": {"unlabelled": 20}}


def test_classes_are_those_that_both_sets_know(tmp_path: Path) -> None:
    given = config(fit=drawn(), test=folder(tmp_path / "a"))
    fit, test = read_faces(given, network())
    assert test is not None
    classes, sets, left_out = shared_emotions(fit, test)
    assert classes == ["happiness", "sadness", "anger"]
    assert [len(each) for each in sets] == [30, 36]
    assert left_out == {
        "fit": {"disgust": 10, "fear": 10, "neutral": 10, "surprise": 10},
        "test": {},
    }
    for each in sets:
        names = np.array(each.faces.emotions)[each.rows]
        assert [classes[number] for number in each.labels] == names.tolist()


def test_one_shared_emotion_is_too_few(tmp_path: Path) -> None:
    given = config(fit=drawn(emotions=["happiness", "fear"]), test=folder(tmp_path / "a"))
    with pytest.raises(UserError, match=r"both sets know: fit \(drawn, all\) has happiness, f"):
        shared_emotions(*read_faces(given, network()))


def test_nothing_is_both_fitted_and_tested(tmp_path: Path) -> None:
    archive = small_archive(tmp_path / "a").path
    both = {"fit": Drawn(archive=archive), "test": Drawn(archive=archive)}
    with pytest.raises(UserError, match="60 images are to be both fitted and tested"):
        read_faces(config(**both), network())
    fit, test = read_faces(config(**both, fit_split="train", test_split="test"), network())
    assert test is not None
    assert (len(fit), len(test)) == (42, 9)
    assert not set(fit.rows) & set(test.rows)


def test_archives_keep_their_own_size(tmp_path: Path) -> None:
    archive = small_archive(tmp_path / "a", size=24).path
    fit, _ = read_faces(config(fit=Drawn(archive=archive), image_size=None), network())
    assert fit.faces.archives[0].shape == (60, 24, 24, 1)
    with pytest.raises(UserError, match=r"image_size=16, but fit\.archive=.*holds faces of 24"):
        read_faces(config(fit=Drawn(archive=archive)), network())


@pytest.mark.parametrize("place", ["fit", "test"])
def test_mistakes_name_the_block(place: str, tmp_path: Path) -> None:
    missing = folder(tmp_path / "a")
    missing.root = tmp_path / "nowhere"
    with pytest.raises(UserError, match=rf"^{place}\.root=.*nowhere: there is no such folder"):
        read_faces(config(**{place: missing}), network())
    missing.root = None
    with pytest.raises(UserError, match=rf"data@{place}=folder needs {place}\.root=DIR"):
        read_faces(config(**{place: missing}), network())


def test_mistakes_in_the_other_set_are_told_before_faces_are_cut(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^test\.archive=.*nowhere: there is no such folder"):
        read_faces(config(test=Drawn(archive=tmp_path / "nowhere")), network())
    with pytest.raises(UserError, match=r"data@test=folder needs test\.root=DIR"):
        read_faces(config(test=Folder()), network())
    assert not (tmp_path / "archives").exists()


def test_vectors_stand_in_the_order_of_the_rows() -> None:
    fit, _ = read_faces(config(), network())
    some = fit.only(fit.labels == 4)
    cpu = torch.device("cpu")
    every, few = (vectors_of(network(), chosen, cpu) for chosen in (fit, some))
    assert every.shape == (70, 64)
    assert every.dtype == np.float32
    assert np.array_equal(every[fit.labels == 4], few)
