"""One classifier at one setting, fitted and scored: scikit-learn's, on matrices of pairs."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.probe.distances import Kind, Pairs

Point = dict[str, float]
"""A setting: ``C`` and, of the RBF kernel, ``kernel_scale``; or ``neighbours``."""

LIMIT = 1_000_000
"""Steps of LibSVM for a pair of classes; MATLAB's fitcsvm, which paper D used, has the same."""


@dataclass(frozen=True)
class Scored:
    """What a classifier says of the rows to test.

    Attributes:
        scores: float64 (t, K), larger is more of that class; nan for a class it was not fitted to.
        predicted: Class numbers, (t,).
    """

    scores: NDArray[np.float64]
    predicted: NDArray[np.int64]


def usual(method: Method, width: int) -> Point:
    """The setting without a search: C = 1, gamma = 1 / width, five neighbours.

    Args:
        method: The classifier.
        width: Standardised features of a vector; their variance is 1, so that this gamma is
            scikit-learn's ``scale``.
    """
    if method is Method.knn:
        return {"neighbours": 5}
    if method is Method.svm_rbf:
        return {"C": 1.0, "kernel_scale": math.sqrt(width)}
    return {"C": 1.0}


def gamma_of(point: Point) -> float:
    """1 / s^2, for the kernel scale s divides features, as MATLAB's does (D.6)."""
    return point["kernel_scale"] ** -2


def fit_and_score(
    method: Method,
    point: Point,
    pairs: Pairs,
    labels: NDArray[np.int64],
    classes: int,
    settings: ProbeSettings,
) -> Scored:
    """Fit to the rows to fit and score those to test.

    The RBF and the linear SVM are LibSVM's C-SVC, one class against one, with its scores turned
    to one against the rest by scikit-learn; over Nyström features it is LibLinear's, one against
    the rest. Scores of ``logistic`` are log-odds, those of ``knn`` the share of neighbours.

    Args:
        method: The classifier.
        point: Its setting.
        pairs: Of the kind that it needs.
        labels: Class of each row to fit, (n,), in [0, classes).
        classes: K.
        settings: Balance and seed.
    """
    found = np.unique(labels)
    scores = np.full((len(pairs.test), classes), np.nan)
    if len(found) == 1:
        return Scored(scores, np.full(len(pairs.test), found[0], np.int64))
    fit, test = _inputs(method, point, pairs, settings)
    estimator = _estimator(method, point, len(fit), pairs.kind, settings)
    with warnings.catch_warnings():
        # Corners of the search's space do not converge; their accuracy speaks for itself.
        from sklearn.exceptions import ConvergenceWarning

        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(fit, labels)
    scores[:, found] = _scores(method, estimator, test)
    return Scored(scores, estimator.predict(test).astype(np.int64))


def rbf(distances: NDArray[np.float32], gamma: float) -> NDArray[np.float64]:
    """exp(-gamma * distance) of squared distances, in float64 as LibSVM takes it."""
    kernel = np.multiply(distances, -gamma, dtype=np.float64)
    return np.exp(kernel, out=kernel)


def _inputs(
    method: Method, point: Point, pairs: Pairs, settings: ProbeSettings
) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
    if method is not Method.svm_rbf:
        return pairs.fit, pairs.test
    gamma = gamma_of(point)
    fit, test = rbf(pairs.fit, gamma), rbf(pairs.test, gamma)
    if pairs.basis is None:
        return fit, test
    from sklearn.kernel_approximation import Nystroem

    features = Nystroem(
        kernel="precomputed", n_components=len(pairs.basis), random_state=settings.seed
    ).fit(rbf(pairs.basis, gamma))
    return features.transform(fit), features.transform(test)


def _estimator(method: Method, point: Point, rows: int, kind: Kind, settings: ProbeSettings) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC, LinearSVC

    weight = "balanced" if settings.balanced else None
    if method is Method.knn:
        return KNeighborsClassifier(min(int(point["neighbours"]), rows), metric="precomputed")
    if method is Method.logistic:
        return LogisticRegression(C=point["C"], class_weight=weight, max_iter=1000)
    if kind is Kind.landmarks:
        return LinearSVC(C=point["C"], class_weight=weight, dual="auto", random_state=settings.seed)
    return SVC(C=point["C"], kernel="precomputed", class_weight=weight, max_iter=LIMIT)


def _scores(method: Method, estimator: Any, test: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """One column a class that was fitted."""
    if method is Method.knn:
        return np.asarray(estimator.predict_proba(test), np.float64)
    margins = np.asarray(estimator.decision_function(test), np.float64)
    if margins.ndim == 1:
        return np.stack([-margins, margins], axis=1)
    return _against_the_rest(margins) if method is Method.logistic else margins


def _against_the_rest(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of each class: log(p / (1 - p)), without the ties of probabilities near 1."""
    from scipy.special import logsumexp

    odds = np.empty_like(logits)
    for number in range(logits.shape[1]):
        odds[:, number] = logits[:, number] - logsumexp(np.delete(logits, number, 1), axis=1)
    return odds
