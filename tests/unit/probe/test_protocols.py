"""No tested row has a say in its own score, chance is chance, and known answers are found."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings, Task
from fer_lightning.errors import UserError
from fer_lightning.probe import protocols
from fer_lightning.probe.folds import grouped_folds, random_folds
from fer_lightning.probe.protocols import (
    emotions_across,
    emotions_nested,
    emotions_within,
    steps_of,
    units_across,
    units_within,
)

CLASSES, FOLDS = 4, 4
LABELS = np.arange(80) % CLASSES
SUBJECTS = np.array([f"S{number // 8}" for number in range(80)])
SETTINGS = ProbeSettings(folds=FOLDS, evaluations=3, inner_folds=3)
UNITS = np.stack([LABELS == 0, LABELS >= 2, LABELS % 2 == 1], axis=1).astype(np.int64)


def _vectors(spread: float = 4, seed: int = 0) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return (random.standard_normal((80, 12)) + spread * np.eye(12)[LABELS]).astype(np.float32)


def _folds() -> NDArray[np.int64]:
    return random_folds(LABELS, FOLDS, 0)


def _ignored(_: int) -> None:
    """A progress bar that nobody sees."""


@pytest.mark.parametrize("method", list(Method))
def test_separable_emotions_are_found(method: Method) -> None:
    vectors, folds = _vectors(12), _folds()
    within = emotions_within(vectors, LABELS, folds, CLASSES, method, SETTINGS, _ignored)
    nested = emotions_nested(vectors, LABELS, folds, CLASSES, method, SETTINGS, _ignored)
    other = _vectors(12, seed=1)
    across = emotions_across(vectors, LABELS, folds, other, CLASSES, method, SETTINGS, _ignored)
    for found in (within, nested, across):
        assert found.scores.shape == (80, CLASSES)
        assert (found.predicted == LABELS).all()
        assert (found.scores.argmax(1) == LABELS).all()
    assert (within.tested == folds).all()
    assert (across.tested == 0).all()
    assert within.settings["search_accuracy"] == 1
    assert len(nested.settings["folds"]) == FOLDS


@pytest.mark.parametrize("method", list(Method))
def test_separable_units_are_found(method: Method) -> None:
    vectors, folds = _vectors(12), _folds()
    within = units_within(vectors, UNITS, folds, method, SETTINGS, _ignored)
    across = units_across(vectors, UNITS, _vectors(12, seed=1), method, SETTINGS, _ignored)
    for found in (within, across):
        assert found.predicted.shape == found.scores.shape == UNITS.shape
        assert (found.predicted == UNITS).mean() > 0.97
        for scores, present in zip(found.scores.T, UNITS.T, strict=True):
            assert scores[present == 1].mean() > scores[present == 0].mean()


@pytest.mark.parametrize("grouped", [False, True])
def test_nobody_is_tested_by_what_was_fitted_to_them(grouped: bool) -> None:
    folds = grouped_folds(LABELS, SUBJECTS, FOLDS, 0) if grouped else _folds()
    groups = SUBJECTS if grouped else None
    tested = folds == 1
    changed = LABELS.copy()
    changed[tested] = (changed[tested] + 1) % CLASSES
    before, after = (
        emotions_nested(
            _vectors(1), labels, folds, CLASSES, Method.svm_rbf, SETTINGS, _ignored, groups
        )
        for labels in (LABELS, changed)
    )
    assert (before.scores[tested] == after.scores[tested]).all()
    assert (before.predicted[tested] == after.predicted[tested]).all()
    assert (before.scores[~tested] != after.scores[~tested]).any()


def test_no_vector_of_a_tested_row_moves_another_one_s_score() -> None:
    vectors, folds = _vectors(1), _folds()
    row = int(np.flatnonzero(folds == 2)[0])
    moved = vectors.copy()
    moved[row] += 30
    before, after = (
        units_within(given, UNITS, folds, Method.svm_linear, SETTINGS, _ignored)
        for given in (vectors, moved)
    )
    mates = (folds == 2) & (np.arange(80) != row)
    assert before.scores[mates] == pytest.approx(after.scores[mates], abs=1e-9)
    assert np.abs(before.scores[row] - after.scores[row]).min() > 0.1
    assert np.abs(before.scores[folds != 2] - after.scores[folds != 2]).max() > 1e-3


def test_inner_folds_keep_people_apart_and_stay_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    plain = protocols.search

    def spy(vectors, labels, parts, *others):  # type: ignore[no-untyped-def]
        seen.append(parts)
        return plain(vectors, labels, parts, *others)

    monkeypatch.setattr(protocols, "search", spy)
    folds = grouped_folds(LABELS, SUBJECTS, FOLDS, 0)
    emotions_nested(_vectors(), LABELS, folds, CLASSES, Method.knn, SETTINGS, _ignored, SUBJECTS)
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
    protocol = emotions_nested if nested else emotions_within
    found = protocol(vectors, labels, folds, CLASSES, Method.svm_rbf, SETTINGS, _ignored)
    right, deviation = int((found.predicted == labels).sum()), math.sqrt(80 * 0.25 * 0.75)
    # The best of three settings is a little above chance; three deviations allow for it.
    assert 20 - 3.5 * deviation < right < 20 + 3 * deviation


def test_unknown_units_are_neither_fitted_nor_scored() -> None:
    unknown = np.random.default_rng(0).random(80) < 0.3
    present = UNITS.copy()
    present[unknown, 1] = -1
    folds = _folds()
    found = units_within(_vectors(), present, folds, Method.svm_linear, SETTINGS, _ignored)
    assert np.isnan(found.scores[unknown, 1]).all()
    assert np.isfinite(found.scores[~unknown, 1]).all()
    assert np.isfinite(found.scores[:, [0, 2]]).all()
    whole = units_within(_vectors(), UNITS, folds, Method.svm_linear, SETTINGS, _ignored)
    assert found.scores[:, [0, 2]] == pytest.approx(whole.scores[:, [0, 2]])
    assert np.abs(found.scores[~unknown, 1] - whole.scores[~unknown, 1]).max() > 1e-3


def test_units_that_nobody_or_one_row_shows_are_unmeasured() -> None:
    present = np.stack([np.zeros(80), np.ones(80), np.full(80, -1), np.zeros(80)], 1)
    present = present.astype(np.int64)
    present[7, 3] = 1
    folds = _folds()
    found = units_within(_vectors(), present, folds, Method.svm_linear, SETTINGS, _ignored)
    assert np.isnan(found.scores[:, :3]).all()
    assert (found.predicted[:, :2] == [0, 1]).all()
    # Its only positive row is in no fit of the fold that tests it.
    assert np.isnan(found.scores[folds == folds[7], 3]).all()
    assert np.isfinite(found.scores[folds != folds[7], 3]).all()


def test_a_rare_emotion_is_predicted_wrongly_but_does_not_stop_the_others() -> None:
    labels = LABELS.copy()
    labels[0] = 4
    folds = random_folds(labels, FOLDS, 0)
    found = emotions_within(_vectors(12), labels, folds, 5, Method.svm_rbf, SETTINGS, _ignored)
    assert np.isnan(found.scores[folds == folds[0], 4]).all()
    assert np.isfinite(found.scores[:, :4]).all()
    assert (found.predicted[1:] == labels[1:]).all()


def test_a_draw_fits_fewer_and_tests_all() -> None:
    settings = replace(SETTINGS, max_rows=24)
    folds = _folds()
    found = emotions_within(
        _vectors(12), LABELS, folds, CLASSES, Method.svm_rbf, settings, _ignored
    )
    assert found.settings["rows_fitted"] == found.settings["max_rows"] == 24
    assert np.isfinite(found.scores).all()
    assert (found.predicted == LABELS).mean() > 0.9
    units = units_within(_vectors(12), UNITS, folds, Method.svm_rbf, settings, _ignored)
    assert units.settings["rows_fitted"] == 24
    assert np.isfinite(units.scores).all()


def test_ticks_are_as_many_as_foretold() -> None:
    ticks: list[int] = []
    vectors, folds = _vectors(), _folds()
    emotions_within(vectors, LABELS, folds, CLASSES, Method.knn, SETTINGS, ticks.append)
    assert len(ticks) == steps_of(Task.emotion, SETTINGS)
    ticks.clear()
    emotions_nested(vectors, LABELS, folds, CLASSES, Method.knn, SETTINGS, ticks.append)
    assert len(ticks) == steps_of(Task.emotion, SETTINGS, nested=True)
    ticks.clear()
    emotions_across(vectors, LABELS, folds, vectors, CLASSES, Method.knn, SETTINGS, ticks.append)
    assert len(ticks) == steps_of(Task.emotion, SETTINGS, across=True)
    ticks.clear()
    units_within(vectors, UNITS, folds, Method.knn, SETTINGS, ticks.append)
    assert len(ticks) == steps_of(Task.au, SETTINGS)
    ticks.clear()
    units_across(vectors, UNITS, vectors, Method.knn, SETTINGS, ticks.append)
    assert len(ticks) == steps_of(Task.au, SETTINGS, across=True)


def test_the_inputs_are_left_as_they_are() -> None:
    vectors, other = _vectors(), _vectors(seed=1)
    emotions_across(vectors, LABELS, _folds(), other, CLASSES, Method.svm_rbf, SETTINGS, _ignored)
    units_across(vectors, UNITS, other, Method.svm_linear, SETTINGS, _ignored)
    assert (vectors == _vectors()).all()
    assert (other == _vectors(seed=1)).all()


def test_what_cannot_be_probed_is_refused_before_any_work() -> None:
    broken = _vectors()
    broken[3, 5], broken[9, 0] = np.nan, np.inf
    with pytest.raises(UserError, match="features of 2 of 80 images are not finite"):
        units_within(broken, UNITS, _folds(), Method.svm_linear, SETTINGS, _ignored)
    same = np.zeros(80, np.int64)
    with pytest.raises(UserError, match="needs two"):
        emotions_within(_vectors(), same, _folds(), 1, Method.knn, SETTINGS, _ignored)
    with pytest.raises(UserError, match="no images"):
        units_across(_vectors(), UNITS, _vectors()[:0], Method.knn, SETTINGS, _ignored)
    with pytest.raises(UserError, match=r"^probe\.memory=1e-06"):
        emotions_within(
            _vectors(), LABELS, _folds(), CLASSES, Method.svm_rbf,
            replace(SETTINGS, memory=1e-6), _ignored,
        )  # fmt: skip
    with pytest.raises(UserError, match=r"^probe\.inner_folds=30"):
        emotions_nested(
            _vectors(), LABELS, _folds(), CLASSES, Method.knn,
            replace(SETTINGS, inner_folds=30), _ignored,
        )  # fmt: skip
    with pytest.raises(UserError, match=r"^probe\.nystroem=5"):
        units_within(
            _vectors(), UNITS, _folds(), Method.svm_linear, replace(SETTINGS, nystroem=5), _ignored
        )
