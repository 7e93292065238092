"""Means, spreads and intervals over seeds, and differences between pairs of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from scipy.stats import t

CONFIDENCE = 0.95
"""Of every interval; none is corrected for the number of comparisons."""

Verdict = Literal["higher", "lower", "not decided at this size", "the same for every seed"]


@dataclass(frozen=True, slots=True)
class Summary:
    """Some values in five numbers.

    A value that is not finite has no mean, so it is left out of all of them; ``excluded`` says
    how many were, since leaving diverged seeds out flatters what is left.

    Attributes:
        mean: Of the finite values; None if there are none.
        sd: With n - 1 in the denominator; None below two values.
        n: Number of finite values.
        low: Lower end of the t interval; None below two values.
        high: Upper end.
        excluded: Number of values that are not finite.
    """

    mean: float | None
    sd: float | None
    n: int
    low: float | None
    high: float | None
    excluded: int = 0


@dataclass(frozen=True, slots=True)
class Paired:
    """What pairs of runs, equal in all but one thing, say about that thing.

    Attributes:
        summary: Of the differences.
        verdict: Where the interval holds zero, or there are fewer than two pairs, nothing is
            decided; nor where the same difference stands in every pair, as of what one run that
            all seeds share says of faces: that is one measurement.
    """

    summary: Summary
    verdict: Verdict


def summarize(values: Iterable[float]) -> Summary:
    """Mean, standard deviation and the t interval of the mean."""
    numbers = list(values)
    finite = [value for value in numbers if math.isfinite(value)]
    n, excluded = len(finite), len(numbers) - len(finite)
    if not finite:
        return Summary(None, None, 0, None, None, excluded)
    mean = statistics.fmean(finite)
    if n < 2:
        return Summary(mean, None, n, None, None, excluded)
    sd = statistics.stdev(finite)
    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * sd / math.sqrt(n)
    return Summary(mean, sd, n, mean - half, mean + half, excluded)


def paired(differences: Iterable[float]) -> Paired:
    """Judge differences of pairs; those that are not finite are left out and counted."""
    summary = summarize(differences)
    if summary.sd == 0 and summary.mean:
        return Paired(summary, "the same for every seed")
    if summary.low is None or summary.high is None or summary.low <= 0 <= summary.high:
        return Paired(summary, "not decided at this size")
    return Paired(summary, "higher" if summary.low > 0 else "lower")
