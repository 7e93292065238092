"""Known action units are found, and no unknown one is fitted or scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.errors import UserError
from fer_lightning.probe.folds import random_folds
from fer_lightning.probe.protocols import Tick
from fer_lightning.probe.units import UnitProbe

FOLDS = 4
LABELS = np.arange(80) % 4
SETTINGS = ProbeSettings(folds=FOLDS)
UNITS = np.stack([LABELS == 0, LABELS >= 2, LABELS % 2 == 1], axis=1).astype(np.int64)


def _vectors(spread: float = 4, seed: int = 0) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return (random.standard_normal((80, 12)) + spread * np.eye(12)[LABELS]).astype(np.float32)


def _folds() -> NDArray[np.int64]:
    return random_folds(LABELS, FOLDS, 0)


def _ignored(_: int) -> None:
    """A progress bar that nobody sees."""


def _units(method: Method, settings: ProbeSettings = SETTINGS, tick: Tick = _ignored) -> UnitProbe:
    return UnitProbe(method, settings, tick)


@pytest.mark.parametrize("method", list(Method))
def test_separable_units_are_found(method: Method) -> None:
    vectors, folds = _vectors(12), _folds()
    within = _units(method).within(vectors, UNITS, folds)
    across = _units(method).across(vectors, UNITS, _vectors(12, seed=1))
    for found in (within, across):
        assert found.predicted.shape == found.scores.shape == UNITS.shape
        assert (found.predicted == UNITS).mean() > 0.97
        for scores, present in zip(found.scores.T, UNITS.T, strict=True):
            assert scores[present == 1].mean() > scores[present == 0].mean()


def test_no_vector_of_a_tested_row_moves_another_one_s_score() -> None:
    vectors, folds = _vectors(1), _folds()
    row = int(np.flatnonzero(folds == 2)[0])
    moved = vectors.copy()
    moved[row] += 30
    before, after = (
        _units(Method.svm_linear).within(given, UNITS, folds) for given in (vectors, moved)
    )
    mates = (folds == 2) & (np.arange(80) != row)
    assert before.scores[mates] == pytest.approx(after.scores[mates], abs=1e-9)
    assert np.abs(before.scores[row] - after.scores[row]).min() > 0.1
    assert np.abs(before.scores[folds != 2] - after.scores[folds != 2]).max() > 1e-3


def test_unknown_units_are_neither_fitted_nor_scored() -> None:
    unknown = np.random.default_rng(0).random(80) < 0.3
    present = UNITS.copy()
    present[unknown, 1] = -1
    folds = _folds()
    found = _units(Method.svm_linear).within(_vectors(), present, folds)
    assert np.isnan(found.scores[unknown, 1]).all()
    assert np.isfinite(found.scores[~unknown, 1]).all()
    assert np.isfinite(found.scores[:, [0, 2]]).all()
    whole = _units(Method.svm_linear).within(_vectors(), UNITS, folds)
    assert found.scores[:, [0, 2]] == pytest.approx(whole.scores[:, [0, 2]])
    assert np.abs(found.scores[~unknown, 1] - whole.scores[~unknown, 1]).max() > 1e-3


def test_units_that_nobody_or_one_row_shows_are_unmeasured() -> None:
    present = np.stack([np.zeros(80), np.ones(80), np.full(80, -1), np.zeros(80)], 1)
    present = present.astype(np.int64)
    present[7, 3] = 1
    folds = _folds()
    found = _units(Method.svm_linear).within(_vectors(), present, folds)
    assert np.isnan(found.scores[:, :3]).all()
    assert (found.predicted[:, :2] == [0, 1]).all()
    # Its only positive row is in no fit of the fold that tests it.
    assert np.isnan(found.scores[folds == folds[7], 3]).all()
    assert np.isfinite(found.scores[folds != folds[7], 3]).all()


def test_a_draw_fits_fewer_and_tests_all() -> None:
    settings = replace(SETTINGS, max_rows=24)
    units = _units(Method.svm_rbf, settings).within(_vectors(12), UNITS, _folds())
    assert units.settings["rows_fitted"] == 24
    assert np.isfinite(units.scores).all()


def test_ticks_are_as_many_as_foretold() -> None:
    ticks: list[int] = []
    probe = _units(Method.knn, tick=ticks.append)
    probe.within(_vectors(), UNITS, _folds())
    assert len(ticks) == FOLDS
    probe.across(_vectors(), UNITS, _vectors())
    assert len(ticks) == FOLDS + 1


def test_the_inputs_are_left_as_they_are() -> None:
    vectors, other = _vectors(), _vectors(seed=1)
    _units(Method.svm_linear).across(vectors, UNITS, other)
    assert (vectors == _vectors()).all()
    assert (other == _vectors(seed=1)).all()


def test_what_cannot_be_probed_is_refused_before_any_work() -> None:
    broken = _vectors()
    broken[3, 5], broken[9, 0] = np.nan, np.inf
    with pytest.raises(UserError, match="features of 2 of 80 images are not finite"):
        _units(Method.svm_linear).within(broken, UNITS, _folds())
    with pytest.raises(UserError, match="no images"):
        _units(Method.knn).across(_vectors(), UNITS, _vectors()[:0])
    landmarks = _units(Method.svm_linear, replace(SETTINGS, nystroem=5))
    with pytest.raises(UserError, match=r"^probe\.nystroem=5"):
        landmarks.within(_vectors(), UNITS, _folds())
