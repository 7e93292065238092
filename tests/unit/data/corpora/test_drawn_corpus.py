from __future__ import annotations

import subprocess
import sys
import warnings
from collections import Counter
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


@pytest.mark.parametrize("gray", [False, True])
def test_mtcnn_finds_the_faces(gray: bool) -> None:
    corpus = Drawn(count=40, seed=3, emotions=list(EMOTIONS))
    pictures = [Image.fromarray(corpus.load(row)) for row in corpus.rows()]
    if gray:
        pictures = [picture.convert("L").convert("RGB") for picture in pictures]
    from facenet_pytorch import MTCNN

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        boxes, _ = MTCNN(keep_all=True).detect(pictures)
    found = [found for found in boxes if found is not None and len(found) == 1]
    assert len(found) >= 0.95 * len(pictures)
    heights = [box[0, 3] - box[0, 1] for box in found]
    assert min(heights) > 0.3 * 160
    assert max(heights) < 0.8 * 160
