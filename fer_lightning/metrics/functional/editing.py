"""How well an edit does what is asked of it, in NumPy: smoothness, the critic's F1, ranks.

Definitions are those of paper E (arXiv 2406.11079), and what it leaves open is fixed here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_lightning.metrics.distribution import Comparison
from fer_lightning.metrics.functional.recognition import area
from fer_lightning.rng import SUBSETS, stream_seed

STEPS = tuple(number / 10 for number in range(1, 11))
"""Intensities at which a curve is measured, 0.1 to 1."""

LEAST_RANGE = 0.05
"""A curve that changes less is flat: its largest step over its range would be noise."""


def smoothness(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest step of rising curves, as a share of their range (paper E's Smoothness Score).

    max_j (s_j - s_(j-1)) / (max s - min s); of n points that only rise it lies between 1/(n - 1),
    an even ramp, and 1, a jump. The paper divides by s_n - s_1, which is the range of such a curve.

    Args:
        curves: Probabilities of the wanted emotion at growing intensities, (..., n), n at least 2.

    Returns:
        Shape (...); nan for a curve whose range is below :data:`LEAST_RANGE`, or that does not end
        above its start, since its value could be anything and no smaller one is better.
    """
    range_ = curves.max(-1) - curves.min(-1)
    largest = np.diff(curves, axis=-1).max(-1)
    rising = (range_ >= LEAST_RANGE) & (curves[..., -1] > curves[..., 0])
    return np.where(rising, largest / np.where(rising, range_, 1), np.nan)


def smoothness_metrics(curves: NDArray[np.float64], emotions: Sequence[str]) -> Comparison:
    """The Smoothness Score of many faces; lower is smoother.

    ``smoothness/<emotion>`` is that of the mean curve over all faces, ``smoothness`` the mean over
    the emotions whose mean curve rises, and ``smoothness_skipped`` how many do not.
    ``smoothness_median`` is the median over the curves of single faces that rise, of all emotions
    alike, and ``smoothness_median/<emotion>`` of one; ``smoothness_median_skipped`` is the share of
    the single curves that do not.

    Args:
        curves: Probability of each wanted emotion at growing intensities, (N, E, n), N at least 1.
        emotions: The E names.

    Raises:
        ValueError: If there is no face, or the names do not fit.
    """
    if curves.ndim != 3 or not len(curves) or curves.shape[1] != len(emotions):
        raise ValueError(f"curves of shape {curves.shape} do not fit {len(emotions)} emotions")
    found = Comparison()
    scores = {"smoothness": smoothness(curves.mean(0)), "smoothness_median": smoothness(curves)}
    flat = {name: np.isnan(values) for name, values in scores.items()}
    if flat["smoothness"].all():
        found.left_out["smoothness"] = "no mean curve rises"
    else:
        found.metrics["smoothness"] = float(np.nanmean(scores["smoothness"]))
    found.metrics["smoothness_skipped"] = float(flat["smoothness"].sum())
    if flat["smoothness_median"].all():
        found.left_out["smoothness_median"] = "no curve rises"
    else:
        found.metrics["smoothness_median"] = float(np.nanmedian(scores["smoothness_median"]))
    found.metrics["smoothness_median_skipped"] = float(flat["smoothness_median"].mean())
    for name, values in scores.items():
        for number, emotion in enumerate(emotions):
            own = values[..., number]
            if np.isnan(own).all():
                found.left_out[f"{name}/{emotion}"] = "the curve is flat or falls"
            else:
                found.metrics[f"{name}/{emotion}"] = float(np.nanmedian(own))
    return found


def agreement(
    answered: NDArray[np.str_], meant: NDArray[np.str_], classes: Sequence[str]
) -> Comparison:
    """How answers agree with what faces were to show (paper E, Tables I and II).

    ``macro_f1`` is the unweighted mean of F1 over all ``classes``, in which a quotient by zero
    counts as 0; ``accuracy`` is the share of right answers, ``recall/<class>`` that of a class. All
    lie in [0, 1].

    Args:
        answered: A name for each face, of ``classes`` or another, (N,), N at least 1.
        meant: One of ``classes`` for each, (N,).
        classes: Names.
    """
    from sklearn.metrics import f1_score  # takes a second, which no training has to wait for

    right = answered == meant
    macro = f1_score(meant, answered, labels=list(classes), average="macro", zero_division=0)
    found = Comparison({"macro_f1": float(macro), "accuracy": float(right.mean())})
    for name in classes:
        if (of_class := meant == name).any():
            found.metrics[f"recall/{name}"] = float(right[of_class].mean())
        else:
            found.left_out[f"recall/{name}"] = "no face was to show it"
    return found


