"""What translating faces does for classifiers that then name them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_lightning.metrics.distribution import Comparison

CHUNK = 256
"""Pairs of images that are compared at once."""

PREDICTED = 0.01
"""Share of the images from which on a class counts as answered at all."""


def true_positive_rates(
    predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Share of each class's images that each classifier recognises (M.8, which has it in %).

    Args:
        predicted: Answers of M classifiers to N images, (M, N); those in [0, K) are classes.
        labels: True classes, (N,), in [0, K).
        classes: K.

    Returns:
        Shape (M, K), in [0, 1]; nan where a class has no image.
    """
    images = np.bincount(labels, minlength=classes)
    right = [np.bincount(labels[answers == labels], minlength=classes) for answers in predicted]
    return np.where(images > 0, np.stack(right) / np.maximum(images, 1), np.nan)


def translation_metrics(
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    others: Sequence[str] = (),
) -> Comparison:
    """How well a set of classifiers names faces before and after they were translated.

    All rates are shares in [0, 1] and means over the classifiers; a name with ``_sd`` is their
    standard deviation (n - 1), which one classifier does not have. ``tpr_before`` is the share of
    all images that are recognised (micro), ``tpr_before/<class>`` the true-positive rate of one
    class, ``tpr_before_macro`` its mean over the classes that have an image; likewise ``after``.
    ``gain``, ``gain/<class>`` and ``gain_macro`` are after minus before; ``gain_worst`` is that of
    the class that gains least, not below 0 where every class keeps its rate.

    What the classifiers answer shows a collapse: ``predicted_after/<class>`` is the share of the
    images that are taken for a class, ``classes_predicted_after`` how many of the K classes at
    least 1 % of the images are taken for, and ``effective_classes_after`` is exp(entropy) of these
    shares: 1 where one answer is all there is, K where K are equally frequent.

    Args:
        before: Answers of M classifiers to N source faces, (M, N): the K classes, then the others.
        after: Their answers to the translations, in the same order.
        labels: True classes, (N,), in [0, K).
        classes: The K names.
        others: What classifiers may answer besides, which is wrong of every image.

    Raises:
        ValueError: If there is no image or classifier, or a shape or label does not fit.
    """
    _check(before, after, labels, len(classes), len(others))
    found = Comparison()
    answers = {"before": before, "after": after}
    rates = {
        when: true_positive_rates(said, labels, len(classes)) for when, said in answers.items()
    }
    present = np.bincount(labels, minlength=len(classes)) > 0
    for when, said in answers.items():
        _spread(found, f"tpr_{when}", (said == labels).mean(1))
        _spread(found, f"tpr_{when}_macro", rates[when][:, present].mean(1))
        for number, emotion in enumerate(classes):
            if present[number]:
                _spread(found, f"tpr_{when}", rates[when][:, number], f"/{emotion}")
            else:
                found.left_out[f"tpr_{when}/{emotion}"] = "no image of this class"
    gains = (rates["after"] - rates["before"])[:, present].mean(0)
    names = np.array(classes)[present].tolist()
    for mean in ("", "_macro"):
        gain = found.metrics[f"tpr_after{mean}"] - found.metrics[f"tpr_before{mean}"]
        found.metrics[f"gain{mean}"] = gain
    found.metrics["gain_worst"] = float(gains.min())
    found.metrics |= {f"gain/{name}": float(g) for name, g in zip(names, gains, strict=True)}
    for when, said in answers.items():
        found.metrics |= _answers(said, classes, others, when)
    return found


def _spread(found: Comparison, name: str, values: NDArray[np.float64], of: str = "") -> None:
    """Mean and standard deviation over classifiers, (M,)."""
    found.metrics[f"{name}{of}"] = float(values.mean())
    if len(values) > 1:
        found.metrics[f"{name}_sd{of}"] = float(values.std(ddof=1))
    else:
        found.left_out[f"{name}_sd{of}"] = "one classifier has no spread"


def answer_shares(predicted: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Share of the images that each of M classifiers takes for each answer, (M, ``count``)."""
    counts = np.stack([np.bincount(said, minlength=count) for said in predicted])
    shares: NDArray[np.float64] = counts / predicted.shape[1]
    return shares


def _answers(
    predicted: NDArray[np.int64], classes: Sequence[str], others: Sequence[str], when: str
) -> dict[str, float]:
    """What the classifiers answer, whatever is true: means over them."""
    names = [*classes, *others]
    shares = answer_shares(predicted, len(names))
    logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    effective = np.exp(-(shares * logarithms).sum(1))
    means = shares.mean(0)
    often = shares[:, : len(classes)] >= PREDICTED
    return {
        f"classes_predicted_{when}": float(often.sum(1).mean()),
        f"effective_classes_{when}": float(effective.mean()),
        **{f"predicted_{when}/{name}": float(means[k]) for k, name in enumerate(names)},
    }


def _check(
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    labels: NDArray[np.int64],
    classes: int,
    others: int,
) -> None:
    if before.ndim != 2 or not before.size or before.shape[1] != len(labels):
        raise ValueError(f"answers of shape {before.shape} do not fit {len(labels)} labels")
    if after.shape != before.shape:
        raise ValueError(f"answers before and after differ: {before.shape}, {after.shape}")
    for name, values, end in (
        ("labels", labels, classes),
        ("answers", before, classes + others),
        ("answers", after, classes + others),
    ):
        if values.min() < 0 or values.max() >= end:
            raise ValueError(f"{name} must lie in [0, {end})")


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
    if images.shape != sources.shape or not len(images):
        raise ValueError(f"{tuple(images.shape)} and {tuple(sources.shape)} are no pairs")
    total = 0.0
    for start in range(0, len(images), CHUNK):
        # The measure depends on where black lies; variances are small differences, so float64.
        one, other = (
            (batch[start : start + CHUNK].double().clamp(-1, 1) + 1) / 2
            for batch in (images, sources)
        )
        total += float(_similarity(one, other).mean((1, 2, 3)).sum())
    return total / len(images)


def _similarity(one: Tensor, other: Tensor) -> Tensor:
    """SSIM of each place where the window lies within the image, (N, C, H - 10, W - 10).

    torchmetrics has the same measure, but convolves by the whole window, which in float64 takes a
    CPU forty times as long.
    """
    down, across = (_windows(size, one) for size in one.shape[-2:])

    def local_mean(values: Tensor) -> Tensor:
        return down @ values @ across.T

    c1, c2 = 0.01**2, 0.03**2
    mean, other_mean = local_mean(one), local_mean(other)
    squares, product = mean**2 + other_mean**2, mean * other_mean
    spread = local_mean(one**2 + other**2) - squares
    together = local_mean(one * other) - product
    return (2 * product + c1) / (squares + c1) * (2 * together + c2) / (spread + c2)


def _windows(size: int, like: Tensor) -> Tensor:
    """A row for each place of the Gaussian window of 11 pixels (sigma 1.5), (size - 10, size)."""
    offsets = torch.arange(-5, 6, dtype=like.dtype, device=like.device)
    weights = torch.exp(-(offsets**2) / (2 * 1.5**2))
    rows = like.new_zeros(size - 10, size)
    for row in range(size - 10):
        rows[row, row : row + 11] = weights / weights.sum()
    return rows
