"""No tested row has a say in its own score, chance is chance, and known emotions are found."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.errors import UserError
from fer_lightning.probe import emotions
from fer_lightning.probe.emotions import EmotionProbe
from fer_lightning.probe.folds import grouped_folds, random_folds
from fer_lightning.probe.protocols import Tick

CLASSES, FOLDS = 4, 4
LABELS = np.arange(80) % CLASSES
SUBJECTS = np.array([f"S{number // 8}" for number in range(80)])
SETTINGS = ProbeSettings(folds=FOLDS, evaluations=3, inner_folds=3)


def _vectors(spread: float = 4, seed: int = 0) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return (random.standard_normal((80, 12)) + spread * np.eye(12)[LABELS]).astype(np.float32)


def _folds() -> NDArray[np.int64]:
    return random_folds(LABELS, FOLDS, 0)


def _ignored(_: int) -> None:
    """A progress bar that nobody sees."""


def _emotions(
    method: Method,
    settings: ProbeSettings = SETTINGS,
    classes: int = CLASSES,
    tick: Tick = _ignored,
) -> EmotionProbe:
    return EmotionProbe(method, settings, tick, classes)


@pytest.mark.parametrize("method", list(Method))
def test_separable_emotions_are_found(method: Method) -> None:
    vectors, folds = _vectors(12), _folds()
    within = _emotions(method).within(vectors, LABELS, folds)
    nested = _emotions(method).nested(vectors, LABELS, folds)
    other = _vectors(12, seed=1)
    across = _emotions(method).across(vectors, LABELS, folds, other)
    for found in (within, nested, across):
        assert found.scores.shape == (80, CLASSES)
        assert (found.predicted == LABELS).all()
        assert (found.scores.argmax(1) == LABELS).all()
    assert (within.tested == folds).all()
    assert (across.tested == 0).all()
    assert within.settings["search_accuracy"] == 1
    assert len(nested.settings["folds"]) == FOLDS


@pytest.mark.parametrize("grouped", [False, True])
def test_nobody_is_tested_by_what_was_fitted_to_them(grouped: bool) -> None:
    folds = grouped_folds(LABELS, SUBJECTS, FOLDS, 0) if grouped else _folds()
    groups = SUBJECTS if grouped else None
    tested = folds == 1
    changed = LABELS.copy()
    changed[tested] = (changed[tested] + 1) % CLASSES
    before, after = (
        _emotions(Method.svm_rbf).nested(_vectors(1), labels, folds, groups)
        for labels in (LABELS, changed)
    )
    assert (before.scores[tested] == after.scores[tested]).all()
    assert (before.predicted[tested] == after.predicted[tested]).all()
    assert (before.scores[~tested] != after.scores[~tested]).any()


def test_inner_folds_keep_people_apart_and_stay_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    plain = emotions.search

    def spy(vectors, labels, parts, *others):  # type: ignore[no-untyped-def]
        seen.append(parts)
        return plain(vectors, labels, parts, *others)

    monkeypatch.setattr(emotions, "search", spy)
    folds = grouped_folds(LABELS, SUBJECTS, FOLDS, 0)
    _emotions(Method.knn).nested(_vectors(), LABELS, folds, SUBJECTS)
    assert len(seen) == FOLDS
    for number, parts in enumerate(seen):
        assert len(parts) == SETTINGS.inner_folds
        for part in parts:
            assert not set(SUBJECTS[part.fit]) & set(SUBJECTS[part.test])
            assert not set(SUBJECTS[folds == number]) & set(SUBJECTS[part.fit])
            assert not (folds[part.test] == number).any()


@pytest.mark.parametrize("nested", [False, True])
def test_permuted_labels_score_at_chance(nested: bool) -> None:
    random = np.random.default_rng(5)
    vectors = _vectors(12)
    labels = random.permutation(LABELS)
    folds = random_folds(labels, FOLDS, 0)
    probe = _emotions(Method.svm_rbf)
    found = (probe.nested if nested else probe.within)(vectors, labels, folds)
    right, deviation = int((found.predicted == labels).sum()), math.sqrt(80 * 0.25 * 0.75)
    # The best of three settings is a little above chance; three deviations allow for it.
    assert 20 - 3.5 * deviation < right < 20 + 3 * deviation


def test_a_rare_emotion_is_predicted_wrongly_but_does_not_stop_the_others() -> None:
    labels = LABELS.copy()
    labels[0] = 4
    folds = random_folds(labels, FOLDS, 0)
    found = _emotions(Method.svm_rbf, classes=5).within(_vectors(12), labels, folds)
    assert np.isnan(found.scores[folds == folds[0], 4]).all()
    assert np.isfinite(found.scores[:, :4]).all()
    assert (found.predicted[1:] == labels[1:]).all()


def test_a_draw_fits_fewer_and_tests_all() -> None:
    settings = replace(SETTINGS, max_rows=24)
    found = _emotions(Method.svm_rbf, settings).within(_vectors(12), LABELS, _folds())
    assert found.settings["rows_fitted"] == found.settings["max_rows"] == 24
    assert np.isfinite(found.scores).all()
    assert (found.predicted == LABELS).mean() > 0.9


def test_ticks_are_as_many_as_foretold() -> None:
    ticks: list[int] = []
    vectors, folds, probe = _vectors(), _folds(), _emotions(Method.knn, tick=ticks.append)
    probe.within(vectors, LABELS, folds)
    assert len(ticks) == SETTINGS.evaluations
    probe.nested(vectors, LABELS, folds)
    assert len(ticks) == SETTINGS.evaluations * (1 + FOLDS)
    probe.across(vectors, LABELS, folds, vectors)
    assert len(ticks) == SETTINGS.evaluations * (2 + FOLDS)


def test_the_inputs_are_left_as_they_are() -> None:
    vectors, other = _vectors(), _vectors(seed=1)
    _emotions(Method.svm_rbf).across(vectors, LABELS, _folds(), other)
    assert (vectors == _vectors()).all()
    assert (other == _vectors(seed=1)).all()


def test_what_cannot_be_probed_is_refused_before_any_work() -> None:
    same = np.zeros(80, np.int64)
    with pytest.raises(UserError, match="needs two"):
        _emotions(Method.knn, classes=1).within(_vectors(), same, _folds())
    little = _emotions(Method.svm_rbf, replace(SETTINGS, memory=1e-6))
    with pytest.raises(UserError, match=r"^probe\.memory=1e-06"):
        little.within(_vectors(), LABELS, _folds())
    many = _emotions(Method.knn, replace(SETTINGS, inner_folds=30))
    with pytest.raises(UserError, match=r"^probe\.inner_folds=30"):
        many.nested(_vectors(), LABELS, _folds())
