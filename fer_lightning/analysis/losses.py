"""Whether losses depend on the class, and how far they move the distribution of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, chi2_contingency

from fer_lightning.analysis.statistics import CONFIDENCE

DRAWS = 9_999
"""Random losses with which the detector's are compared."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its Wilson interval; ``of`` is at least 1."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share in [0, 1]."""
        return self.count / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end."""
        ends = binomtest(self.count, self.of).proportion_ci(CONFIDENCE, method="wilson")
        return float(ends.low), float(ends.high)


@dataclass(frozen=True, slots=True)
class Dependence:
    """Pearson's test of whether a face is found independently of the class.

    Attributes:
        statistic: Chi-squared of the table of classes by found and lost.
        freedom: Its degrees of freedom.
        p: Share of random losses of as many images with a statistic at least as large; rare
            classes have expected counts for which the chi-squared distribution does not hold.
    """

    statistic: float
    freedom: int
    p: float

    @property
    def rejects(self) -> bool:
        """Whether independence is rejected at 5 %."""
        return self.p < 1 - CONFIDENCE


@dataclass(frozen=True, slots=True)
class Shift:
    """How far the distribution of labels moved from the source to the archive.

    Attributes:
        distance: Total variation distance in [0, 1]: the share of labels that would have to be
            others.
        by_chance: The distance that random losses of as many images stay below in 95 of 100
            draws; None where the detector dropped none.
    """

    distance: float
    by_chance: float | None


def dependence(decoded: Sequence[int], lost: Sequence[int]) -> Dependence | None:
    """Test whether losses are independent of the class.

    Args:
        decoded: Images of each class, at least 1 each.
        lost: How many of them the detector lost.

    Returns:
        The test; None where all or none are lost, or there are fewer than two classes.
    """
    if len(decoded) < 2 or not 0 < sum(lost) < sum(decoded):
        return None
    counts, missed = np.array(decoded), np.array(lost)
    result = chi2_contingency([counts - missed, missed], correction=False)
    share = missed.sum() / counts.sum()
    deviations = _random_losses(counts, int(missed.sum())) - share * counts
    statistics = (deviations**2 / (counts * share * (1 - share))).sum(axis=1)
    as_large = int((statistics >= float(result.statistic) - 1e-9).sum())
    return Dependence(float(result.statistic), int(result.dof), (1 + as_large) / (1 + DRAWS))


def shift(source: Sequence[int], archive: Sequence[int], dropped: Sequence[int]) -> Shift | None:
    """Distance between the distributions of labels before and after.

    Args:
        source: Images of each class.
        archive: Faces of each class.
        dropped: Images of each class that are not in the archive because of the detector.

    Returns:
        The distance; None where there is no labelled face.
    """
    before, after, missed = np.array(source), np.array(archive), np.array(dropped)
    if not after.sum():
        return None
    distance = float(_distance(before, after))
    if not missed.sum():
        return Shift(distance, None)
    seen = after + missed
    distances = _distance(before, seen - _random_losses(seen, int(missed.sum())))
    return Shift(distance, float(np.quantile(distances, CONFIDENCE)))


def _random_losses(counts: NDArray[np.int64], lost: int) -> NDArray[np.int64]:
    """``lost`` of all images lost at random: losses of each class, of shape (DRAWS, classes)."""
    random = np.random.default_rng(0)
    return random.multivariate_hypergeometric(counts, lost, DRAWS, method="marginals")


def _distance(before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.float64]:
    """Total variation distance of the counts ``before``, of shape (classes,), to ``after``."""
    shares = after / after.sum(axis=-1, keepdims=True)
    distance: NDArray[np.float64] = np.abs(before / before.sum() - shares).sum(axis=-1) / 2
    return distance
