"""One classifier at one setting: its columns, its special cases, Nyström beside exact."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.probe.distances import kind_of, prepared
from fer_lightning.probe.estimators import Scored, fit_and_score, gamma_of, rbf, usual

Labels = NDArray[np.int64]


def _scored(
    method: Method, labels: Labels, classes: int, settings: ProbeSettings, spread: float = 3
) -> tuple[Scored, Labels]:
    random = np.random.default_rng(0)
    vectors = random.standard_normal((len(labels), 12)) + spread * np.eye(12)[labels]
    test = np.arange(len(labels)) % 4 == 0
    fit_rows, test_rows = vectors[~test].astype(np.float32), vectors[test].astype(np.float32)
    pairs = prepared(fit_rows, test_rows, kind_of(method, settings), settings)
    point = usual(method, 12)
    return fit_and_score(method, point, pairs, labels[~test], classes, settings), labels[test]


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("classes", [2, 4])
def test_the_column_of_the_own_class_is_the_largest(method: Method, classes: int) -> None:
    labels = np.arange(160) * 7 % 11 % classes
    found, truth = _scored(method, labels, classes, ProbeSettings(), spread=8)
    assert found.scores.shape == (40, classes)
    assert (found.scores.argmax(1) == truth).mean() > 0.95
    assert (found.predicted == truth).mean() > 0.95
    if classes == 2 and method is not Method.knn:
        assert found.scores[:, 0] == pytest.approx(-found.scores[:, 1])


@pytest.mark.parametrize("method", list(Method))
def test_a_class_that_was_not_fitted_has_no_score(method: Method) -> None:
    labels = np.where(np.arange(120) % 2 == 0, 1, 3)
    labels[::3] = 0
    found, _ = _scored(method, labels, 5, ProbeSettings())
    assert np.isnan(found.scores[:, [2, 4]]).all()
    assert np.isfinite(found.scores[:, [0, 1, 3]]).all()


@pytest.mark.parametrize("method", list(Method))
def test_a_single_class_is_the_only_answer(method: Method) -> None:
    found, _ = _scored(method, np.full(20, 2), 3, ProbeSettings())
    assert np.isnan(found.scores).all()
    assert (found.predicted == 2).all()


@pytest.mark.parametrize("method", [Method.svm_rbf, Method.svm_linear, Method.logistic])
def test_balance_helps_the_rare_class(method: Method) -> None:
    labels = (np.arange(200) % 9 == 0).astype(np.int64)
    plain, _ = _scored(method, labels, 2, ProbeSettings(), spread=0.5)
    balanced, _ = _scored(method, labels, 2, ProbeSettings(balanced=True), spread=0.5)
    assert balanced.predicted.sum() > plain.predicted.sum()


def test_nystroem_with_all_landmarks_comes_near_the_exact_kernel() -> None:
    labels = np.arange(160) * 7 % 11 % 4
    exact, truth = _scored(Method.svm_rbf, labels, 4, ProbeSettings(), spread=4)
    near, _ = _scored(Method.svm_rbf, labels, 4, ProbeSettings(nystroem=120), spread=4)
    some, _ = _scored(Method.svm_rbf, labels, 4, ProbeSettings(nystroem=30), spread=4)
    assert (near.predicted == exact.predicted).mean() >= 0.95
    assert (some.predicted == truth).mean() > 0.8
    assert near.scores.shape == exact.scores.shape


def test_nystroem_features_reproduce_the_kernel() -> None:
    from fer_lightning.probe.estimators import _inputs

    random = np.random.default_rng(0)
    fit, test = (random.standard_normal((rows, 6)).astype(np.float32) for rows in (30, 9))
    settings, point = ProbeSettings(nystroem=30), {"C": 1.0, "kernel_scale": 2.0}
    pairs = prepared(fit, test, kind_of(Method.svm_rbf, settings), settings)
    features, others = _inputs(Method.svm_rbf, point, pairs, settings)
    assert others @ features.T == pytest.approx(rbf(pairs.test, gamma_of(point)), abs=1e-4)


def test_the_kernel_scale_divides_the_features() -> None:
    assert gamma_of({"C": 1.0, "kernel_scale": 4.0}) == 1 / 16
    assert gamma_of(usual(Method.svm_rbf, 8192)) == pytest.approx(1 / 8192)
    assert rbf(np.array([[8.0]], np.float32), 1 / 16)[0, 0] == pytest.approx(np.exp(-0.5))


def test_log_odds_of_sure_answers_do_not_tie() -> None:
    labels = np.arange(160) * 7 % 11 % 4
    found, truth = _scored(Method.logistic, labels, 4, ProbeSettings(), spread=60)
    own = found.scores[np.arange(len(truth)), truth]
    assert len(np.unique(own)) == len(own)
