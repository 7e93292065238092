from __future__ import annotations

import hashlib
import subprocess
import sys
import warnings
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.drawn import DRAWN_ACTION_UNITS
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTION_ACTION_UNITS, EMOTIONS


def test_defaults_are_balanced_over_seven_emotions_and_all_subjects() -> None:
    rows = Drawn().rows()
    assert len(rows) == 2800
    assert Counter(row.emotion for row in rows) == dict.fromkeys(EMOTIONS[:7], 400)
    assert len({row.subject for row in rows}) == 100
    for subject in ("S000", "S099"):
        own = Counter(row.emotion for row in rows if row.subject == subject)
        assert own == dict.fromkeys(EMOTIONS[:7], 4)
    assert len({(row.path, row.frame) for row in rows}) == 2800


def test_rows_carry_exact_labels() -> None:
    for row in Drawn(count=64, emotions=list(EMOTIONS)).rows():
        assert row.split is None
        assert row.frame == 0
        assert row.emotion is not None
        assert row.intensity is not None
        if row.emotion == "neutral":
            assert row.intensity == 0
        else:
            assert 0.6 <= row.intensity <= 1
        assert tuple(row.action_units) == DRAWN_ACTION_UNITS
        for unit, value in row.action_units.items():
            if unit in EMOTION_ACTION_UNITS[row.emotion]:
                assert 0.84 * row.intensity < value <= row.intensity
            else:
                assert value == 0.0


def test_weaker_expressions_are_the_same_pictures_otherwise() -> None:
    usual, weak = Drawn(count=280), Drawn(count=280, least_intensity=0.3)
    for one, other in zip(usual.rows(), weak.rows(), strict=True):
        assert (one.path, one.emotion, one.subject) == (other.path, other.emotion, other.subject)
        if one.intensity:
            assert one.intensity == pytest.approx(
                0.6 + 0.4 * ((other.intensity or 0) - 0.3) / 0.7, abs=1e-4
            )
    weakest = min(row.intensity or 1 for row in weak.rows())
    assert 0.3 <= weakest < 0.35
    with pytest.raises(UserError, match=r"^data\.least_intensity=0"):
        Drawn(least_intensity=0)


def test_pictures_do_not_depend_on_count_or_on_those_before() -> None:
    few, many = Drawn(count=20), Drawn(count=500)
    assert many.rows()[:20] == list(few.rows())
    row = many.rows()[13]
    last = many.load(many.rows()[-1])
    assert (many.load(row) == few.load(row)).all()
    assert (many.load(many.rows()[-1]) == last).all()


def test_seed_changes_pictures_and_labels() -> None:
    first, second = Drawn(count=7), Drawn(count=7, seed=1)
    assert list(first.rows()) != list(second.rows())
    assert (first.load(first.rows()[0]) != second.load(first.rows()[0])).any()


def test_pictures_of_one_person_share_the_identity() -> None:
    corpus = Drawn(count=1400)
    same = [corpus.parameters(row) for row in corpus.rows() if row.subject == "S017"]
    assert len({parameters.identity for parameters in same}) == 1
    assert len({parameters.view for parameters in same}) == len(same) == 14


def test_sequences_rise_from_neutral_to_the_apex() -> None:
    corpus = Drawn(count=35, frames=5)
    rows = corpus.rows()
    assert len(rows) == 35
    for first in range(0, 35, 5):
        sequence = rows[first : first + 5]
        assert len({(row.path, row.emotion, row.subject) for row in sequence}) == 1
        assert [row.frame for row in sequence] == list(range(5))
        intensities = [row.intensity or 0.0 for row in sequence]
        assert intensities[0] == 0
        steps = np.diff(intensities)
        assert np.allclose(steps, steps[0])
        if sequence[0].emotion == "neutral":
            assert intensities[-1] == 0
            continue
        assert 0.6 <= intensities[-1] <= 1
        for unit in EMOTION_ACTION_UNITS[sequence[0].emotion or ""]:
            values = [row.action_units[unit] for row in sequence]
            assert values == sorted(set(values))


def test_sequence_pictures_change_little_by_little() -> None:
    corpus = Drawn(count=20, frames=10, emotions=["surprise", "happiness"])
    pictures = [corpus.load(row).astype(float) for row in corpus.rows()[:10]]
    steps = [np.abs(b - a).mean() for a, b in pairwise(pictures)]
    assert 0 < max(steps) < 0.4 * np.abs(pictures[-1] - pictures[0]).mean()


def test_incomplete_sequence_is_left_out() -> None:
    assert len(Drawn(count=23, frames=5).rows()) == 20


def test_contempt_is_one_sided_and_others_are_not() -> None:
    corpus = Drawn(count=160, emotions=["contempt", "happiness"])
    sides = Counter((row.emotion, corpus.parameters(row).one_sided) for row in corpus.rows())
    assert set(sides) == {("contempt", -1.0), ("contempt", 1.0), ("happiness", 0.0)}


def test_picture_follows_the_row_and_the_size() -> None:
    corpus = Drawn(count=7, picture_size=48)
    row = corpus.rows()[1]
    picture = corpus.load(row)
    assert picture.shape == (48, 48, 3)
    flat = SourceRow(path=row.path, emotion=row.emotion, subject=row.subject)
    assert (corpus.load(flat) != picture).any()


def test_no_files_and_own_settings_decide_the_archive() -> None:
    corpus = Drawn(count=7, batch_size=3)
    assert corpus.files(corpus.rows()) == []
    settings = corpus.source_settings()
    assert set(settings) == {
        "count",
        "seed",
        "picture_size",
        "subjects",
        "frames",
        "emotions",
        "drawing",
    }
    domain = Drawn(count=7, pose=0, light=0.5, first_subject=9, gray=True).source_settings()
    assert set(domain) - set(settings) == {"pose", "light", "first_subject", "gray"}


