"""Measures of a classifier: against scikit-learn, definitions written out, and known cases."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sk

from fer_lightning.errors import UserError
from fer_lightning.metrics.functional.recognition import (
    bootstrap_intervals,
    calibration_error,
    confusion_matrix,
    recognition_metrics,
)

CLASSES = ["neutral", "happiness", "sadness", "surprise", "fear"]
Case = tuple[NDArray[np.float64], NDArray[np.int64]]


def answers(count: int = 200, present: int = 5, skill: float = 1.0, seed: int = 0) -> Case:
    """Probabilities of five classes and labels of the first ``present``, unequally many."""
    random = np.random.default_rng(seed)
    weights = np.arange(1, present + 1)
    labels = random.choice(present, count, p=weights / weights.sum())
    logits = random.normal(size=(count, 5))
    logits[np.arange(count), labels] += skill
    powers = np.exp(2 * logits)
    return powers / powers.sum(axis=1, keepdims=True), labels


def ties() -> Case:
    """Rounded to tenths, so that many probabilities are equal, and some 0 or 1."""
    probabilities, labels = answers()
    return probabilities.round(1), labels


@pytest.mark.parametrize("case", [answers(), answers(present=3), answers(9), ties()])
def test_it_is_scikit_learn(case: Case) -> None:
    probabilities, labels = case
    predicted = probabilities.argmax(axis=1)
    found = recognition_metrics(probabilities, labels, CLASSES).metrics
    every = {"labels": range(5), "zero_division": 0}
    for name, function in (
        ("precision", sk.precision_score),
        ("recall", sk.recall_score),
        ("f1", sk.f1_score),
    ):
        of_class = function(labels, predicted, average=None, **every)
        wanted = {f"{name}/{c}": of_class[k] for k, c in enumerate(CLASSES)}
        if name == "recall":
            wanted = {f"recall/{CLASSES[k]}": of_class[k] for k in np.unique(labels)}
        assert {k: v for k, v in found.items() if k.startswith(f"{name}/")} == pytest.approx(wanted)
        macro = function(labels, predicted, average="macro", **every)
        assert found[f"macro_{name}"] == pytest.approx(macro)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(labels, predicted))
    # scikit-learn, too, has the mean over the classes that have an image, and warns of it.
    present = np.unique(labels)
    recall = sk.recall_score(labels, predicted, average=None, labels=present)
    assert found["balanced_accuracy"] == pytest.approx(recall.mean())
    matrix = sk.confusion_matrix(labels, predicted, labels=range(5))
    assert (confusion_matrix(predicted, labels, 5) == matrix).all()


@pytest.mark.parametrize("case", [answers(), ties()])
def test_areas_are_scikit_learns(case: Case) -> None:
    probabilities, labels = case
    found = recognition_metrics(probabilities, labels, CLASSES).metrics
    areas = [sk.roc_auc_score(labels == k, probabilities[:, k]) for k in range(5)]
    assert [found[f"auc/{name}"] for name in CLASSES] == pytest.approx(areas)
    assert found["auc"] == pytest.approx(np.mean(areas))


def test_probabilities_are_judged_as_by_scikit_learn() -> None:
    probabilities, labels = answers()
    found = recognition_metrics(probabilities, labels, CLASSES).metrics
    assert found["auc"] == pytest.approx(
        sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    )
    assert found["cross_entropy"] == pytest.approx(sk.log_loss(labels, probabilities))


def test_an_absent_class_lowers_the_macro_means_alone() -> None:
    probabilities, labels = answers(present=3, skill=9.0)
    probabilities[:, 3:] = 0
    assert (probabilities.argmax(axis=1) == labels).all()
    found = recognition_metrics(probabilities, labels, CLASSES)
    assert found.metrics["balanced_accuracy"] == found.metrics["auc"] == 1.0
    for name in ("macro_precision", "macro_recall", "macro_f1"):
        assert found.metrics[name] == pytest.approx(3 / 5)
    assert found.metrics["f1/fear"] == 0.0
    assert set(found.left_out) == {f"{n}/{c}" for n in ("recall", "auc") for c in CLASSES[3:]}
    assert not set(found.left_out) & set(found.metrics)
    assert "over 5 classes" in found.left_out["recall/fear"]


def test_images_of_one_class_have_no_area() -> None:
    probabilities, labels = answers(20, present=1)
    found = recognition_metrics(probabilities, labels, CLASSES)
    assert found.left_out["auc"] == "all images are of one class"
    assert found.left_out["auc/neutral"] == "all images are of this class"
    assert found.metrics["recall/neutral"] == found.metrics["accuracy"]


def test_a_probability_of_zero_has_a_finite_cross_entropy() -> None:
    found = recognition_metrics(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([1, 0]), ["a", "b"])
    wanted = -(np.log(np.finfo(np.float64).eps) + np.log(0.5)) / 2
    assert found.metrics["cross_entropy"] == pytest.approx(wanted)


def test_rows_of_the_confusion_matrix_are_the_truth() -> None:
    matrix = confusion_matrix(np.array([1, 1, 0]), np.array([0, 0, 2]), 3)
    assert matrix.tolist() == [[0, 2, 0], [0, 0, 0], [1, 0, 0]]


def test_calibration_error_of_a_known_case() -> None:
    # Two bins: three answers of confidence 0.9, two right; one of 0.6, right.
    top = np.array([0.9, 0.9, 0.9, 0.6])
    labels = np.array([0, 0, 1, 0])
    wanted = 3 / 4 * abs(2 / 3 - 0.9) + 1 / 4 * abs(1 - 0.6)
    assert calibration_error(np.stack([top, 1 - top], 1), labels) == pytest.approx(wanted)


def test_gaps_of_a_bin_cancel_and_those_of_two_do_not() -> None:
    # 0.99 and 0.95 share the last bin (14/15, 1]; 14/15 itself lies in the one below.
    labels = np.array([0, 1])
    together, apart = np.array([0.99, 0.95]), np.array([0.99, 14 / 15])
    error = calibration_error(np.stack([together, 1 - together], 1), labels)
    assert error == pytest.approx(abs(0.5 - 0.97))
    error = calibration_error(np.stack([apart, 1 - apart], 1), labels)
    assert error == pytest.approx((0.01 + 14 / 15) / 2)


@pytest.mark.parametrize("skill", [0.0, 2.0])
def test_calibration_error_is_the_definition(skill: float) -> None:
    probabilities, labels = answers(skill=skill)
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    wanted = 0.0
    for number in range(15):
        inside = (top > number / 15) & (top <= (number + 1) / 15)
        if inside.any():
            wanted += inside.mean() * abs(right[inside].mean() - top[inside].mean())
    assert calibration_error(probabilities, labels) == pytest.approx(wanted)
    assert wanted > 0.01


def test_intervals_are_those_of_resampled_images() -> None:
    probabilities, labels = answers(1000)
    predicted = probabilities.argmax(axis=1)
    random = np.random.default_rng(1)
    drawn = []
    for _ in range(4000):
        rows = random.integers(0, 1000, 1000)
        drawn.append(recognition_rates(predicted[rows], labels[rows]))
    wanted = {
        name: np.nanpercentile([values[name] for values in drawn], (2.5, 97.5)) for name in drawn[0]
    }
    found = bootstrap_intervals(predicted, labels, CLASSES, 20_000, seed=0)
    assert found.keys() == wanted.keys()
    for name, (low, high) in wanted.items():
        # Percentiles of 4,000 resamples stray by a hundredth of the width; 90 % intervals would
        # differ by eight.
        assert found[name] == pytest.approx((low, high), abs=0.05 * (high - low)), name


def recognition_rates(predicted: NDArray[np.int64], labels: NDArray[np.int64]) -> dict[str, float]:
    """The measures with intervals, written out for one set of images."""
    rates = {"accuracy": float((predicted == labels).mean())}
    recalls, f1s = [], []
    for number in range(5):
        own, said = labels == number, predicted == number
        recalls.append(float(said[own].mean()) if own.any() else np.nan)
        f1s.append(2 * (own & said).sum() / max(1, own.sum() + said.sum()))
    rates["balanced_accuracy"] = float(np.nanmean(recalls))
    rates["macro_f1"] = float(np.mean(f1s))
    rates |= {f"recall/{name}": recalls[number] for number, name in enumerate(CLASSES)}
    return rates | {f"f1/{name}": f1s[number] for number, name in enumerate(CLASSES)}


def test_intervals_hold_the_value_and_are_seeded() -> None:
    probabilities, labels = answers(300, present=4)
    predicted = probabilities.argmax(axis=1)
    found = bootstrap_intervals(predicted, labels, CLASSES, 2000, seed=3)
    point = recognition_metrics(probabilities, labels, CLASSES).metrics
    for name, (low, high) in found.items():
        assert low < point[name] < high, name
    assert found == bootstrap_intervals(predicted, labels, CLASSES, 2000, seed=3)
    assert found != bootstrap_intervals(predicted, labels, CLASSES, 2000, seed=4)
    assert {"recall/surprise", "f1/surprise"} <= found.keys()
    assert not {"recall/fear", "f1/fear"} & found.keys()


def test_more_images_have_narrower_intervals() -> None:
    widths = []
    for count in (100, 10_000):
        probabilities, labels = answers(count)
        intervals = bootstrap_intervals(probabilities.argmax(1), labels, CLASSES, 2000, seed=0)
        low, high = intervals["accuracy"]
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(10, rel=0.15)


def test_a_class_of_one_image_is_judged_where_it_is_drawn() -> None:
    labels = np.array([0] * 9 + [1])
    found = bootstrap_intervals(labels, labels, ["a", "b"], 500, seed=0)
    assert found["recall/b"] == (1.0, 1.0)
    assert found["f1/b"] == (0.0, 1.0)  # 0 where it is not drawn


def test_what_does_not_fit_is_refused() -> None:
    probabilities, labels = answers(10)
    with pytest.raises(ValueError, match="do not fit"):
        recognition_metrics(probabilities, labels, CLASSES[:4])
    with pytest.raises(ValueError, match="do not fit"):
        recognition_metrics(probabilities[:0], labels[:0], CLASSES)
    with pytest.raises(ValueError, match=r"lie in \[0, 5\)"):
        recognition_metrics(probabilities, labels - 5, CLASSES)
    probabilities[3, 2] = np.nan
    with pytest.raises(UserError, match="1 of 10 images: its training diverged"):
        recognition_metrics(probabilities, labels, CLASSES)
