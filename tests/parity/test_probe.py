"""Shared distances give what scikit-learn's own pipeline gives at equal settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.probe.folds import random_folds
from fer_lightning.probe.search import Source, cross_validated, parts_of
from fer_lightning.probe.units import UnitProbe

ROWS, WIDTH, CLASSES = 160, 600, 5
LABELS = np.arange(ROWS) * 7 % 11 % CLASSES
FOLDS = random_folds(LABELS, 4, 0)


def _vectors() -> NDArray[np.float32]:
    random = np.random.default_rng(0)
    shared = random.standard_normal((ROWS, 20)) + random.standard_normal((CLASSES, 20))[LABELS]
    vectors = (
        5 + shared @ random.standard_normal((20, WIDTH)) + random.standard_normal((ROWS, WIDTH))
    )
    return vectors.astype(np.float32)


def _theirs(estimator: Any, function: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    vectors = _vectors()
    scores, predicted = np.empty((ROWS, CLASSES)), np.empty(ROWS, np.int64)
    for number in range(4):
        test = number == FOLDS
        estimator.fit(vectors[~test], LABELS[~test])
        scores[test] = getattr(estimator, function)(vectors[test])
        predicted[test] = estimator.predict(vectors[test])
    return scores, predicted


def _ours(
    method: Method, point: dict[str, float], settings: ProbeSettings | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    settings = settings or ProbeSettings()
    parts = parts_of(np.arange(ROWS), FOLDS, LABELS, settings)
    found = cross_validated(Source(_vectors(), parts, method, settings), LABELS, CLASSES, point)
    return found.scores, found.predicted


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize(
    ("cost", "scale"), [(1e-3, 30.0), (1.0, 24.5), (1e3, 100.0), (50.0, 1e3), (1.0, 1e-3)]
)
def test_rbf(cost: float, scale: float, balanced: bool) -> None:
    weight = "balanced" if balanced else None
    svc = SVC(C=cost, gamma=scale**-2, class_weight=weight)
    scores, predicted = _theirs(make_pipeline(StandardScaler(), svc), "decision_function")
    own, answers = _ours(
        Method.svm_rbf, {"C": cost, "kernel_scale": scale}, ProbeSettings(balanced=balanced)
    )
    assert (answers == predicted).all()
    assert accuracy_score(LABELS, answers) == accuracy_score(LABELS, predicted)
    assert own == pytest.approx(scores, abs=1e-3)


def test_rbf_on_principal_components() -> None:
    svc = make_pipeline(StandardScaler(), PCA(8, random_state=0), SVC(C=3, gamma=1 / 400))
    scores, predicted = _theirs(svc, "decision_function")
    point = {"C": 3.0, "kernel_scale": 20.0}
    own, answers = _ours(Method.svm_rbf, point, ProbeSettings(components=8))
    assert (answers == predicted).all()
    assert own == pytest.approx(scores, abs=1e-3)


@pytest.mark.parametrize("cost", [1e-3, 1.0])
def test_linear(cost: float) -> None:
    svc = make_pipeline(StandardScaler(), SVC(C=cost, kernel="linear"))
    scores, predicted = _theirs(svc, "decision_function")
    own, answers = _ours(Method.svm_linear, {"C": cost})
    assert (answers == predicted).all()
    assert own == pytest.approx(scores, abs=1e-3)


def test_logistic() -> None:
    regression = LogisticRegression(C=0.01, max_iter=5000, tol=1e-7)
    probabilities, predicted = _theirs(make_pipeline(StandardScaler(), regression), "predict_proba")
    odds, answers = _ours(Method.logistic, {"C": 0.01})
    assert (answers == predicted).all()
    assert 1 / (1 + np.exp(-odds)) == pytest.approx(probabilities, abs=2e-3)


def test_neighbours() -> None:
    scores, predicted = _theirs(
        make_pipeline(StandardScaler(), KNeighborsClassifier(7)), "predict_proba"
    )
    own, answers = _ours(Method.knn, {"neighbours": 7})
    assert (answers == predicted).all()
    assert (own == scores).all()


@pytest.mark.parametrize("method", [Method.svm_linear, Method.svm_rbf])
def test_units(method: Method) -> None:
    present = np.stack([LABELS < 2, LABELS == 3], axis=1).astype(np.int64)
    present[::9, 1] = -1
    probe = UnitProbe(method, ProbeSettings(folds=4), lambda _: None)
    found = probe.within(_vectors(), present, FOLDS)
    for unit, answers in enumerate(present.T):
        for number in range(4):
            test = (number == FOLDS) & (answers >= 0)
            fit = number != FOLDS
            scaler = StandardScaler().fit(_vectors()[fit])
            shown, asked = (scaler.transform(_vectors()[rows])
                            for rows in (fit & (answers >= 0), test))  # fmt: skip
            kernel = "linear" if method is Method.svm_linear else "rbf"
            svc = SVC(C=1, kernel=kernel, gamma=1 / WIDTH)
            svc.fit(shown, answers[fit & (answers >= 0)])
            assert found.scores[test, unit] == pytest.approx(svc.decision_function(asked), abs=1e-3)
            assert (found.predicted[test, unit] == svc.predict(asked)).all()