def test_usual_pictures_stay_as_they_were_before_there_were_domains() -> None:
    """Archives are named by the settings: what was drawn under them must be drawn for ever."""
    corpus = Drawn(count=40, frames=5, seed=4)
    drawn_from = "".join(f"{row}{corpus.parameters(row)}" for row in corpus.rows())
    assert hashlib.sha256(drawn_from.encode()).hexdigest().startswith("7ce8c5bfc51f17aa")


def test_without_pose_all_faces_are_frontal() -> None:
    usual, frontal, turned = (Drawn(count=28, frames=2, pose=pose) for pose in (1, 0, 2))
    for row in usual.rows():
        view = usual.parameters(row).view
        assert (view.yaw, view.pitch, view.roll) != (0, 0, 0)
        assert frontal.parameters(row).view == replace(view, yaw=0, pitch=0, roll=0)
        assert turned.parameters(row).view == replace(
            view, yaw=2 * view.yaw, pitch=2 * view.pitch, roll=2 * view.roll
        )
        assert replace(frontal.parameters(row), view=view) == usual.parameters(row)


def test_without_spread_one_light_falls_on_all() -> None:
    usual, same, harsh = (Drawn(count=70, light=light) for light in (1, 0, 1.5))
    (light,) = {same.parameters(row).light for row in same.rows()}
    assert (light.azimuth, light.elevation) == (0, 32.5)
    for row in usual.rows():
        drawn = usual.parameters(row).light
        assert harsh.parameters(row).light.azimuth == pytest.approx(1.5 * drawn.azimuth)
        assert 0 < harsh.parameters(row).light.strength < 1
        assert harsh.parameters(row).light.grain > 0
        assert replace(same.parameters(row), light=drawn) == usual.parameters(row)


def test_people_numbered_apart_are_others() -> None:
    here, there = Drawn(count=70, subjects=5), Drawn(count=70, subjects=5, first_subject=1000)
    assert {row.subject for row in here.rows()} == {f"S{n:03d}" for n in range(5)}
    assert {row.subject for row in there.rows()} == {f"S{n}" for n in range(1000, 1005)}
    people = [
        {corpus.parameters(row).identity for row in corpus.rows()} for corpus in (here, there)
    ]
    assert [len(five) for five in people] == [5, 5]
    assert not people[0] & people[1]
    for one, other in zip(here.rows(), there.rows(), strict=True):
        assert replace(other, subject=one.subject) == one
        assert here.parameters(one).view == there.parameters(other).view


def test_gray_pictures_have_no_colour() -> None:
    gray, colour = Drawn(count=7, picture_size=48, gray=True), Drawn(count=7, picture_size=48)
    assert (gray.native_channels, colour.native_channels) == (1, 3)
    for row in gray.rows():
        picture = gray.load(row)
        assert picture.shape == (48, 48, 3)
        assert (picture == picture[:, :, :1]).all()
        luma = colour.load(row) @ np.array([0.299, 0.587, 0.114])
        assert np.abs(picture[:, :, 0] - luma).max() < 1


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"count": 0}, "data.count=0"),
        ({"count": 3, "frames": 5}, "data.frames=5"),
        ({"frames": 0}, "data.frames=0"),
        ({"seed": -1}, "data.seed=-1"),
        ({"picture_size": 20}, "data.picture_size=20"),
        ({"subjects": 0}, "data.subjects=0"),
        ({"emotions": []}, "data.emotions"),
        ({"emotions": ["happy"]}, "data.emotions=.*happiness"),
        ({"emotions": ["anger", "anger"]}, "each once"),
        ({"batch_size": 0}, "data.batch_size=0"),
        ({"pose": -0.5}, "data.pose=-0.5"),
        ({"pose": 2.5}, "data.pose=2.5"),
        ({"light": -1.0}, "data.light=-1.0"),
        ({"light": 1.6}, "data.light=1.6"),
        ({"first_subject": -1}, "data.first_subject=-1"),
    ],
)
def test_wrong_keys_are_named(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Drawn(**keys)


def test_importing_the_corpus_imports_nothing_heavy() -> None:
    code = (
        "import sys, fer_lightning.data.corpora.drawn;"
        "assert not {'torch', 'pyarrow', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_rows_are_made_when_they_are_asked_for() -> None:
    rows = Drawn(count=10**12, frames=3).rows()
    assert len(rows) == 10**12 - 1
    assert rows[-1].path == "drawn/333333333332"
    assert rows[-1].frame == 2
    assert rows[4:8:2] == [rows[4], rows[6]]
    with pytest.raises(IndexError):
        rows[10**12]


@pytest.mark.parametrize(
    "keys",
    [{}, {"gray": True}, {"pose": 0, "light": 0}, {"pose": 2, "light": 1.5, "first_subject": 1000}],
)
def test_mtcnn_finds_the_faces(keys: dict[str, Any]) -> None:
    corpus = Drawn(count=40, seed=3, emotions=list(EMOTIONS), **keys)
    pictures = [Image.fromarray(corpus.load(row)) for row in corpus.rows()]
    from facenet_pytorch import MTCNN

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        boxes, _ = MTCNN(keep_all=True).detect(pictures)
    found = [found for found in boxes if found is not None and len(found) == 1]
    assert len(found) >= 0.95 * len(pictures)
    heights = [box[0, 3] - box[0, 1] for box in found]
    assert min(heights) > 0.3 * 160
    assert max(heights) < 0.8 * 160
