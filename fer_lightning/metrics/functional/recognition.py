"""How well a classifier names the expression of labelled faces, in NumPy and scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_lightning.errors import UserError
from fer_lightning.metrics.distribution import Comparison

BINS = 15
"""Of the calibration error, over [0, 1]."""
PERCENTILES = (2.5, 97.5)
"""Ends of a bootstrap interval."""


def recognition_metrics(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], classes: Sequence[str]
) -> Comparison:
    """All measures of a classifier on one set of images; the largest probability is its answer.

    ``accuracy`` is the share of right answers, ``balanced_accuracy`` the mean recall of the
    classes that have an image. ``macro_precision``, ``macro_recall`` and ``macro_f1`` are
    unweighted means over all ``classes``, in which a quotient by zero counts as 0, so that a
    class without an image lowers them; that is scikit-learn's ``labels=range(K),
    average="macro", zero_division=0``. ``auc`` is the unweighted mean of the areas under the
    curves of each class against the rest, over the classes that have one. ``cross_entropy`` is in
    nats, ``calibration_error`` as in :func:`calibration_error`. ``precision/<class>``,
    ``recall/<class>``, ``f1/<class>`` and ``auc/<class>`` are of one class. All but
    ``cross_entropy`` lie in [0, 1].

    A class without an image has a precision and an F1 of 0, no recall and no AUC; the reason says
    how the overall numbers count it.

    Args:
        probabilities: Shape (N, K), N at least 1, rows that sum to 1.
        labels: True class of every image, (N,), in [0, K).
        classes: The K names, in the model's order.

    Raises:
        ValueError: If there is no image, or a shape or label does not fit.
        UserError: If a probability is not finite.
    """
    _check(probabilities, labels, len(classes))
    matrix = confusion_matrix(probabilities.argmax(axis=1), labels, len(classes))
    overall, of_class = _rates(matrix)
    found = Comparison({name: float(value) for name, value in overall.items()})
    areas = class_areas(probabilities, labels)
    measured = areas[np.isfinite(areas)]
    if len(measured):
        found.metrics["auc"] = float(measured.mean())
    else:
        found.left_out["auc"] = "all images are of one class"
    found.metrics["cross_entropy"] = _cross_entropy(probabilities, labels)
    found.metrics["calibration_error"] = calibration_error(probabilities, labels)
    absent = (
        f"no image of this class; the macro means over {len(classes)} classes count it as 0, "
        "balanced_accuracy and auc leave it out"
    )
    for name, values in {**of_class, "auc": areas}.items():
        for number, emotion in enumerate(classes):
            full = f"{name}/{emotion}"
            if np.isfinite(values[number]):
                found.metrics[full] = float(values[number])
            elif matrix[number].any():
                found.left_out[full] = "all images are of this class"
            else:
                found.left_out[full] = absent
    return found


def confusion_matrix(
    predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Images of every true class (row) that were taken for every class (column), (K, K).

    Args:
        predicted: Shape (N,), in [0, K).
        labels: True classes, (N,), in [0, K).
        classes: K.
    """
    cells = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.astype(np.int64).reshape(classes, classes)


