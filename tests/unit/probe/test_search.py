"""The search is seeded, quiet, and finds what there is to find."""

from __future__ import annotations

import warnings

import numpy as np
import optuna
import pytest
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.probe import search as module
from fer_lightning.probe.folds import random_folds
from fer_lightning.probe.search import Found, Source, cross_validated, drawn, parts_of, search

SETTINGS = ProbeSettings(folds=4, evaluations=5)
LABELS = np.arange(80) % 4


def _vectors(spread: float) -> NDArray[np.float32]:
    random = np.random.default_rng(0)
    return (random.standard_normal((80, 10)) + spread * np.eye(10)[LABELS]).astype(np.float32)


def _search(
    method: Method = Method.svm_rbf, settings: ProbeSettings = SETTINGS, spread: float = 1.5
) -> tuple[Found, list[int]]:
    parts = parts_of(np.arange(80), random_folds(LABELS, 4, 0), LABELS, settings)
    ticks: list[int] = []
    return search(_vectors(spread), LABELS, parts, 4, method, settings, ticks.append), ticks


def test_the_seed_gives_the_same_search_and_another_another() -> None:
    first, same, other = (_search(settings=ProbeSettings(evaluations=6, seed=seed))[0]
                          for seed in (1, 1, 2))  # fmt: skip
    assert first.tried == same.tried
    assert (first.scored.scores == same.scored.scores).all()
    assert first.tried[1:] != other.tried[1:]


def test_it_starts_at_the_usual_setting_and_stays_in_the_space() -> None:
    found, ticks = _search()
    assert found.tried[0] == {"C": 1.0, "kernel_scale": pytest.approx(np.sqrt(10))}
    assert ticks == [1] * 5
    values = np.array([list(point.values()) for point in found.tried])
    assert len(values) == 5
    assert values.min() >= 1e-3
    assert values.max() <= 1e3


@pytest.mark.parametrize("method", list(Method))
def test_the_best_is_what_its_own_setting_scores(method: Method) -> None:
    found, _ = _search(method)
    parts = parts_of(np.arange(80), random_folds(LABELS, 4, 0), LABELS, SETTINGS)
    source = Source(_vectors(1.5), parts, method, SETTINGS)
    again = cross_validated(source, LABELS, 4, found.point)
    assert found.accuracy == (again.predicted == LABELS).mean() > 0.4
    for point in found.tried[:3]:
        own = (cross_validated(source, LABELS, 4, point).predicted == LABELS).mean()
        assert own <= found.accuracy


def test_a_setting_is_fitted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, float]] = []
    plain = cross_validated

    def spy(source: Source, labels: NDArray[np.int64], classes: int, point: dict[str, float]):  # type: ignore[no-untyped-def]
        seen.append(point)
        return plain(source, labels, classes, point)

    monkeypatch.setattr(module, "cross_validated", spy)
    found, ticks = _search(Method.knn, ProbeSettings(evaluations=15))
    tried = [point["neighbours"] for point in found.tried]
    assert len(ticks) == len(tried) == 15
    assert len(seen) == len(set(tried)) < 15
    assert max(tried) <= 30


def test_pairs_are_kept_where_they_fit_and_give_the_same_where_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []
    plain = module.prepared

    def spy(fit, *others):  # type: ignore[no-untyped-def]
        made.append(len(fit))
        return plain(fit, *others)

    monkeypatch.setattr(module, "prepared", spy)
    kept, _ = _search(settings=ProbeSettings(evaluations=3))
    assert len(made) == 4
    anew, _ = _search(settings=ProbeSettings(evaluations=3, memory=1e-6))
    assert len(made) == 4 + 3 * 4
    assert kept.tried == anew.tried
    assert (kept.scored.scores == anew.scored.scores).all()


def test_optuna_is_quiet_and_left_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _search(settings=ProbeSettings(evaluations=12))
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
    finally:
        optuna.logging.set_verbosity(before)
    assert capfd.readouterr() == ("", "")


def test_folds_have_no_row_on_both_sides_and_draws_touch_only_those_to_fit() -> None:
    settings = ProbeSettings(max_rows=20)
    parts = parts_of(np.arange(100, 180), random_folds(LABELS, 4, 0), LABELS, settings)
    for part in parts:
        assert len(part.fit) == len(part.test) == 20
        assert not set(part.fit) & set(part.test)
        assert (np.bincount(LABELS[part.fit - 100]) >= 4).all()
    tested = np.sort(np.concatenate([part.test for part in parts]))
    assert (tested == np.arange(100, 180)).all()
    assert (drawn(np.arange(9), np.zeros(9, np.int64), SETTINGS) == np.arange(9)).all()