def binary_f1(positive: NDArray[np.bool_], answered: NDArray[np.bool_]) -> float:
    """F1 = 2 TP / (2 TP + FP + FN) of one class, in [0, 1]; 0 where nothing is of it.

    Args:
        positive: Whether an image is of the class, (N,).
        answered: Whether it is taken for one, (N,).
    """
    hits = int((positive & answered).sum())
    return 2 * hits / max(int(positive.sum() + answered.sum()), 1)


def critic_metrics(real: NDArray[np.float64], fake: NDArray[np.float64], seed: int) -> Comparison:
    """How well a critic tells edits from real faces (paper E's Table V); lower is harder to tell.

    ``critic_f1_real`` takes real faces for the positive class, ``critic_f1_fake`` edits, and
    ``critic_f1`` is their mean; what scores above 0 is called real, as by a sigmoid above 0.5. A
    Wasserstein critic has no such natural bound. So ``critic_f1_midpoint`` (and ``…_real``,
    ``…_fake``) is the same with the middle between the mean scores of both kinds, found on one
    half of the pairs and applied to the other; and ``critic_auc``, the area under the ROC curve,
    needs no bound.

    Args:
        real: Scores of real faces, larger is more real, (N,), N at least 2.
        fake: Scores of as many edits, (N,); number n was made from real face n.
        seed: Draws the half that the middle is found on.

    Raises:
        ValueError: If numbers differ or are below 2.
    """
    if real.shape != fake.shape or real.ndim != 1 or len(real) < 2:
        raise ValueError(f"{real.shape} real and {fake.shape} edited faces: give 2 pairs or more")
    found = Comparison(_bounded("critic_f1", real, fake, 0.0))
    order = np.random.default_rng(stream_seed(seed, SUBSETS)).permutation(len(real))
    rest, half = np.array_split(order, 2)
    middle = float(real[half].mean() + fake[half].mean()) / 2
    found.metrics |= _bounded("critic_f1_midpoint", real[rest], fake[rest], middle)
    is_real = np.arange(2 * len(real)) < len(real)
    found.metrics["critic_auc"] = area(is_real, np.concatenate([real, fake]))
    return found


def _bounded(
    name: str, real: NDArray[np.float64], fake: NDArray[np.float64], bound: float
) -> dict[str, float]:
    called_real = np.concatenate([real, fake]) > bound
    is_real = np.arange(len(called_real)) < len(real)
    of_real, of_fake = binary_f1(is_real, called_real), binary_f1(~is_real, ~called_real)
    return {name: (of_real + of_fake) / 2, f"{name}_real": of_real, f"{name}_fake": of_fake}


def rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Spearman's rank correlation, in [-1, 1]; 0 where one side never changes.

    Args:
        one: Shape (N,), N at least 2.
        other: Shape (N,).
    """
    from scipy.stats import spearmanr

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0  # undefined; what never changes follows nothing
    return float(spearmanr(one, other).statistic)


def intensity_metrics(
    asked: NDArray[np.float64], read: NDArray[np.float64], emotions: Sequence[str]
) -> dict[str, float]:
    """Whether the intensity that is read from edits grows with the one that was asked for.

    ``intensity_rank/<emotion>`` is Spearman's rank correlation over all edits of all faces,
    ``intensity_rank_face/<emotion>`` the mean over faces of each face's own; ``intensity_rank``
    and ``intensity_rank_face`` are the means over the emotions. All lie in [-1, 1].

    Args:
        asked: Intensities, (n,).
        read: What a regressor reads from the edits of N faces, (N, E, n).
        emotions: The E names.
    """
    found: dict[str, float] = {}
    for number, emotion in enumerate(emotions):
        own = read[:, number]
        pooled = rank_correlation(np.tile(asked, len(own)), own.ravel())
        found[f"intensity_rank/{emotion}"] = pooled
        each = [rank_correlation(asked, of_face) for of_face in own]
        found[f"intensity_rank_face/{emotion}"] = float(np.mean(each))
    for name in ("intensity_rank", "intensity_rank_face"):
        found[name] = float(np.mean([found[f"{name}/{emotion}"] for emotion in emotions]))
    return found
