"""Summaries and paired verdicts agree with SciPy and with data whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fer_lightning.analysis.statistics import paired, summarize


@pytest.mark.parametrize("n", [2, 3, 10])
def test_intervals_are_those_of_scipy(n: int) -> None:
    values = np.random.default_rng(n).normal(3, 2, n)
    summary = summarize(values.tolist())
    low, high = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert summary.mean == pytest.approx(values.mean())
    assert summary.sd == pytest.approx(values.std(ddof=1))
    assert (summary.low, summary.high) == (pytest.approx(low), pytest.approx(high))
    assert (summary.n, summary.excluded) == (n, 0)


def test_one_value_has_no_spread_and_none_has_no_mean() -> None:
    one = summarize([2.5])
    assert (one.mean, one.sd, one.n, one.low, one.high) == (2.5, None, 1, None, None)
    assert summarize([]).mean is None


def test_what_is_not_finite_is_left_out_and_counted() -> None:
    summary = summarize([1.0, math.nan, 3.0, math.inf])
    assert (summary.mean, summary.n, summary.excluded) == (2.0, 2, 2)
    assert (summarize([math.nan]).mean, summarize([math.nan]).excluded) == (None, 1)


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0, -1.0, -3.0])
def test_the_verdict_is_that_of_the_paired_test(shift: float) -> None:
    random = np.random.default_rng(5)
    theirs = random.normal(0, 5, 6)
    ours = theirs + shift + random.normal(0, 0.5, 6)
    test = stats.ttest_rel(ours, theirs)
    result = paired((ours - theirs).tolist())
    interval = test.confidence_interval(0.95)
    assert result.summary.low == pytest.approx(interval.low)
    assert result.summary.high == pytest.approx(interval.high)
    decided = "higher" if test.statistic > 0 else "lower"
    assert result.verdict == (decided if test.pvalue < 0.05 else "not decided at this size")


def test_verdicts_whose_answer_is_known() -> None:
    assert paired([1.0, 1.1, 0.9]).verdict == "higher"
    assert paired([-1.0, -1.1, -0.9]).verdict == "lower"
    for undecided in ([1.0, -1.0, 0.5], [5.0], [], [0.0, 0.0, 0.0], [5.0, math.nan]):
        assert paired(undecided).verdict == "not decided at this size"
    for one in ([0.1] * 3, [-1.0, -1.0]):  # of a judge that all seeds share
        assert paired(one).verdict == "the same for every seed"