def class_areas(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Area under the curve of each class against the rest, (K,); nan without images of both.

    Args:
        scores: Shape (N, K), larger is more of that class.
        labels: True classes, (N,).
    """
    return np.array([area(labels == number, own) for number, own in enumerate(scores.T)])


def area(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Area under the curve of one class, in [0, 1]; nan without images of both kinds.

    Args:
        positive: Whether an image is of the class, (N,).
        scores: Larger is more of it, (N,); images without a score (nan) are left out.
    """
    from sklearn.metrics import roc_auc_score

    scored = np.isfinite(scores)
    own = positive[scored]
    if not own.any() or own.all():
        return float("nan")
    return float(roc_auc_score(own, scores[scored]))


def bootstrap_intervals(
    predicted: NDArray[np.int64],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    resamples: int,
    seed: int,
) -> dict[str, tuple[float, float]]:
    """Percentile 95 % intervals of the measures under resampling of the images.

    They say what another draw of as many test images would have changed, and nothing of another
    training; nor do they know that images of one person or video resemble each other. Where a
    class has few images, or all of them are right, its interval is too narrow.

    N images drawn with replacement are a multinomial draw over the cells of the confusion matrix,
    so that no image is touched.

    Args:
        predicted: Shape (N,), N at least 1, in [0, K).
        labels: True classes, (N,), in [0, K).
        classes: The K names.
        resamples: How many, at least 1.
        seed: Of the draws.

    Returns:
        Name to (low, high) of ``accuracy``, ``balanced_accuracy``, ``macro_f1`` and, of the
        classes that have an image, ``recall/<class>`` and ``f1/<class>``. Recall is over the
        resamples with an image of the class.
    """
    matrix = confusion_matrix(predicted, labels, len(classes))
    count = int(matrix.sum())
    draws = np.random.default_rng(seed).multinomial(count, matrix.ravel() / count, resamples)
    overall, of_class = _rates(draws.reshape(resamples, *matrix.shape))
    values = {name: overall[name] for name in ("accuracy", "balanced_accuracy", "macro_f1")}
    for name in ("recall", "f1"):
        for number, emotion in enumerate(classes):
            if matrix[number].any():
                values[f"{name}/{emotion}"] = of_class[name][:, number]
    return {name: _interval(drawn) for name, drawn in values.items()}


def calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Expected calibration error (Guo et al. 2017, equation 3), in [0, 1].

    The mean of |accuracy - confidence| over bins of the largest probability, weighted by their
    images; bin m of 15 is ((m - 1)/15, m/15].

    Args:
        probabilities: Shape (N, K).
        labels: Shape (N,).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    inner_edges = np.linspace(0, 1, BINS + 1)[1:-1]
    bins = np.searchsorted(inner_edges, confidence, side="left")
    # Sum of (right - confidence) in a bin is its images times the gap of their means.
    gaps = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(labels))


def _check(probabilities: NDArray[np.float64], labels: NDArray[np.int64], classes: int) -> None:
    if not len(labels) or probabilities.shape != (len(labels), classes):
        raise ValueError(
            f"{len(labels)} labels of {classes} classes do not fit probabilities of shape "
            f"{probabilities.shape}"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels must lie in [0, {classes})")
    broken = int((~np.isfinite(probabilities).all(axis=1)).sum())
    if broken:
        raise UserError(
            f"the model gives no finite probabilities for {broken:,} of {len(labels):,} images: "
            "its training diverged; train it again with a smaller model.lr"
        )


def _rates(
    matrices: NDArray[np.int64],
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Measures of confusion matrices (..., K, K): overall (...), and of each class (..., K).

    Recall is nan where a class has no image.
    """
    hits = matrices.diagonal(axis1=-2, axis2=-1)
    images, answers = matrices.sum(-1), matrices.sum(-2)
    precision = hits / np.maximum(answers, 1)
    recall = hits / np.maximum(images, 1)
    f1 = 2 * hits / np.maximum(images + answers, 1)
    present = images > 0
    overall = {
        "accuracy": hits.sum(-1) / images.sum(-1),
        "balanced_accuracy": recall.sum(-1) / present.sum(-1),
        "macro_precision": precision.mean(-1),
        "macro_recall": recall.mean(-1),
        "macro_f1": f1.mean(-1),
    }
    recall = np.where(present, recall, np.nan)
    return overall, {"precision": precision, "recall": recall, "f1": f1}


def _cross_entropy(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    own = probabilities[np.arange(len(labels)), labels]
    # A probability that was rounded to 0 would make the mean infinite; scikit-learn's bound.
    return float(-np.log(np.maximum(own, np.finfo(np.float64).eps)).mean())


def _interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.nanpercentile(drawn, PERCENTILES)
    return float(low), float(high)
