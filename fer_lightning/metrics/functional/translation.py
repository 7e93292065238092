"""What translating faces does for classifiers that then name them (papers.md M.8 and M.4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fer_lightning.metrics.distribution import Comparison
from fer_lightning.metrics.functional.recognition import confusion_matrix

CHUNK = 256
"""Pairs of images that are compared at once."""


def true_positive_rates(
    predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Share of each class's images that each classifier recognises, in % (M.8).

    Args:
        predicted: Answers of M classifiers to N images, (M, N), in [0, K).
        labels: True classes, (N,), in [0, K).
        classes: K.

    Returns:
        Shape (M, K); nan where a class has no image.
    """
    matrices = np.stack([confusion_matrix(answers, labels, classes) for answers in predicted])
    hits, images = matrices.diagonal(axis1=1, axis2=2), np.bincount(labels, minlength=classes)
    return np.where(images > 0, 100 * hits / np.maximum(images, 1), np.nan)


def translation_metrics(
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    labels: NDArray[np.int64],
    classes: Sequence[str],
) -> Comparison:
    """How well a set of classifiers names faces before and after they were translated.

    Rates are in %, means over the classifiers; a name with ``_sd`` is their standard deviation
    (n - 1), which one classifier does not have. ``tpr_before/<class>`` is the true-positive rate of
    one class, ``macro_before`` the mean over the classes that have an image, ``micro_before`` the
    share of all images that are recognised; likewise ``after``. ``gain/<class>``, ``gain_macro``
    and ``gain_micro`` are after minus before, ``smallest_gain`` is that of the class that gains
    least: not below 0 where every class keeps its rate.

    What the classifiers answer shows a collapse: ``predicted_after/<class>`` is the share of the
    images that are taken for a class, ``classes_predicted_after`` how many classes any image is
    taken for, and ``effective_classes_after`` is exp(entropy) of these shares, which a few stray
    answers do not raise: K where all are answered equally often, 1 where one alone is.

    Args:
        before: Answers of M classifiers to N source faces, (M, N), in [0, K).
        after: Their answers to the translations, in the same order.
        labels: True classes, (N,), in [0, K).
        classes: The K names.

    Raises:
        ValueError: If there is no image or classifier, or a shape or label does not fit.
    """
    _check(before, after, labels, len(classes))
    found = Comparison()
    rates = {
        when: true_positive_rates(answers, labels, len(classes))
        for when, answers in (("before", before), ("after", after))
    }
    present = np.bincount(labels, minlength=len(classes)) > 0
    for when, answers in (("before", before), ("after", after)):
        for number, emotion in enumerate(classes):
            if present[number]:
                _spread(found, f"tpr_{when}", rates[when][:, number], f"/{emotion}")
            else:
                found.left_out[f"tpr_{when}/{emotion}"] = "no image of this class"
        _spread(found, f"macro_{when}", rates[when][:, present].mean(1))
        _spread(found, f"micro_{when}", 100 * (answers == labels).mean(1))
        found.metrics |= _answers(answers, classes, when)
    gains = (rates["after"] - rates["before"])[:, present].mean(0)
    names = np.array(classes)[present].tolist()
    found.metrics |= {f"gain/{name}": float(g) for name, g in zip(names, gains, strict=True)}
    for mean in ("macro", "micro"):
        gain = found.metrics[f"{mean}_after"] - found.metrics[f"{mean}_before"]
        found.metrics[f"gain_{mean}"] = gain
    found.metrics["smallest_gain"] = float(gains.min())
    return found


def _spread(found: Comparison, name: str, values: NDArray[np.float64], of: str = "") -> None:
    """Mean and standard deviation over classifiers, (M,)."""
    found.metrics[f"{name}{of}"] = float(values.mean())
    if len(values) > 1:
        found.metrics[f"{name}_sd{of}"] = float(values.std(ddof=1))
    else:
        found.left_out[f"{name}_sd{of}"] = "one classifier has no spread"


def _answers(predicted: NDArray[np.int64], classes: Sequence[str], when: str) -> dict[str, float]:
    """What the classifiers answer, whatever is true: means over them."""
    counts = np.stack([np.bincount(answers, minlength=len(classes)) for answers in predicted])
    shares = counts / predicted.shape[1]
    logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    effective = np.exp(-(shares * logarithms).sum(1))
    means = 100 * shares.mean(0)
    return {
        **{f"predicted_{when}/{name}": float(means[k]) for k, name in enumerate(classes)},
        f"classes_predicted_{when}": float((counts > 0).sum(1).mean()),
        f"effective_classes_{when}": float(effective.mean()),
    }


def _check(
    before: NDArray[np.int64], after: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> None:
    if before.ndim != 2 or not before.size or before.shape[1] != len(labels):
        raise ValueError(f"answers of shape {before.shape} do not fit {len(labels)} labels")
    if after.shape != before.shape:
        raise ValueError(f"answers before and after differ: {before.shape}, {after.shape}")
    for name, values in (("labels", labels), ("answers", before), ("answers", after)):
        if values.min() < 0 or values.max() >= classes:
            raise ValueError(f"{name} must lie in [0, {classes})")


def paired_ssim(images: Tensor, sources: Tensor) -> float:
    """Mean over pairs of images of their structural similarity, at most 1 (M.4).

    A Gaussian window of 11 pixels (sigma 1.5), constants 0.01 and 0.03, values in [0, 1], mean
    over channels and the places where the window lies within the image (Wang et al. 2004).

    Args:
        images: Translations, (N, C, H, W) in [-1, 1], H and W at least 11.
        sources: What they were made from, in the same order.

    Raises:
        ValueError: If there is no image, or the shapes differ.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    if images.shape != sources.shape or not len(images):
        raise ValueError(f"{tuple(images.shape)} and {tuple(sources.shape)} are no pairs")
    total = 0.0
    for start in range(0, len(images), CHUNK):
        # The measure depends on where black lies; variances are small differences, so float64.
        one, other = (
            (batch[start : start + CHUNK].double().clamp(-1, 1) + 1) / 2
            for batch in (images, sources)
        )
        _, places = structural_similarity_index_measure(
            one, other, reduction="none", data_range=1.0, return_full_image=True
        )
        # Edges are padded; Wang et al. have no such places.
        total += float(places[:, :, 5:-5, 5:-5].mean((1, 2, 3)).sum())
    return total / len(images)
